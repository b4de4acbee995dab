//! Asks a free cluster to commit a transaction, by its template's deep probe. Nobody can take it meanwhile.

use std::time::Duration;

use common::clock;
use common::compose::{DeepProbe, DeepStep, HttpMethod};
use common::model::Cluster;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::outcome::Outcome;
use super::probe::{fetch, grows, judge};
use super::{Hands, Trouble};

/// Between two tries of a step that waits for something.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn deep_look(hands: &Hands, cluster: &Cluster) -> Result<Outcome, Trouble> {
    let tools = &hands.tools;
    let Some(probe) = tools.deep.get(&cluster.flavor) else { return Ok(Outcome::Stale) };
    tools.term.check()?;
    // From here on it is nobody's: who had taken it before wins.
    tools.store.move_cluster(cluster, &cluster.withdraw()?, None).await?;
    let at = clock::now();
    Ok(Outcome::Looked { at, result: ask(&tools.http, cluster, probe).await })
}

/// Does every step in turn; the first that does not hold is the answer.
async fn ask(client: &reqwest::Client, cluster: &Cluster, probe: &DeepProbe) -> Result<(), String> {
    let mut first: Vec<(&DeepStep, Value)> = Vec::new();
    for step in &probe.steps {
        let before = first
            .iter()
            .find(|(other, _)| {
                (other.method, &other.endpoint, &other.path) == (step.method, &step.endpoint, &step.path)
            })
            .map(|(_, value)| value);
        let answer = one(client, cluster, step, before).await;
        let answer = answer.map_err(|seen| format!("{} of {}: {seen}", step.path, step.endpoint))?;
        first.push((step, answer));
    }
    Ok(())
}

/// Does one step: a `GET` again and again until it holds, a `POST` once.
async fn one(
    client: &reqwest::Client,
    cluster: &Cluster,
    step: &DeepStep,
    before: Option<&Value>,
) -> Result<Value, String> {
    let endpoint = cluster.endpoints.get(&step.endpoint).ok_or("there is no such endpoint")?;
    let url = format!("http://{}{}", endpoint.authority(), step.path);
    let until = Instant::now() + step.within;
    loop {
        let request = match (step.method, &step.body) {
            (HttpMethod::Get, _) => client.get(&url),
            (HttpMethod::Post, Some(body)) => client.post(&url).json(body),
            (HttpMethod::Post, None) => client.post(&url),
        };
        let late = || format!("no answer within {} s", step.within.as_secs_f64());
        let answer = timeout_at(until, fetch(request)).await.unwrap_or_else(|_| Err(late()));
        let answer = answer.and_then(|body| {
            judge(&body, &step.expect)?;
            let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            step.grows.iter().try_for_each(|pointer| grows(before, &value, pointer))?;
            Ok(value)
        });
        if answer.is_ok() || step.method == HttpMethod::Post || Instant::now() + PAUSE >= until {
            return answer;
        }
        sleep(PAUSE).await;
    }
}

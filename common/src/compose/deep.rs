//! The deep probe of a compose file's `x-poolmanager` block: requests that together make the network do its work.

use std::collections::BTreeMap;
use std::time::Duration;

use super::at::At;
use super::offer::{self, PROBE_TIMEOUT};
use super::{ComposeError, DeepProbe, DeepStep, HttpMethod, JsonExpect, PlannedEndpoint};

/// It leaves traces (a block on each chain), so it is for now and then.
const LEAST_EVERY: Duration = Duration::from_secs(10);
/// A network that needs longer for one transaction is of no use to anybody; and as long, nobody may have it.
const LONGEST_STEP: Duration = Duration::from_secs(60);
const MOST_STEPS: usize = 16;
/// Bytes of a body as JSON; a transaction is small.
const LONGEST_BODY: usize = 16 * 1024;

/// Reads the field `deep`.
pub(super) fn read(at: &At<'_>, endpoints: &BTreeMap<String, PlannedEndpoint>) -> Result<DeepProbe, ComposeError> {
    at.only(&["every", "needs_chaincode", "steps"])?;
    let interval = at.needed("every")?;
    let every = interval.duration()?;
    if every < LEAST_EVERY {
        return interval.refuse("must be at least 10s: it is for now and then");
    }
    let needs_chaincode = at.field("needs_chaincode").map_or(Ok(false), |flag| flag.flag())?;
    let listed = at.needed("steps")?;
    let mut steps = Vec::new();
    for item in listed.items()? {
        let step = step(&item, endpoints, &steps)?;
        steps.push(step);
    }
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return listed.refuse(format!("must have 1 to {MOST_STEPS} steps"));
    }
    Ok(DeepProbe { every, needs_chaincode, steps })
}

fn step(
    at: &At<'_>,
    endpoints: &BTreeMap<String, PlannedEndpoint>,
    before: &[DeepStep],
) -> Result<DeepStep, ComposeError> {
    at.only(&["method", "endpoint", "path", "body", "within", "expect"])?;
    let method = match at.field("method") {
        None => HttpMethod::Get,
        Some(named) => match named.text()?.as_str() {
            "GET" => HttpMethod::Get,
            "POST" => HttpMethod::Post,
            _ => return named.refuse("must be GET or POST"),
        },
    };
    let (endpoint, path) = offer::target(at, endpoints)?;
    let body = at.field("body");
    if let Some(body) = body.as_ref().filter(|_| method == HttpMethod::Get) {
        return body.refuse("a GET has none");
    }
    if let Some(body) = body.as_ref().filter(|body| body.value.to_string().len() > LONGEST_BODY) {
        return body.refuse(format!("must be at most {LONGEST_BODY} bytes"));
    }
    let within = match at.field("within") {
        None => PROBE_TIMEOUT,
        Some(limit) => match offer::positive(&limit)? {
            within if within > LONGEST_STEP => return limit.refuse("must be at most 60s"),
            within => within,
        },
    };
    let (mut expect, mut grows) = (Vec::new(), Vec::new());
    if let Some(list) = at.field("expect") {
        for item in list.items()? {
            match expectation(&item)? {
                Expectation::Holds(one) => expect.push(one),
                Expectation::Grows(pointer) => {
                    let same = |step: &DeepStep| {
                        step.method == HttpMethod::Get && step.endpoint == endpoint && step.path == path
                    };
                    if method != HttpMethod::Get || !before.iter().any(same) {
                        return item.refuse("only a GET can grow, and a step before must ask the same");
                    }
                    grows.push(pointer);
                }
            }
        }
    }
    Ok(DeepStep { method, endpoint, path, body: body.map(|body| body.value.clone()), within, expect, grows })
}

enum Expectation {
    Holds(JsonExpect),
    Grows(String),
}

fn expectation(at: &At<'_>) -> Result<Expectation, ComposeError> {
    let Some(grows) = at.field("grows") else { return Ok(Expectation::Holds(offer::expectation(at)?)) };
    at.only(&["pointer", "grows"])?;
    if !grows.flag()? {
        return grows.refuse("must be true, or be left out");
    }
    Ok(Expectation::Grows(offer::pointer(&at.needed("pointer")?)?))
}

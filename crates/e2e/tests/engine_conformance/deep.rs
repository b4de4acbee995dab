//! The deep probe of the template that ships, sent to a network on either engine: it holds while the peers agree, and only then.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use common::compose::{Catalog, CatalogSettings, DeepStep, HttpMethod, JsonExpect, Placement, Project};
use common::model::{HostKind, LogLevel, LogTarget, Slot};
use e2e::pool::{PATIENCE, PEER_IMAGE};
use e2e::wait::wait_until;
use engine::UpLimits;
use serde_json::Value;
use simdocker::{SimHost, SimOptions};
use tokio::time::{Instant, sleep};

use crate::REAL;
use crate::place::{Names, Place};
use crate::project::{free, node};

/// Four peers with PBFT, as the template has them.
fn shipped(place: &Place) -> Project {
    let variables = BTreeMap::from([("FABRIC_PEER_IMAGE".to_owned(), PEER_IMAGE.to_owned())]);
    let catalog = Catalog::shipped(&CatalogSettings { variables }).unwrap();
    let names = &place.names;
    let placement = Placement {
        cluster: names.cluster.clone(),
        project: names.prefix.clone(),
        ports: names.layout.ports(Slot(0)).unwrap(),
        subnet: names.layout.subnet(Slot(0)).unwrap(),
        bind_address: place.bind,
        log_target: LogTarget::Local,
        log_level: LogLevel::Info,
        kind: HostKind::Single,
        chaincode_endpoint: None,
    };
    catalog.plan(&catalog.flavors()[0], &placement).unwrap()
}

struct Asker<'a> {
    place: &'a Place,
    project: &'a Project,
    client: reqwest::Client,
    first: BTreeMap<String, Value>,
}

impl Asker<'_> {
    async fn ask(&mut self, step: &DeepStep) -> Result<(), String> {
        let endpoint = &self.project.endpoints[&step.endpoint];
        let url = format!("http://{}:{}{}", self.place.bind, endpoint.port, step.path);
        let request = match (step.method, &step.body) {
            (HttpMethod::Get, _) => self.client.get(&url),
            (HttpMethod::Post, Some(body)) => self.client.post(&url).body(body.to_string()),
            (HttpMethod::Post, None) => self.client.post(&url),
        };
        let answer = request.timeout(Duration::from_secs(3)).send().await.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&answer.text().await.map_err(|error| error.to_string())?).unwrap();
        for expect in &step.expect {
            let JsonExpect::Equals { pointer, value: wanted } = expect else { panic!("{expect:?}") };
            if value.pointer(pointer) != Some(wanted) {
                return Err(format!("{url}: {value}"));
            }
        }
        let before = self.first.entry(url.clone()).or_insert_with(|| value.clone());
        let grown = |pointer: &String| number(&value, pointer) > number(before, pointer);
        if step.grows.iter().all(grown) { Ok(()) } else { Err(format!("{url}: {value} after {before}")) }
    }

    /// All steps in turn; `patience` in the place of their own.
    async fn probe(&mut self, patience: Duration) -> Result<(), String> {
        for step in &self.project.deep_probe.as_ref().unwrap().steps {
            let until = Instant::now() + patience;
            loop {
                match self.ask(step).await {
                    Ok(()) => break,
                    Err(_) if step.method == HttpMethod::Get && Instant::now() < until => {
                        sleep(Duration::from_millis(50)).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap()
}

async fn tell(place: &Place) {
    let project = shipped(place);
    let (names, owner) = (&place.names, place.names.owner());
    let ids = place.engine.up(&project, &owner, &UpLimits::default(), &free, &|_| {}).await.unwrap();
    let client = reqwest::Client::new();
    let listed = format!("http://{}:{}/network/peers", place.bind, project.endpoints["rest"].port);
    wait_until("vp0 lists all peers", PATIENCE, || async {
        let answer = client.get(&listed).send().await.map_err(|error| error.to_string())?;
        let seen: Value = serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or_default();
        if seen["peers"].as_array().is_some_and(|peers| peers.len() == 4) { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
    let asker = || Asker { place, project: &project, client: client.clone(), first: BTreeMap::new() };
    asker().probe(PATIENCE).await.unwrap();

    // Without a quorum an invoke is accepted, and nothing grows.
    for name in ["vp1", "vp2"] {
        place.engine.stop_node(&ids[&node(name)], Duration::ZERO, &free).await.unwrap();
    }
    let refused = asker().probe(Duration::from_secs(2)).await.expect_err("two of four are not enough");
    assert!(refused.contains("/chain") && refused.contains("after"), "{refused}");
    let prefixes = [format!("{}-", names.cluster)];
    place.engine.down(&names.pool, &names.cluster, &prefixes, &free).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_deep_probe_holds_with_a_quorum_and_not_without_on_both_engines() {
    let names = Names::fresh();
    tell(&Place::new(&names, REAL, IpAddr::V4(Ipv4Addr::LOCALHOST)).await).await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    tell(&Place::new(&names, &sim.url(), IpAddr::V4(sim.address())).await).await;
}

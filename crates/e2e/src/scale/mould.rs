//! What one host's clusters are on an engine, as calls that make the same on another: made once by our own engine code on
//! a simulated host, read off it, and cast as often as wanted with other names, ids and addresses.

use std::net::IpAddr;

use anyhow::{Context, ensure};
use common::compose::{Catalog, Placement, PlannedEndpoint};
use common::model::{
    ClusterId, ClusterName, Flavor, HostId, HostKind, HostName, LogLevel, LogTarget, NodeName, PoolId, Slot, SlotLayout,
};
use engine::{Engine, Ownership, UpLimits};
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};

/// One slot's cluster.
pub(super) struct Mould {
    pub slot: Slot,
    pub cluster: ClusterId,
    pub host: HostId,
    pub project: String,
    pub address: String,
    pub nodes: Vec<NodeName>,
    pub endpoints: Vec<(String, PlannedEndpoint)>,
    network: (String, String),
    containers: Vec<(NodeName, String, String)>,
}

/// One cluster that is to be on a host.
pub(super) struct Cast<'a> {
    pub cluster: &'a ClusterId,
    pub host: &'a HostId,
    pub project: &'a str,
    pub address: &'a str,
}

/// Makes one of each slot, on a host that goes again.
pub(super) async fn moulds(
    catalog: &Catalog,
    flavor: &Flavor,
    layout: &SlotLayout,
    pool: &PoolId,
    count: u16,
) -> anyhow::Result<Vec<Mould>> {
    let sim = SimHost::start(SimOptions::fresh()).await?;
    let engine = Engine::connect(&common::model::DaemonUrl::parse(&sim.url())?).await?;
    let host = HostId::random();
    let host_name = HostName::parse("the-mould")?;
    let mut moulds = Vec::new();
    for slot in (0..count).map(Slot) {
        let (cluster, name) = (ClusterId::random(), ClusterName::of(&host_name, slot));
        let placement = Placement {
            cluster: cluster.clone(),
            project: name.project(),
            ports: layout.ports(slot).context("a slot's ports")?,
            subnet: layout.subnet(slot).context("a slot's subnet")?,
            bind_address: IpAddr::V4(sim.address()),
            log_target: LogTarget::Local,
            log_level: LogLevel::default(),
            kind: HostKind::Single,
            chaincode_endpoint: None,
        };
        let project = catalog.plan(flavor, &placement).context("planning a cluster")?;
        let owner = Ownership {
            pool: pool.clone(),
            cluster: cluster.clone(),
            host: host.clone(),
            slot,
            flavor: flavor.id.clone(),
            flavor_digest: flavor.digest.clone(),
        };
        let made = engine.up(&project, &owner, &UpLimits::default(), &|| Ok(()), &|_| {}).await?;
        let mut mould = Mould {
            slot,
            cluster,
            host: host.clone(),
            project: name.project(),
            address: sim.address().to_string(),
            nodes: project.lasting_nodes(),
            endpoints: project.endpoints.clone().into_iter().collect(),
            network: (String::new(), String::new()),
            containers: Vec::new(),
        };
        let network = project.networks.first().context("a network")?.name.clone();
        let seen = look(&sim, &format!("/networks/{network}")).await?;
        let body = json!({
            "Name": network, "Driver": seen["Driver"], "Labels": seen["Labels"], "Options": seen["Options"],
            "Internal": seen["Internal"], "IPAM": seen["IPAM"], "CheckDuplicate": true,
        });
        for (node, id) in made {
            let seen = look(&sim, &format!("/containers/{id}/json")).await?;
            let name = seen["Name"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
            mould.containers.push((node, name, container(&seen, &network)));
        }
        mould.network = (network, body.to_string());
        moulds.push(mould);
    }
    Ok(moulds)
}

async fn look(sim: &SimHost, path: &str) -> anyhow::Result<Value> {
    let (status, text) = sim.call("GET", path, "").await;
    ensure!(status == 200, "{path}: {status} {text}");
    Ok(serde_json::from_str(&text)?)
}

/// What makes a container like this one. Networks go by their names, since their ids are each host's own.
fn container(seen: &Value, network: &str) -> String {
    let mut body = seen["Config"].clone();
    let mut host = seen["HostConfig"].clone();
    host["NetworkMode"] = network.into();
    let joined = seen["NetworkSettings"]["Networks"].as_object().and_then(|networks| networks.values().next());
    let aliases = joined.map_or(Value::Null, |endpoint| endpoint["Aliases"].clone());
    body["HostConfig"] = host;
    body["NetworkingConfig"] = json!({ "EndpointsConfig": { network: { "Aliases": aliases } } });
    body.to_string()
}

impl Mould {
    /// Makes one on a host; the containers' ids by node.
    pub(super) async fn cast(&self, sim: &SimHost, as_one: &Cast<'_>) -> anyhow::Result<Vec<(NodeName, String)>> {
        let (_, body) = &self.network;
        post(sim, "/networks/create", &self.text(body, as_one)).await?;
        let mut ids = Vec::new();
        for (node, name, body) in &self.containers {
            let path = format!("/containers/create?name={}", self.text(name, as_one));
            let made = post(sim, &path, &self.text(body, as_one)).await?;
            let made: Value = serde_json::from_str(&made)?;
            ids.push((node.clone(), made["Id"].as_str().context("an id")?.to_owned()));
        }
        for (_, id) in &ids {
            post(sim, &format!("/containers/{id}/start"), "").await?;
        }
        Ok(ids)
    }

    fn text(&self, text: &str, as_one: &Cast<'_>) -> String {
        text.replace(self.cluster.as_str(), as_one.cluster.as_str())
            .replace(self.host.as_str(), as_one.host.as_str())
            .replace(&self.project, as_one.project)
            .replace(&self.address, as_one.address)
    }
}

async fn post(sim: &SimHost, path: &str, body: &str) -> anyhow::Result<String> {
    let (status, text) = sim.call("POST", path, body).await;
    ensure!(status < 300, "{path}: {status} {text}");
    Ok(text)
}

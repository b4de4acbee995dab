//! What must hold when a pool has come to rest: its records and its engine say the same, nothing is left over, nothing is
//! there twice, and strangers are as they were.

use std::collections::{BTreeMap, BTreeSet};

use common::clock;
use common::model::{Cluster, EventKind, Health, NodeState, Phase};
use common::store::{EventFilter, Page};
use serde_json::Value;
use simdocker::SimHost;

use crate::stage::{Stage, ask};

const CLUSTER: &str = "org.poolmanager.cluster";

/// Everything on an engine, sorted by whose it is.
#[derive(Default)]
struct Belongings {
    /// Ids of a cluster's node containers, and their states.
    nodes: BTreeMap<String, BTreeMap<String, String>>,
    /// A cluster's networks.
    networks: BTreeMap<String, Vec<String>>,
    /// A cluster's named volumes.
    volumes: BTreeMap<String, Vec<String>>,
    /// Everything without a label of ours: kind, name, id.
    unlabelled: BTreeSet<(&'static str, String, String)>,
}

/// What was on an engine before the pool came.
#[derive(Default)]
pub struct Strangers(BTreeSet<(&'static str, String, String)>);

impl Strangers {
    /// Everything that is there now.
    pub async fn look(sim: &SimHost) -> anyhow::Result<Strangers> {
        Ok(Strangers(Belongings::look(sim).await?.unlabelled))
    }
}

impl Belongings {
    async fn look(sim: &SimHost) -> anyhow::Result<Belongings> {
        let mut found = Belongings::default();
        let cluster = |thing: &Value| thing["Labels"][CLUSTER].as_str().map(str::to_owned);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = async |path: &str| ask(sim, "GET", path, &Value::Null).await;
        for container in list("/containers/json?all=1").await?.as_array().into_iter().flatten() {
            let (id, state) = (text(&container["Id"]), text(&container["State"]));
            match cluster(container) {
                Some(cluster) => _ = found.nodes.entry(cluster).or_default().insert(id, state),
                None => _ = found.unlabelled.insert(("container", text(&container["Names"][0]), id)),
            }
        }
        for network in list("/networks").await?.as_array().into_iter().flatten() {
            let id = text(&network["Id"]);
            match cluster(network) {
                Some(cluster) => found.networks.entry(cluster).or_default().push(id),
                None => _ = found.unlabelled.insert(("network", text(&network["Name"]), id)),
            }
        }
        for volume in list("/volumes").await?["Volumes"].as_array().into_iter().flatten() {
            let name = text(&volume["Name"]);
            match cluster(volume) {
                Some(cluster) => found.volumes.entry(cluster).or_default().push(name),
                None => _ = found.unlabelled.insert(("volume", name.clone(), text(&volume["CreatedAt"]))),
            }
        }
        for image in list("/images/json").await?.as_array().into_iter().flatten() {
            for tag in image["RepoTags"].as_array().into_iter().flatten() {
                found.unlabelled.insert(("image", text(tag), text(&image["Id"])));
            }
        }
        Ok(found)
    }
}

/// What a story ends with.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// So many free ones.
    pub free: usize,
    /// Or none: what nobody makes again may have failed.
    pub or_none: bool,
    /// The subject is still leased, and has all of its containers, running; or has lost this many for ever.
    pub leased: Option<usize>,
    /// The host's record is gone.
    pub no_host: bool,
    /// The host was removed by force: should its engine have counted as away, what is there stays there.
    pub by_force: bool,
}

/// Records and engine agree, and are as wanted.
pub async fn at_rest(stage: &Stage, wanted: &Wanted) -> Result<(), String> {
    let host = stage.pool.store.host(&stage.pool.host).await.map_err(|error| error.to_string())?;
    if host.is_none() != wanted.no_host {
        return Err(format!("the host is there: {}", host.is_some()));
    }
    let clusters = stage.pool.clusters().await;
    let mut free = 0;
    for cluster in &clusters {
        match &cluster.phase {
            Phase::Free { .. } if !cluster.takeable(clock::now()) => return Err(format!("{}: no offer", cluster.name)),
            Phase::Free { .. } => free += 1,
            Phase::InUse { .. } => still_hers(stage, cluster, wanted.leased)?,
            other => return Err(format!("{} is {}", cluster.name, other.kind().as_str())),
        }
    }
    let leased = clusters.len() - free;
    let as_wanted = free == wanted.free || wanted.or_none && free == 0;
    if !as_wanted || leased != usize::from(wanted.leased.is_some()) {
        return Err(format!("{free} are free and {leased} leased"));
    }
    let slots: BTreeSet<_> = clusters.iter().map(|cluster| cluster.slot).collect();
    if slots.len() != clusters.len() {
        return Err(format!("a slot is taken twice: {slots:?}"));
    }
    if wanted.by_force && was_away(stage).await? {
        return Ok(());
    }
    let found = Belongings::look(&stage.sim).await.map_err(|error| error.to_string())?;
    same_on_engine(stage, &clusters, found, wanted.leased.unwrap_or(0))
}

async fn was_away(stage: &Stage) -> Result<bool, String> {
    let events = stage.pool.store.list_events(&EventFilter::default(), &Page::first(500)).await;
    Ok(events.map_err(|error| error.to_string())?.iter().any(|event| event.kind == EventKind::HostContact))
}

/// The leased one is the subject, as she got it.
fn still_hers(stage: &Stage, cluster: &Cluster, lost: Option<usize>) -> Result<(), String> {
    let before = stage.subject.as_ref().filter(|subject| subject.id == cluster.id).ok_or("another is leased")?;
    if before.lease() != cluster.lease() {
        return Err("the lease changed".into());
    }
    let containers = |c: &Cluster| c.nodes.values().map(|node| node.container.clone()).collect::<Vec<_>>();
    if containers(before) != containers(cluster) {
        return Err("her containers are not those that she got".into());
    }
    let gone = cluster.nodes.values().filter(|node| node.state == NodeState::Gone).count();
    let well = cluster.health == Health::Ok;
    if Some(gone) != lost
        || well != (gone == 0)
        || !cluster.nodes.values().all(|n| n.state.runs() || n.state == NodeState::Gone)
    {
        return Err(format!("{}: {:?}, {:?}", cluster.name, cluster.health, cluster.nodes));
    }
    Ok(())
}

fn same_on_engine(stage: &Stage, clusters: &[Cluster], found: Belongings, lost: usize) -> Result<(), String> {
    let ids: BTreeSet<&str> = clusters.iter().map(|cluster| cluster.id.as_str()).collect();
    let labelled = found.nodes.keys().chain(found.networks.keys()).chain(found.volumes.keys());
    if let Some(left) = labelled.into_iter().find(|id| !ids.contains(id.as_str())) {
        return Err(format!("{left} is on the engine and has no record"));
    }
    for cluster in clusters {
        let id = cluster.id.as_str();
        let of_record: BTreeSet<String> = cluster
            .nodes
            .values()
            .filter(|node| node.state != NodeState::Gone)
            .filter_map(|node| node.container.clone())
            .collect();
        let on_engine = found.nodes.get(id).cloned().unwrap_or_default();
        if of_record != on_engine.keys().cloned().collect() {
            return Err(format!("{}: the record has {of_record:?}, the engine {on_engine:?}", cluster.name));
        }
        if on_engine.values().any(|state| state != "running") {
            return Err(format!("{}: {on_engine:?}", cluster.name));
        }
        // Beside the ledger each second peer has an anonymous one.
        let (networks, volumes) =
            (found.networks.get(id).map_or(0, Vec::len), found.volumes.get(id).map_or(0, Vec::len));
        if (networks, volumes) != (1, 2 - lost) {
            return Err(format!("{} has {networks} networks and {volumes} volumes", cluster.name));
        }
    }
    let mut others: BTreeSet<_> = found.unlabelled;
    for stranger in &stage.strangers.0 {
        if !others.remove(stranger) {
            return Err(format!("the strangers' {stranger:?} is gone"));
        }
    }
    // What a peer starts itself has no label: each cluster has one chaincode container, with its image.
    for id in ids {
        for kind in ["container", "image"] {
            let is_its = |(of, name, _): &(&str, String, String)| {
                *of == kind && name.trim_start_matches('/').starts_with(&format!("{id}-"))
            };
            let its: Vec<_> = others.iter().filter(|thing| is_its(thing)).cloned().collect();
            if its.len() != 1 {
                return Err(format!("{id} has {} chaincode {kind}s", its.len()));
            }
            others.retain(|thing| !is_its(thing));
        }
    }
    match others.first() {
        Some((kind, name, _)) => Err(format!("{kind} {name} is left over")),
        None => Ok(()),
    }
}

/// No call that changes something was about a stranger.
pub fn strangers_were_left_alone(stage: &Stage) -> Result<(), String> {
    let about = |path: &str| {
        stage.strangers.0.iter().any(|(_, name, id)| {
            let is = |part: &str| part == id || part == name.trim_start_matches('/');
            !id.is_empty() && path.split('/').any(is)
        })
    };
    let calls = stage.sim.journal().calls();
    match calls.iter().find(|call| call.method != "GET" && call.method != "HEAD" && about(&call.path)) {
        Some(call) => Err(format!("a stranger was touched: {} {}", call.method, call.path)),
        None => Ok(()),
    }
}

/// Every cluster that is gone went once, with a reason, and every one that is there is known to have begun.
pub async fn every_removal_has_its_reason(stage: &Stage) -> Result<(), String> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map(|event: &common::model::Event| event.id.to_string());
        let page = Page { after, limit: 500 };
        let more = stage.pool.store.list_events(&EventFilter::default(), &page).await.map_err(|e| e.to_string())?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    let there: BTreeSet<_> = stage.pool.clusters().await.into_iter().map(|cluster| cluster.id).collect();
    let about = |kind: EventKind| {
        events
            .iter()
            .filter(move |event| event.kind == kind)
            .filter_map(|event| Some((event.cluster.clone()?.0, &event.reason)))
    };
    let begun: Vec<_> = about(EventKind::Creating).map(|(id, _)| id).collect();
    if begun.iter().collect::<BTreeSet<_>>().len() != begun.len() {
        return Err("a cluster began twice".into());
    }
    if let Some(id) = there.iter().find(|id| !begun.contains(id)) {
        return Err(format!("{id} is there and has no beginning"));
    }
    for id in begun {
        let reasons: Vec<_> =
            about(EventKind::Removed).filter(|(removed, _)| *removed == id).map(|(_, why)| why).collect();
        match (there.contains(&id), reasons.as_slice()) {
            (true, []) => {}
            (false, [reason]) if !reason.trim().is_empty() => {}
            (is_there, reasons) => return Err(format!("{id}: is there: {is_there}; removed because of {reasons:?}")),
        }
    }
    Ok(())
}

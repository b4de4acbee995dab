//! Whether the engine has what the store says, container by container. Plain functions.

use std::collections::BTreeMap;

use common::model::{Cluster, Health, NodeState, Phase, Timestamp};

use crate::on_engine::Found;

/// Every difference, in words.
pub fn differences(clusters: &[Cluster], found: &BTreeMap<String, Found>) -> Vec<String> {
    let mut all = Vec::new();
    for cluster in clusters {
        let Some(there) = found.get(cluster.id.as_str()) else {
            all.push(format!("{} ({}) has nothing on the engine", cluster.name, cluster.id));
            continue;
        };
        let mut containers: BTreeMap<&str, _> = there.containers.iter().map(|c| (c.node.as_str(), c)).collect();
        if containers.len() != there.containers.len() {
            all.push(format!("{}: a node has two containers: {there:?}", cluster.name));
        }
        for (name, node) in &cluster.nodes {
            let there = containers.remove(name.as_str());
            let state = there.map_or("none", |c| c.state.as_str());
            if there.map(|c| c.id.as_str()) != node.container.as_deref() || !same(node.state, state) {
                all.push(format!("{} {name}: recorded is {node:?}, on the engine {there:?}", cluster.name));
            }
        }
        all.extend(containers.values().map(|c| format!("{}: {c:?} is no node of it", cluster.name)));
        if there.networks.len() != 1 || !there.volumes.is_empty() {
            all.push(format!("{}: networks {:?}, volumes {:?}", cluster.name, there.networks, there.volumes));
        }
    }
    let strange = found.iter().filter(|(id, _)| !clusters.iter().any(|cluster| cluster.id.as_str() == **id));
    all.extend(strange.map(|(id, there)| format!("{id} is in no record: {there:?}")));
    all
}

fn same(recorded: NodeState, there: &str) -> bool {
    match recorded {
        NodeState::Running => there == "running",
        NodeState::Exited => there == "exited",
        NodeState::Paused => there == "paused",
        NodeState::Restarting => there == "restarting",
        NodeState::Created => there == "created",
        NodeState::Dead => there == "dead",
        NodeState::Missing | NodeState::Gone => there == "none",
    }
}

/// What is not at rest, in words: a pool at rest has as many clusters as its host may have, and each can be given out or
/// is well in somebody's hand.
pub fn unrest(clusters: &[Cluster], capacity: u16, now: Timestamp) -> Vec<String> {
    let mut all: Vec<String> = clusters
        .iter()
        .filter(|cluster| match &cluster.phase {
            Phase::Free { .. } => cluster.offer.as_ref().is_none_or(|offer| offer.until <= now),
            Phase::InUse { .. } => cluster.health != Health::Ok || !cluster.wishes_done(),
            _ => true,
        })
        .map(|cluster| format!("{} is {:?}, {:?}, {:?}", cluster.name, cluster.phase, cluster.health, cluster.nodes))
        .collect();
    let missing = usize::from(capacity).saturating_sub(clusters.len());
    all.extend((0..missing).map(|_| "a cluster is missing".to_owned()));
    all.extend((usize::from(capacity)..clusters.len()).map(|_| "a cluster is too many".to_owned()));
    all
}

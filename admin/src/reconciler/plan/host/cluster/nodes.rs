//! What a cluster's record and its engine say of its nodes, taken together. Plain functions, for [`super`].

use common::model::{Cluster, Health, Node, NodeName, NodeState, Want};

use crate::reconciler::memory::WANT_OF_MEMORY;
use crate::reconciler::view::{End, Found};

/// Nodes that should run and do not, in words.
pub fn not_running(cluster: &Cluster, found: Option<&Found>) -> Option<String> {
    let ill: Vec<String> = cluster
        .wishes
        .iter()
        .filter(|(_, wish)| wish.want == Want::Running)
        .filter_map(|(name, _)| {
            let state = state_of(cluster, found, name);
            (!state.runs()).then(|| said(found, name, state))
        })
        .collect();
    (!ill.is_empty()).then(|| ill.join(", "))
}

/// The same, only those that were recorded running: an end that nobody asked for.
pub fn broken(cluster: &Cluster, found: Option<&Found>) -> Option<String> {
    let ill: Vec<String> = cluster
        .wishes
        .iter()
        .filter(|(name, wish)| {
            wish.want == Want::Running && cluster.nodes.get(*name).is_some_and(|node| node.state == NodeState::Running)
        })
        .filter_map(|(name, _)| {
            let state = state_of(cluster, found, name);
            (!state.runs()).then(|| said(found, name, state))
        })
        .collect();
    (!ill.is_empty()).then(|| ill.join(", "))
}

pub fn state_of(cluster: &Cluster, found: Option<&Found>, name: &NodeName) -> NodeState {
    match found.and_then(|found| found.nodes.get(name)) {
        Some(node) => node.state,
        // It had a container once: its ledger went with it.
        None if cluster.nodes.get(name).is_some_and(|node| node.container.is_some()) => NodeState::Gone,
        None => NodeState::Missing,
    }
}

pub fn seen_nodes(cluster: &Cluster, found: Option<&Found>) -> Vec<(NodeName, Node)> {
    cluster
        .nodes
        .iter()
        .map(|(name, old)| {
            let container = found.and_then(|f| f.nodes.get(name)).map(|n| n.container.clone());
            let node = Node {
                container: container.or_else(|| old.container.clone()),
                state: state_of(cluster, found, name),
                restarted_seq: old.restarted_seq,
            };
            (name.clone(), node)
        })
        .collect()
}

pub fn changed_nodes(cluster: &Cluster, found: Option<&Found>) -> Vec<(NodeName, Node)> {
    seen_nodes(cluster, found).into_iter().filter(|(name, node)| cluster.nodes.get(name) != Some(node)).collect()
}

pub fn same_health(a: &Health, b: &Health) -> bool {
    match (a, b) {
        (Health::Failing { seen: a, .. }, Health::Failing { seen: b, .. }) => a == b,
        (Health::Ok, Health::Ok) | (Health::Unknown, Health::Unknown) => true,
        (Health::Failing { .. } | Health::Ok | Health::Unknown, _) => false,
    }
}

/// Nodes that run and whose own check says that they are not well, in words.
pub fn unhealthy(cluster: &Cluster, found: Option<&Found>) -> Option<String> {
    let wanted = |name: &NodeName| cluster.wishes.get(name).is_some_and(|wish| wish.want == Want::Running);
    let ill: Vec<&str> = found
        .iter()
        .flat_map(|found| &found.nodes)
        .filter(|(name, node)| node.unhealthy && node.state.runs() && wanted(name))
        .map(|(name, _)| name.as_str())
        .collect();
    (!ill.is_empty()).then(|| format!("{}: the container's own check fails", ill.join(", ")))
}

/// What a node that does not run does instead, and how it ended.
fn said(found: Option<&Found>, name: &NodeName, state: NodeState) -> String {
    let end = found.and_then(|found| found.nodes.get(name)).and_then(|node| node.ended);
    let how = match end {
        Some(End { oom: true, .. }) => format!(" ({WANT_OF_MEMORY})"),
        Some(End { code: Some(code), .. }) => format!(" (it ended with code {code})"),
        Some(End { code: None, .. }) | None => String::new(),
    };
    format!("{name} is {}{how}", word(state))
}

pub fn word(state: NodeState) -> &'static str {
    match state {
        NodeState::Missing => "not made yet",
        NodeState::Created => "not started",
        NodeState::Running => "running",
        NodeState::Paused => "paused",
        NodeState::Restarting => "restarting",
        NodeState::Exited => "not running",
        NodeState::Dead => "dead",
        NodeState::Gone => "gone",
    }
}

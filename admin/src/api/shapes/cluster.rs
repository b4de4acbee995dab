//! A cluster in JSON.

use std::collections::BTreeMap;

use common::model::{Cluster, Health, Lease, Metadata, NodeState, Phase, PhaseKind, Timestamp, Want};
use schemars::JsonSchema;
use serde::Serialize;

use crate::operations::restarts;

/// A cluster.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cluster")]
pub struct ClusterShape {
    id: String,
    /// Counts every change of the record but proofs.
    version: u64,
    /// Of its host and slot, as both were when it was made.
    name: String,
    host_id: String,
    host_name: String,
    /// Its place on the host: ports, subnet and name follow from it.
    slot: u16,
    flavor: String,
    /// How many nodes a user would count.
    size: u32,
    created_at: String,
    /// The operator who wanted this very one; null: it was made because the pool was short.
    asked_by: Option<String>,
    #[schemars(extend("enum" = phases()))]
    phase: &'static str,
    /// When it came into its phase.
    since: String,
    /// When the phase must be over.
    deadline: Option<String>,
    /// Why it is in its phase.
    why: Option<String>,
    /// Of a cluster that a user holds, or held until it is gone.
    lease: Option<LeaseShape>,
    #[schemars(extend("enum" = ["ok", "failing", "unknown"]))]
    health: &'static str,
    health_since: Option<String>,
    /// What is wrong.
    health_seen: Option<String>,
    /// When a probe last proved it well.
    proven_at: Option<String>,
    /// Whether it may be given out now.
    offered: bool,
    /// How many restarts were ever asked of its nodes; a restart that carries this number is done once.
    restarts: u64,
    nodes: Vec<NodeShape>,
    /// By the template's names: `rest`, `grpc`, ...
    endpoints: BTreeMap<String, EndpointShape>,
}

/// A user's hold.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Lease")]
pub struct LeaseShape {
    id: String,
    user: String,
    applied_at: String,
    metadata: Metadata,
}

/// A node of a cluster.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Node")]
struct NodeShape {
    name: String,
    #[schemars(extend("enum" = STATES))]
    state: &'static str,
    #[schemars(extend("enum" = ["running", "stopped"]))]
    want: &'static str,
    /// How many were asked of it.
    restarts: u32,
    /// The engine's id.
    container: Option<String>,
}

/// Where something of a cluster answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
struct EndpointShape {
    /// Which node answers.
    node: String,
    url: String,
    address: String,
    port: u16,
}

/// A cluster, whole.
pub fn cluster(cluster: &Cluster) -> ClusterShape {
    let (since, deadline, why) = life(cluster);
    let (health, health_since, health_seen) = match &cluster.health {
        Health::Ok => ("ok", None, None),
        Health::Failing { since, seen, .. } => ("failing", Some(since.to_string()), Some(seen.clone())),
        Health::Unknown => ("unknown", None, None),
    };
    let nodes = cluster.wishes.iter().map(|(name, wish)| {
        let node = cluster.nodes.get(name);
        NodeShape {
            name: name.to_string(),
            state: node.map_or("missing", |node| state(node.state)),
            want: want(wish.want),
            restarts: wish.restart_seq,
            container: node.and_then(|node| node.container.clone()),
        }
    });
    let endpoints = cluster.endpoints.iter().map(|(name, endpoint)| {
        let shape = EndpointShape {
            node: endpoint.node.to_string(),
            url: format!("{}://{}", endpoint.scheme, endpoint.authority()),
            address: endpoint.address.clone(),
            port: endpoint.port,
        };
        (name.clone(), shape)
    });
    ClusterShape {
        id: cluster.id.to_string(),
        version: cluster.version,
        name: cluster.name.to_string(),
        host_id: cluster.host.to_string(),
        host_name: cluster.host_name.to_string(),
        slot: cluster.slot.0,
        flavor: cluster.flavor.to_string(),
        size: cluster.size,
        created_at: cluster.created_at.to_string(),
        asked_by: cluster.asked_by.clone(),
        phase: cluster.phase.kind().as_str(),
        since: since.to_string(),
        deadline: deadline.map(|at| at.to_string()),
        why,
        lease: cluster.lease().map(lease),
        health,
        health_since,
        health_seen,
        proven_at: cluster.proven_at.map(|at| at.to_string()),
        offered: cluster.offer.is_some(),
        restarts: restarts(cluster),
        nodes: nodes.collect(),
        endpoints: endpoints.collect(),
    }
}

/// Since when a cluster is what it is, by when that must end, and why it is so.
pub fn life(cluster: &Cluster) -> (Timestamp, Option<Timestamp>, Option<String>) {
    match &cluster.phase {
        Phase::Creating { since, deadline } => (*since, Some(*deadline), None),
        Phase::Free { since } => (*since, None, None),
        Phase::InUse { lease } => (lease.applied_at, None, None),
        Phase::Releasing { since, by, deadline, .. } => (*since, Some(*deadline), Some(format!("released by {by}"))),
        Phase::Removing { why, since, deadline } => (*since, Some(*deadline), Some(why.to_string())),
        Phase::Failed { why, since } => (*since, None, Some(why.to_string())),
        Phase::Lost { reason, since, .. } => (*since, None, Some(reason.clone())),
    }
}

/// A user's hold.
pub fn lease(lease: &Lease) -> LeaseShape {
    LeaseShape {
        id: lease.id.to_string(),
        user: lease.user.to_string(),
        applied_at: lease.applied_at.to_string(),
        metadata: lease.metadata.clone(),
    }
}

/// The words for phases.
pub(crate) fn phases() -> Vec<&'static str> {
    PhaseKind::ALL.into_iter().map(PhaseKind::as_str).collect()
}

/// The words for a node's state.
pub(super) const STATES: [&str; 8] =
    ["missing", "created", "running", "paused", "restarting", "exited", "dead", "gone"];

/// The engine's word for a node.
pub(super) fn state(state: NodeState) -> &'static str {
    match state {
        NodeState::Missing => "missing",
        NodeState::Created => "created",
        NodeState::Running => "running",
        NodeState::Paused => "paused",
        NodeState::Restarting => "restarting",
        NodeState::Exited => "exited",
        NodeState::Dead => "dead",
        NodeState::Gone => "gone",
    }
}

/// The word for what is wanted of a node.
pub fn want(want: Want) -> &'static str {
    match want {
        Want::Running => "running",
        Want::Stopped => "stopped",
    }
}

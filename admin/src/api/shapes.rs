//! What hosts, clusters, records and events look like in JSON. Texts and numbers only; times in RFC 3339, UTC.

use std::collections::BTreeMap;

use common::model::{
    Actor, Cluster, Ended, Event, Flavor, Health, HostKind, HostPurpose, HostState, LeaseRecord, LogTarget, Metadata,
    NodeState, Phase, Timestamp, Want,
};
use serde::Serialize;

use crate::operations::{HostRow, restarts};

/// A host.
#[derive(Serialize)]
pub struct HostShape {
    id: String,
    version: u64,
    name: String,
    daemon_url: String,
    address: String,
    bind_address: String,
    capacity: u16,
    log_level: &'static str,
    log_type: &'static str,
    log_server: Option<String>,
    schedulable: bool,
    autofill: bool,
    chaincode_endpoint: Option<String>,
    kind: &'static str,
    engine_id: String,
    engine_version: String,
    cpus: u32,
    memory: u64,
    state: &'static str,
    state_since: String,
    state_reason: Option<String>,
    last_answer: String,
    leaving: bool,
    created_at: String,
    clusters: BTreeMap<&'static str, u64>,
    outlook: Vec<String>,
}

/// A host, what is on it, and what the reconciler makes of it.
pub fn host(row: &HostRow, outlook: Vec<String>) -> HostShape {
    let host = &row.host;
    let settings = &host.settings;
    let (log_type, log_server) = match &settings.log_target {
        LogTarget::Local => ("local", None),
        LogTarget::Syslog { server } => ("syslog", Some(server.clone())),
    };
    let (state, since, reason) = match &host.contact.state {
        HostState::Active { since } => ("active", since, None),
        HostState::Inactive { since, why } => ("inactive", since, Some(why.clone())),
    };
    HostShape {
        id: host.id.to_string(),
        version: host.version,
        name: settings.name.to_string(),
        daemon_url: settings.daemon_url.to_string(),
        address: settings.address.clone(),
        bind_address: settings.bind_address.to_string(),
        capacity: settings.capacity,
        log_level: settings.log_level.as_str(),
        log_type,
        log_server,
        schedulable: settings.schedulable,
        autofill: settings.autofill,
        chaincode_endpoint: settings.chaincode_endpoint.clone(),
        kind: kind(host.kind),
        engine_id: host.engine_id.clone(),
        engine_version: host.contact.engine_version.clone(),
        cpus: host.contact.cpus,
        memory: host.contact.memory,
        state,
        state_since: since.to_string(),
        state_reason: reason,
        last_answer: host.contact.last_answer.to_string(),
        leaving: matches!(host.purpose, HostPurpose::Leave { .. }),
        created_at: host.created_at.to_string(),
        clusters: row.phases.iter().map(|(phase, n)| (phase.as_str(), *n)).collect(),
        outlook,
    }
}

/// `single` or `swarm`.
pub fn kind(kind: HostKind) -> &'static str {
    match kind {
        HostKind::Single => "single",
        HostKind::Swarm => "swarm",
    }
}

/// A cluster.
#[derive(Serialize)]
pub struct ClusterShape {
    id: String,
    version: u64,
    name: String,
    host_id: String,
    host_name: String,
    slot: u16,
    flavor: String,
    size: u32,
    created_at: String,
    phase: &'static str,
    since: String,
    deadline: Option<String>,
    why: Option<String>,
    lease: Option<LeaseShape>,
    health: &'static str,
    health_since: Option<String>,
    health_seen: Option<String>,
    proven_at: Option<String>,
    offered: bool,
    restarts: u64,
    nodes: Vec<NodeShape>,
    endpoints: BTreeMap<String, EndpointShape>,
}

/// A user's hold.
#[derive(Serialize)]
pub struct LeaseShape {
    id: String,
    user: String,
    applied_at: String,
    metadata: Metadata,
}

#[derive(Serialize)]
struct NodeShape {
    name: String,
    state: &'static str,
    want: &'static str,
    restarts: u32,
    container: Option<String>,
}

#[derive(Serialize)]
struct EndpointShape {
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

fn lease(lease: &common::model::Lease) -> LeaseShape {
    LeaseShape {
        id: lease.id.to_string(),
        user: lease.user.to_string(),
        applied_at: lease.applied_at.to_string(),
        metadata: lease.metadata.clone(),
    }
}

/// The engine's word for a node.
pub fn state(state: NodeState) -> &'static str {
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

/// The record of an ended lease.
#[derive(Serialize)]
pub struct RecordShape {
    #[serde(flatten)]
    lease: LeaseShape,
    cluster_id: String,
    cluster_name: String,
    host_id: String,
    host_name: String,
    flavor: String,
    size: u32,
    ended_at: String,
    ended: &'static str,
    by: Option<String>,
    reason: Option<String>,
    /// Seconds.
    duration_s: u64,
}

/// The record of an ended lease.
pub fn record(record: &LeaseRecord) -> RecordShape {
    let (ended, by, reason) = match &record.ended {
        Ended::Released { by, .. } => ("released", Some(by.clone()), None),
        Ended::Lost { reason, .. } => ("lost", None, Some(reason.clone())),
    };
    RecordShape {
        lease: lease(&record.lease),
        cluster_id: record.cluster.to_string(),
        cluster_name: record.cluster_name.to_string(),
        host_id: record.host.to_string(),
        host_name: record.host_name.to_string(),
        flavor: record.flavor.to_string(),
        size: record.size,
        ended_at: record.ended.at().to_string(),
        ended,
        by,
        reason,
        duration_s: record.ended.at().since(record.lease.applied_at).as_secs(),
    }
}

/// An event.
#[derive(Serialize)]
pub struct EventShape {
    id: String,
    at: String,
    kind: common::model::EventKind,
    actor: &'static str,
    actor_name: Option<String>,
    reason: String,
    host_id: Option<String>,
    cluster_id: Option<String>,
    cluster_name: Option<String>,
    lease_id: Option<String>,
    user: Option<String>,
}

/// An event.
pub fn event(event: &Event) -> EventShape {
    let (actor, actor_name) = match &event.actor {
        Actor::User { id } => ("user", Some(id.to_string())),
        Actor::Operator { name } => ("operator", Some(name.clone())),
        Actor::Reconciler => ("reconciler", None),
    };
    EventShape {
        id: event.id.to_string(),
        at: event.at.to_string(),
        kind: event.kind,
        actor,
        actor_name,
        reason: event.reason.clone(),
        host_id: event.host.as_ref().map(ToString::to_string),
        cluster_id: event.cluster.as_ref().map(|(id, _)| id.to_string()),
        cluster_name: event.cluster.as_ref().map(|(_, name)| name.clone()),
        lease_id: event.lease.as_ref().map(ToString::to_string),
        user: event.user.as_ref().map(ToString::to_string),
    }
}

/// A flavor.
#[derive(Serialize)]
pub struct FlavorShape {
    id: String,
    template: String,
    title: String,
    size: u32,
    parameters: BTreeMap<String, String>,
}

/// A flavor.
pub fn flavor(flavor: &Flavor) -> FlavorShape {
    FlavorShape {
        id: flavor.id.to_string(),
        template: flavor.template.to_string(),
        title: flavor.title.clone(),
        size: flavor.size,
        parameters: flavor.params.clone(),
    }
}

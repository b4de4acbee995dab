//! What was kept of a failed cluster, in JSON.

use common::model::{Evidence, Failure, NodeEvidence, Timing, Why};
use serde::Serialize;

use super::cluster::state;

/// That a cluster failed.
#[derive(Serialize)]
pub struct FailureShape {
    cluster_id: String,
    cluster_name: String,
    host_id: String,
    host_name: String,
    flavor: String,
    #[serde(flatten)]
    kind: Why,
    reason: String,
    created_at: String,
    failed_at: String,
}

/// That, and all that was kept of it.
#[derive(Serialize)]
pub struct EvidenceShape {
    #[serde(flatten)]
    failure: FailureShape,
    timings: Vec<TimingShape>,
    plan: String,
    nodes: Vec<NodeShape>,
    missing: Vec<String>,
}

#[derive(Serialize)]
struct TimingShape {
    what: String,
    at: String,
    took_ms: u64,
}

#[derive(Serialize)]
struct NodeShape {
    node: Option<String>,
    container: String,
    state: &'static str,
    exit_code: Option<i64>,
    oom_killed: bool,
    restarts: u32,
    log: Vec<String>,
    inspect: String,
}

/// That a cluster failed.
pub fn failure(failure: &Failure) -> FailureShape {
    FailureShape {
        cluster_id: failure.cluster.to_string(),
        cluster_name: failure.name.to_string(),
        host_id: failure.host.to_string(),
        host_name: failure.host_name.to_string(),
        flavor: failure.flavor.to_string(),
        kind: failure.why.clone(),
        reason: failure.why.to_string(),
        created_at: failure.created_at.to_string(),
        failed_at: failure.failed_at.to_string(),
    }
}

/// All that was kept.
pub fn evidence(evidence: &Evidence) -> EvidenceShape {
    EvidenceShape {
        failure: failure(&evidence.failure()),
        timings: evidence.timings.iter().map(timing).collect(),
        plan: evidence.plan.clone(),
        nodes: evidence.nodes.iter().map(node).collect(),
        missing: evidence.missing.clone(),
    }
}

fn timing(timing: &Timing) -> TimingShape {
    TimingShape { what: timing.what.clone(), at: timing.at.to_string(), took_ms: timing.took_ms }
}

fn node(node: &NodeEvidence) -> NodeShape {
    NodeShape {
        node: node.node.as_ref().map(ToString::to_string),
        container: node.container.clone(),
        state: state(node.state),
        exit_code: node.exit_code,
        oom_killed: node.oom_killed,
        restarts: node.restarts,
        log: node.log.clone(),
        inspect: node.inspect.clone(),
    }
}

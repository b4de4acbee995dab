//! What was kept of a failed cluster, in JSON.

use common::model::{Evidence, Failure, NodeEvidence, Timing, Why};
use schemars::JsonSchema;
use serde::Serialize;

use super::cluster::{STATES, state};

/// That a cluster failed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub struct FailureShape {
    cluster_id: String,
    cluster_name: String,
    host_id: String,
    host_name: String,
    flavor: String,
    #[schemars(extend("enum" = WHYS))]
    why: String,
    /// The same in a sentence, with what it says of this one.
    reason: String,
    created_at: String,
    failed_at: String,
}

/// That, and all that was kept of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
pub struct EvidenceShape {
    #[serde(flatten)]
    failure: FailureShape,
    timings: Vec<TimingShape>,
    /// What was to be made, without values of variables.
    plan: String,
    nodes: Vec<NodeShape>,
    /// What could not be had.
    missing: Vec<String>,
}

/// Something that was done, and how long it took.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Timing")]
struct TimingShape {
    what: String,
    at: String,
    took_ms: u64,
}

/// What could be learnt of one container.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NodeEvidence")]
struct NodeShape {
    node: Option<String>,
    container: String,
    #[schemars(extend("enum" = STATES))]
    state: &'static str,
    exit_code: Option<i64>,
    oom_killed: bool,
    restarts: u32,
    /// Its last lines.
    log: Vec<String>,
    /// What the engine says of it, as JSON.
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
        why: word(&failure.why),
        reason: failure.why.to_string(),
        created_at: failure.created_at.to_string(),
        failed_at: failure.failed_at.to_string(),
    }
}

/// The words for why a cluster is removed or failed.
const WHYS: [&str; 9] = [
    "deleted",
    "pool_shrunk",
    "host_leaves",
    "host_cleared",
    "gave_way",
    "flavor_changed",
    "create_timed_out",
    "create_failed",
    "unhealthy",
];

fn word(why: &Why) -> String {
    match why {
        Why::Deleted { .. } => "deleted",
        Why::PoolShrunk => "pool_shrunk",
        Why::HostLeaves => "host_leaves",
        Why::HostCleared { .. } => "host_cleared",
        Why::GaveWay { .. } => "gave_way",
        Why::FlavorChanged => "flavor_changed",
        Why::CreateTimedOut { .. } => "create_timed_out",
        Why::CreateFailed { .. } => "create_failed",
        Why::Unhealthy { .. } => "unhealthy",
    }
    .to_owned()
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

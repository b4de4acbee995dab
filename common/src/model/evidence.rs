//! What is kept of a cluster that failed, after everything else of it is removed.

use serde::{Deserialize, Serialize};

use super::{ClusterId, ClusterName, FlavorId, HostId, HostName, NodeName, NodeState, Timestamp, Why};

/// Why a cluster failed, as far as it could be gathered before its removal. Bounded by the constants of this module; never
/// holds a value of an environment variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of which cluster; there is one bundle a cluster.
    pub cluster: ClusterId,
    /// Its name.
    pub name: ClusterName,
    /// Where it was.
    pub host: HostId,
    /// That host's name.
    pub host_name: HostName,
    /// What it was to be.
    pub flavor: FlavorId,
    /// Why it failed.
    pub why: Why,
    /// When its making began.
    pub created_at: Timestamp,
    /// When it failed.
    pub failed_at: Timestamp,
    /// What was done with it and how long each took, oldest first, at most [`MAX_TIMINGS`].
    pub timings: Vec<Timing>,
    /// What was to be made: image, command, ports and limits of each service, as JSON of at most [`MAX_TEXT`] bytes.
    pub plan: String,
    /// What was found of its nodes, at most [`MAX_NODES`].
    pub nodes: Vec<NodeEvidence>,
    /// What could not be gathered, and why.
    pub missing: Vec<String>,
}

/// That a cluster failed and why: its evidence without what was gathered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which cluster.
    pub cluster: ClusterId,
    /// Its name.
    pub name: ClusterName,
    /// Where it was.
    pub host: HostId,
    /// That host's name.
    pub host_name: HostName,
    /// What it was to be.
    pub flavor: FlavorId,
    /// Why it failed.
    pub why: Why,
    /// When its making began.
    pub created_at: Timestamp,
    /// When it failed.
    pub failed_at: Timestamp,
}

impl Evidence {
    /// That it failed and why, alone.
    pub fn failure(&self) -> Failure {
        Failure {
            cluster: self.cluster.clone(),
            name: self.name.clone(),
            host: self.host.clone(),
            host_name: self.host_name.clone(),
            flavor: self.flavor.clone(),
            why: self.why.clone(),
            created_at: self.created_at,
            failed_at: self.failed_at,
        }
    }
}

/// One thing that was done with a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// What, in a few words.
    pub what: String,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What was found of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEvidence {
    /// Which; `None` for what a node started itself.
    pub node: Option<NodeName>,
    /// The container's name.
    pub container: String,
    /// What the engine said of it.
    pub state: NodeState,
    /// How its last run ended, while it does not run.
    pub exit_code: Option<i64>,
    /// Whether it ended for want of memory.
    pub oom_killed: bool,
    /// How often the engine brought it back.
    pub restarts: u32,
    /// Its last log lines, at most [`MAX_LOG_LINES`] of at most [`MAX_LINE`] bytes.
    pub log: Vec<String>,
    /// What the engine says of it, as JSON of at most [`MAX_TEXT`] bytes; of environment variables the names only.
    pub inspect: String,
}

/// Timings kept.
pub const MAX_TIMINGS: usize = 50;
/// Nodes kept.
pub const MAX_NODES: usize = 16;
/// Log lines kept of a node.
pub const MAX_LOG_LINES: usize = 50;
/// Bytes kept of a log line.
pub const MAX_LINE: usize = 500;
/// Bytes kept of a plan or of what an engine says of a container.
pub const MAX_TEXT: usize = 8 * 1024;

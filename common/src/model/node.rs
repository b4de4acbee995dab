//! One service container of a cluster: what is wanted of it, what was seen of it, where it answers.

use serde::{Deserialize, Serialize};

use super::NodeName;

/// What is wanted of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeWish {
    /// Running or stopped.
    pub want: Want,
    /// Counts the restarts that were asked for.
    pub restart_seq: u32,
}

/// Running or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// It should run.
    Running,
    /// Somebody stopped it on purpose; it is not ill.
    Stopped,
}

/// What was last seen of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The engine's id of its container, once made.
    pub container: Option<String>,
    /// What the engine says of it.
    pub state: NodeState,
    /// The last [`NodeWish::restart_seq`] that was carried out.
    pub restarted_seq: u32,
}

/// What the engine says of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Not made yet.
    Missing,
    /// Made, not started.
    Created,
    /// It runs.
    Running,
    /// Frozen: connects and answers nothing.
    Paused,
    /// The engine is bringing it back after a crash.
    Restarting,
    /// It ended or was stopped.
    Exited,
    /// The engine could not remove it.
    Dead,
    /// Its container was there and is not any more; its ledger went with it.
    Gone,
}

/// Where a service of a cluster answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The node behind it.
    pub node: NodeName,
    /// `http`, `grpc` or `tcp`.
    pub scheme: String,
    /// How users reach the host.
    pub address: String,
    /// The published port.
    pub port: u16,
}

impl Endpoint {
    /// `address:port`, with brackets around an IPv6 address.
    pub fn authority(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

impl NodeState {
    /// Whether a probe can expect an answer from it.
    pub fn runs(self) -> bool {
        self == NodeState::Running
    }
}

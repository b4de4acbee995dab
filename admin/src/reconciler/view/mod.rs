//! What is: the one value that a host's plan is made from, and nothing else.

pub mod ends;
pub mod observe;

use std::collections::BTreeMap;

use common::model::{Cluster, ClusterId, Host, NodeName, NodeState, Slot};

use super::memory::Memory;

/// Everything that a host's plan depends on.
#[derive(Clone, Debug)]
pub struct HostView {
    /// The host's record.
    pub host: Host,
    /// Every cluster that has a record here, by slot.
    pub clusters: Vec<Cluster>,
    /// What its engine showed. Looked at before the records were read, so that what is found without a record has none.
    pub engine: EngineView,
    /// What this process remembers of its own work here.
    pub memory: Memory,
}

/// What the engine showed.
#[derive(Clone, Debug)]
pub enum EngineView {
    /// It does not answer.
    Away {
        /// In the words of the failed call.
        why: String,
    },
    /// It answered.
    Seen(Seen),
}

/// One full look at an engine.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What is there of each cluster of this pool.
    pub found: BTreeMap<ClusterId, Found>,
    /// Slots in whose way something foreign stands, and what.
    pub blocked: BTreeMap<Slot, String>,
}

/// What is there of one cluster: containers, or only a network or volume.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its nodes.
    pub nodes: BTreeMap<NodeName, FoundNode>,
}

/// One node's container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNode {
    /// The engine's id.
    pub container: String,
    /// What it does.
    pub state: NodeState,
    /// How its last run ended, while it does not run.
    pub ended: Option<End>,
    /// Its own check says that it is not well.
    pub unhealthy: bool,
}

/// How a node's run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// With this code, if the engine said.
    pub code: Option<i64>,
    /// For want of memory, as far as is known.
    pub oom: bool,
}

//! What a plan says: the steps to take now with their reasons, what is held back and why, and when to look again.

use std::fmt;

use common::model::{ClusterId, ClusterName, FlavorId, Health, Node, NodeName, Slot, Timestamp, Why};
use common::store::Proof;

/// What to do on one host now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What to do, all at once.
    pub steps: Vec<Step>,
    /// What is wanted and not done now.
    pub held: Vec<Held>,
    /// When the answer may be another even if nothing happens.
    pub wake_at: Option<Timestamp>,
}

/// One thing to do, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub action: Action,
    /// The cluster's name, for people.
    pub name: Option<ClusterName>,
    /// Why, for people and for the event.
    pub why: String,
}

/// One thing that is not done now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What is wanted.
    pub what: String,
    /// Why it waits.
    pub why: String,
}

/// One action. Carries everything it needs but the records themselves.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write down the intent to make a cluster.
    Begin {
        /// Where.
        slot: Slot,
        /// What.
        flavor: FlavorId,
    },
    /// Make what is missing of it on the engine.
    BringUp {
        /// Of which.
        cluster: ClusterId,
    },
    /// Probe it.
    Look {
        /// Which.
        cluster: ClusterId,
    },
    /// It was proven well: it becomes Free.
    OfferOut {
        /// Which.
        cluster: ClusterId,
        /// Its nodes as seen.
        nodes: Vec<(NodeName, Node)>,
        /// When it was proven well.
        proven: Timestamp,
        /// How long it may be given out.
        until: Timestamp,
    },
    /// A Free one without an offer was proven again.
    OfferAgain {
        /// Which.
        cluster: ClusterId,
        /// When it was proven well.
        proven: Timestamp,
        /// How long it may be given out.
        until: Timestamp,
    },
    /// It must not be given out now.
    Withdraw {
        /// Which.
        cluster: ClusterId,
    },
    /// Write down what was seen.
    Record {
        /// Of which.
        cluster: ClusterId,
        /// Nodes that changed.
        nodes: Vec<(NodeName, Node)>,
        /// Its health now.
        health: Health,
    },
    /// Carry out wishes, or bring dead nodes back.
    ChangeNodes {
        /// Of which.
        cluster: ClusterId,
        /// What to do to which nodes, all at once.
        changes: Vec<NodeStep>,
    },
    /// Tell users another address.
    Readdress {
        /// Of which.
        cluster: ClusterId,
        /// The host's address now.
        address: String,
    },
    /// Give it up.
    Fail {
        /// Which.
        cluster: ClusterId,
        /// Why.
        why: Why,
    },
    /// Decide its removal.
    Remove {
        /// Which.
        cluster: ClusterId,
        /// Why.
        why: Why,
    },
    /// Take it off the engine, then drop its record.
    TakeDown {
        /// Which.
        cluster: ClusterId,
    },
    /// Take something of ours off the engine that has no record.
    Sweep {
        /// The cluster id on its labels.
        cluster: ClusterId,
    },
    /// Write down proofs, in one batch.
    Prove {
        /// Of which, when, and how long their offers hold.
        proofs: Vec<Proof>,
    },
    /// The host is on its way out and has nothing left: drop its record.
    DeleteHost,
}

/// A change of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStep {
    /// Which node.
    pub node: NodeName,
    /// Its container.
    pub container: String,
    /// What to do.
    pub change: NodeChange,
    /// The wish's restart count, which is then carried out.
    pub restart_seq: u32,
}

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeChange {
    /// Start its container.
    Start,
    /// Stop its container.
    Stop,
    /// Stop and start it.
    Restart,
}

impl NodeChange {
    fn verb(self) -> &'static str {
        match self {
            NodeChange::Start => "start",
            NodeChange::Stop => "stop",
            NodeChange::Restart => "restart",
        }
    }
}

impl Action {
    /// Whether it is a write to the store and nothing else.
    pub fn only_writes(&self) -> bool {
        match self {
            Action::Begin { .. }
            | Action::OfferOut { .. }
            | Action::OfferAgain { .. }
            | Action::Withdraw { .. }
            | Action::Record { .. }
            | Action::Readdress { .. }
            | Action::Fail { .. }
            | Action::Remove { .. }
            | Action::Prove { .. }
            | Action::DeleteHost => true,
            Action::BringUp { .. }
            | Action::Look { .. }
            | Action::ChangeNodes { .. }
            | Action::TakeDown { .. }
            | Action::Sweep { .. } => false,
        }
    }

    /// The cluster that it is about, if it has a record already.
    pub fn cluster(&self) -> Option<&ClusterId> {
        match self {
            Action::BringUp { cluster }
            | Action::Look { cluster }
            | Action::OfferOut { cluster, .. }
            | Action::OfferAgain { cluster, .. }
            | Action::Withdraw { cluster }
            | Action::Record { cluster, .. }
            | Action::ChangeNodes { cluster, .. }
            | Action::Readdress { cluster, .. }
            | Action::Fail { cluster, .. }
            | Action::Remove { cluster, .. }
            | Action::TakeDown { cluster }
            | Action::Sweep { cluster } => Some(cluster),
            Action::Begin { .. } | Action::Prove { .. } | Action::DeleteHost => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map_or("a cluster without a record", ClusterName::as_str);
        match &self.action {
            Action::Begin { slot, flavor } => write!(f, "create {flavor} in slot {slot}")?,
            Action::BringUp { .. } => write!(f, "bring up {name}")?,
            Action::Look { .. } => write!(f, "probe {name}")?,
            Action::OfferOut { .. } => write!(f, "free {name}")?,
            Action::OfferAgain { .. } => write!(f, "offer {name} again")?,
            Action::Withdraw { .. } => write!(f, "withdraw {name}")?,
            Action::Record { .. } => write!(f, "record {name}")?,
            Action::ChangeNodes { changes, .. } => {
                let words: Vec<String> = changes.iter().map(|c| format!("{} {}", c.change.verb(), c.node)).collect();
                write!(f, "{} of {name}", words.join(", "))?;
            }
            Action::Readdress { address, .. } => write!(f, "tell {address} as the address of {name}")?,
            Action::Fail { .. } => write!(f, "fail {name}")?,
            Action::Remove { .. } => write!(f, "remove {name}")?,
            Action::TakeDown { .. } => write!(f, "take down {name}")?,
            Action::Sweep { .. } => write!(f, "sweep {name}")?,
            Action::Prove { proofs } => write!(f, "prove {}", proofs.len())?,
            Action::DeleteHost => f.write_str("delete the host's record")?,
        }
        write!(f, " ({})", self.why)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held back: {}: {}", self.what, self.why)
    }
}

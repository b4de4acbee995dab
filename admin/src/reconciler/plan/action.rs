//! One action of a plan, with everything that its carrying out needs but the records themselves.

use common::model::{ClusterId, FlavorId, ForeignThing, Health, Node, NodeName, Slot, Timestamp, Timing, Why};
use common::store::Proof;

use super::Work;

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
    /// Take it out of service and ask it to commit a transaction.
    DeepLook {
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
    /// Keep what can be learnt of its failure, then decide its removal.
    Gather {
        /// Which.
        cluster: ClusterId,
        /// Why it failed.
        why: Why,
        /// What is remembered of the work on it.
        timings: Vec<Timing>,
    },
    /// End its lease, because its host is removed by force.
    Lose {
        /// Which.
        cluster: ClusterId,
        /// Why, for its user.
        reason: String,
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
    /// Drop its record and leave what is on the engine: the host is removed by force and does not do what it is asked.
    DropRecord {
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
    /// What operators wanted of the host is done: remove the foreign things that they confirmed, if any, and let it serve.
    EndPurpose {
        /// What is to be removed besides.
        foreign: Vec<ForeignThing>,
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
    /// The word for people.
    pub fn verb(self) -> &'static str {
        match self {
            NodeChange::Start => "start",
            NodeChange::Stop => "stop",
            NodeChange::Restart => "restart",
        }
    }
}

impl Action {
    /// What kind of work it is.
    pub fn work(&self) -> Work {
        match self {
            Action::BringUp { .. } => Work::BringUp,
            Action::TakeDown { .. } | Action::Sweep { .. } => Work::TakeDown,
            Action::Look { .. } => Work::Look,
            Action::DeepLook { .. } => Work::Deep,
            Action::ChangeNodes { .. } => Work::Node,
            Action::Begin { .. }
            | Action::OfferOut { .. }
            | Action::OfferAgain { .. }
            | Action::Withdraw { .. }
            | Action::Record { .. }
            | Action::Readdress { .. }
            | Action::Fail { .. }
            | Action::Gather { .. }
            | Action::Lose { .. }
            | Action::Remove { .. }
            | Action::DropRecord { .. }
            | Action::Prove { .. }
            | Action::EndPurpose { .. }
            | Action::DeleteHost => Work::Write,
        }
    }

    /// Whether it is a write to the store and nothing else.
    pub fn only_writes(&self) -> bool {
        self.work() == Work::Write && !self.touches_engine() && !matches!(self, Action::Gather { .. })
    }

    /// Whether it comes to nothing while the store takes no writes, and whether its failure is the store's: a deep probe
    /// takes its cluster out of service first.
    pub fn begins_with_a_write(&self) -> bool {
        self.only_writes() || matches!(self, Action::DeepLook { .. })
    }

    /// Whether the engine is another afterwards, so that a look at it is due.
    pub fn touches_engine(&self) -> bool {
        self.work().ends_in_a_look() || matches!(self, Action::EndPurpose { foreign } if !foreign.is_empty())
    }

    /// Whether it concerns the host as a whole: one such at a time.
    pub fn is_of_host(&self) -> bool {
        matches!(self, Action::EndPurpose { .. } | Action::DeleteHost)
    }

    /// The cluster that it is about, if it has a record already.
    pub fn cluster(&self) -> Option<&ClusterId> {
        match self {
            Action::BringUp { cluster }
            | Action::Look { cluster }
            | Action::DeepLook { cluster }
            | Action::OfferOut { cluster, .. }
            | Action::OfferAgain { cluster, .. }
            | Action::Withdraw { cluster }
            | Action::Record { cluster, .. }
            | Action::ChangeNodes { cluster, .. }
            | Action::Readdress { cluster, .. }
            | Action::Fail { cluster, .. }
            | Action::Gather { cluster, .. }
            | Action::Lose { cluster, .. }
            | Action::Remove { cluster, .. }
            | Action::TakeDown { cluster }
            | Action::DropRecord { cluster }
            | Action::Sweep { cluster } => Some(cluster),
            Action::Begin { .. } | Action::Prove { .. } | Action::EndPurpose { .. } | Action::DeleteHost => None,
        }
    }
}

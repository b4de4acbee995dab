//! What a host's loop remembers of its own work between two passes: what is under way, what failed and when it is tried
//! again. Losing it costs time, never correctness. Plain types, and plain functions that say what an outcome adds.

pub mod making;
#[cfg(test)]
mod making_test;
mod outcomes;
mod retry;
mod revival;
mod timings;

use std::collections::BTreeMap;

use common::model::{ClusterId, FlavorId, NodeName, Slot, Timestamp, Timing};

use self::making::Row;
pub use self::retry::{Backoff, Retry};
use super::plan::Work;

/// What this process remembers between two passes over a host. Losing it costs time, never correctness.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Clusters with an action under way, and slots where one is being begun.
    pub busy: BTreeMap<ClusterId, Busy>,
    /// Slots in which a cluster is being begun right now, and of which flavor.
    pub beginning: BTreeMap<Slot, FlavorId>,
    /// The last probe of each cluster.
    pub looks: BTreeMap<ClusterId, Look>,
    /// The last deep probe of each cluster.
    pub deep: BTreeMap<ClusterId, Look>,
    /// When each cluster that is being made was last brought up: its nodes need a moment from then on.
    pub brought_up: BTreeMap<ClusterId, Timestamp>,
    /// Clusters of which a node ended: older proofs count no more.
    pub suspects: BTreeMap<ClusterId, Suspicion>,
    /// How often nodes of a cluster were heard to end, though nobody asked for it, since it became free.
    pub deaths: BTreeMap<ClusterId, u32>,
    /// When nodes were last changed because somebody asked for it.
    pub changed: BTreeMap<ClusterId, Timestamp>,
    /// Nodes that were started again after they had ended: not before when it is tried again.
    pub revivals: BTreeMap<ClusterId, BTreeMap<NodeName, Retry>>,
    /// Events are heard without a gap since then. What was proven before says nothing of what happened in between.
    pub heard_since: Option<Timestamp>,
    /// Clusters for which an image is or was pulled, while they are brought up: a pull has a limit of its own.
    pub pulling: BTreeMap<ClusterId, String>,
    /// Clusters that cannot be made, and why: trying again would end the same way.
    pub doomed: BTreeMap<ClusterId, Doom>,
    /// Clusters whose last action failed: not before when it is tried again, and why.
    pub retries: BTreeMap<ClusterId, Retry>,
    /// Flavors that could not be made here, until one was.
    pub failures: BTreeMap<FlavorId, Retry>,
    /// Slots in which the engine refused something, for a while.
    pub refused_slots: BTreeMap<Slot, Retry>,
    /// The store takes no writes.
    pub write_hold: Option<Retry>,
    /// The host as a whole lacks something (disk, subnets), or several makings in a row failed: nothing new is begun until
    /// then, and one at a time after it until one was made.
    pub host_hold: Option<Retry>,
    /// Makings that failed since the last that succeeded.
    pub row: Row,
    /// When makings failed lately.
    pub mishaps: Vec<Timestamp>,
    /// How many containers may be started at once here, in words.
    pub starts: String,
    /// When one was last made here by this process, from begin to proof.
    pub made_at: Option<Timestamp>,
    /// A step about the host as a whole is under way, since then.
    pub host_step: Option<Timestamp>,
    /// The last step about the host as a whole failed.
    pub host_retry: Option<Retry>,
    /// What was done with clusters that are not free yet or not any more, and how long each took.
    pub timings: BTreeMap<ClusterId, Vec<Timing>>,
}

/// An action under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// What kind.
    pub work: Work,
    /// Since when.
    pub since: Timestamp,
}

/// One probe's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When it was sent.
    pub at: Timestamp,
    /// What was wrong, if anything.
    pub result: Result<(), String>,
    /// How many in a row were bad, this one included.
    pub bad: u32,
}

/// A node ended, whatever it does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// When that was heard.
    pub at: Timestamp,
    /// What was heard, for people.
    pub seen: String,
    /// It ended because we ended it.
    pub ours: bool,
}

/// Why a cluster cannot be made, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doom {
    /// It failed; its evidence is kept.
    Fails(String),
    /// The host lacks something, which is no fault of the cluster: it goes, and nothing is made of it.
    GivesUp(String),
}

/// What is said of a node that the kernel killed.
pub const WANT_OF_MEMORY: &str = "killed for want of memory";

impl Suspicion {
    /// Whether it ended for want of memory. The engine forgets that when it brings the node back.
    pub fn for_want_of_memory(&self) -> bool {
        self.seen.ends_with(WANT_OF_MEMORY)
    }
}

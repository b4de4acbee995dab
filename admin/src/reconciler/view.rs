//! What is: the one value that a host's plan is made from, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{Cluster, ClusterId, FlavorId, Host, NodeName, NodeState, Slot, Timestamp, Timing};

use super::making::Row;

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

/// What kind of action is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Containers are being brought up.
    BringUp,
    /// It is being taken down.
    TakeDown,
    /// It is being probed.
    Look,
    /// It is being asked to commit a transaction.
    Deep,
    /// A node is being started, stopped or restarted.
    Node,
    /// A record is being written.
    Write,
}

impl Work {
    /// Whether the engine is looked at in full when it ends, so that events of it need not be heeded before.
    pub fn ends_in_a_look(self) -> bool {
        match self {
            Work::BringUp | Work::TakeDown | Work::Node => true,
            Work::Look | Work::Deep | Work::Write => false,
        }
    }
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

/// A failure that is to be tried again, later and later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many times in a row.
    pub times: u32,
    /// When it failed last.
    pub failed_at: Timestamp,
    /// Not before this.
    pub not_before: Timestamp,
    /// In the words of the failure.
    pub error: String,
}

impl Retry {
    /// One more failure after `before`, backing off.
    pub fn after(before: Option<&Retry>, error: String, backoff: &Backoff, now: Timestamp) -> Retry {
        let times = before.map_or(0, |retry| retry.times) + 1;
        Retry { times, failed_at: now, not_before: now + backoff.wait(times), error }
    }

    /// The same for what was begun at a certain time and waits as `wait` says. Begun before the last failure, it was under
    /// way together with it and makes nothing worse.
    pub fn again(
        before: Option<&Retry>,
        began: Timestamp,
        error: String,
        now: Timestamp,
        wait: impl FnOnce(u32) -> Duration,
    ) -> Retry {
        match before {
            Some(before) if began <= before.failed_at => before.clone(),
            Some(_) | None => {
                let times = before.map_or(0, |retry| retry.times) + 1;
                Retry { times, failed_at: now, not_before: now + wait(times), error }
            }
        }
    }
}

/// How the wait between tries grows: doubled each time, up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub limit: Duration,
}

impl Backoff {
    /// After so many failures in a row.
    pub fn wait(&self, times: u32) -> Duration {
        self.first.saturating_mul(2u32.saturating_pow(times.saturating_sub(1).min(20))).min(self.limit)
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Work::BringUp => "bringing up",
            Work::TakeDown => "removal",
            Work::Look => "a probe",
            Work::Deep => "a deep probe",
            Work::Node => "a change of a node",
            Work::Write => "a write",
        })
    }
}

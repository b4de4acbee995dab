//! What the reconciler does, holds back and why, host by host: the latest plan of each, for whoever explains it.
//!
//! Kept by the process that leads, and told to one that stands by; so it can be written down and read again.

mod kept;
pub mod of_pass;
pub mod pool;

use std::collections::BTreeMap;

use common::model::{ClusterId, ClusterName, FlavorId, HostId, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::kept::Outlooks;

/// What the last pass over a host came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostOutlook {
    /// Which host.
    pub host: HostId,
    /// When the pass was.
    pub at: Timestamp,
    /// Why nothing is planned, if nothing is: the store does not answer the reconciler.
    pub blind: Option<String>,
    /// How the engine's calls go.
    pub link: LinkOutlook,
    /// Creating and Free ones that the host is to hold, by flavor.
    pub target: BTreeMap<FlavorId, u32>,
    /// Of those so many keep their places and are given to nobody, for somebody stopped a node; by flavor. None where the host
    /// gives nothing out anyway.
    #[serde(default)]
    pub stopped: BTreeMap<FlavorId, u32>,
    /// A free cluster of the first flavor gives way to one of the second.
    #[serde(default)]
    pub gives_way: Option<(FlavorId, FlavorId)>,
    /// It makes one cluster at a time until one succeeded, because of what failed before.
    pub careful: bool,
    /// How many containers may be started at once, in words; empty before the first pass that found out.
    #[serde(default)]
    pub starts: String,
    /// What is under way.
    pub doing: Vec<Doing>,
    /// What is wanted and not done now.
    pub held: Vec<HeldBack>,
    /// What failed and is tried again later, beyond single clusters.
    pub retries: Vec<RetryLater>,
    /// The last probe of each cluster, and when the next is due.
    pub probes: BTreeMap<ClusterId, Probed>,
    /// The deadline that comes first, and whose it is.
    pub deadline: Option<(ClusterName, Timestamp)>,
    /// When the host is looked at again even if nothing happens; at the latest a few seconds later in any case.
    pub wake_at: Option<Timestamp>,
}

/// How an engine's calls go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOutlook {
    /// Failures in a row.
    pub failed: u32,
    /// When it last answered the process that leads.
    pub answered: Option<Timestamp>,
    /// In the words of the last failure, while it does not answer.
    pub error: Option<String>,
    /// When it is asked again, while it does not answer.
    pub next_try: Option<Timestamp>,
}

/// What kind of thing is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoingKind {
    /// A cluster is begun.
    Begin,
    /// Containers are brought up.
    BringUp,
    /// Something is taken off the engine.
    TakeDown,
    /// Nodes are started, stopped or restarted.
    Node,
    /// A record is written.
    Write,
    /// A cluster is probed.
    Probe,
}

/// One thing under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// What kind of thing.
    pub kind: DoingKind,
    /// In words.
    pub what: String,
    /// Why; not known of what was begun before the last pass but one.
    pub why: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The cluster it is about.
    pub cluster: Option<ClusterId>,
    /// What that is.
    pub flavor: Option<FlavorId>,
}

/// One thing that is wanted and not done now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// The cluster it is about.
    pub cluster: Option<ClusterId>,
    /// The flavor it is about.
    pub flavor: Option<FlavorId>,
    /// When it is tried again, if that is known.
    pub next: Option<Timestamp>,
}

/// What a failure is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum RetryOf {
    /// A flavor that could not be made here.
    Flavor {
        /// Which.
        flavor: FlavorId,
    },
    /// A slot in which the engine refused something.
    Slot {
        /// Which.
        slot: u16,
    },
    /// The host as a whole lacks something.
    Host,
    /// What operators want of the host as a whole.
    Purpose,
    /// The store takes no writes.
    Writes,
}

/// A failure that is tried again, later and later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryLater {
    /// What it is about.
    #[serde(flatten)]
    pub of: RetryOf,
    /// How many times in a row it failed.
    pub times: u32,
    /// Not before this.
    pub next: Timestamp,
    /// In the words of the last failure.
    pub error: String,
}

/// The last probe of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// When it was sent.
    pub at: Timestamp,
    /// What was wrong, if anything.
    pub wrong: Option<String>,
    /// When the next is due.
    pub next: Timestamp,
}

impl HostOutlook {
    /// What is under way and held back, a sentence each, without probes.
    pub fn lines(&self) -> Vec<String> {
        let doing = self.doing.iter().filter(|doing| doing.kind != DoingKind::Probe);
        let doing = doing.map(|doing| match &doing.why {
            Some(why) => format!("{} ({why})", doing.what),
            None => doing.what.clone(),
        });
        let blind = self.blind.iter().map(|why| format!("held back: everything: {why}"));
        let held = self.held.iter().map(|held| format!("held back: {}: {}", held.what, held.why));
        let starting = self.doing.iter().any(|doing| doing.kind == DoingKind::BringUp);
        let starts = starting.then(|| self.starts.clone()).filter(|starts| !starts.is_empty());
        let mut lines: Vec<String> = blind.chain(doing).chain(held).chain(starts).collect();
        if lines.len() > LINES {
            let more = lines.len() - LINES;
            lines.truncate(LINES);
            lines.push(format!("... and {more} more"));
        }
        lines
    }
}

impl HostOutlook {
    /// Whether pages show the same of both: probes, and when the host is looked at again, change with every pass.
    fn tells_the_same_as(&self, other: &HostOutlook) -> bool {
        let work = |of: &HostOutlook| -> Vec<Doing> {
            of.doing.iter().filter(|doing| doing.kind != DoingKind::Probe).cloned().collect()
        };
        let link = |of: &HostOutlook| (of.link.failed, of.link.error.clone(), of.link.next_try);
        self.blind == other.blind
            && link(self) == link(other)
            && self.target == other.target
            && self.stopped == other.stopped
            && self.gives_way == other.gives_way
            && self.careful == other.careful
            && self.starts == other.starts
            && self.held == other.held
            && self.retries == other.retries
            && self.deadline == other.deadline
            && work(self) == work(other)
    }
}

/// More lines than this help nobody.
const LINES: usize = 40;

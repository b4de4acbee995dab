//! The shape of an explanation.

use std::collections::BTreeMap;

use common::model::{ClusterId, FlavorId, HostId, PhaseKind, Timestamp};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::Source;

/// Points of one kind that are told; more help nobody.
const POINTS: usize = 25;

/// Everything that an operator wants to know of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Of what.
    pub of: Subject,
    /// When this was put together.
    #[serde(serialize_with = "iso")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Where `doing`, `held` and `next` come from.
    pub told_by: Source,
    /// When the pass was that they come from; of many hosts the oldest.
    #[serde(serialize_with = "iso_or_null")]
    #[schemars(with = "Option<String>")]
    pub looked_at: Option<Timestamp>,
    /// Free clusters that keep their places and are given to nobody, for somebody stopped a node; 0 where that is not known.
    pub stopped: u64,
    /// How far the filling is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filled: Option<Filled>,
    /// What is wanted.
    pub wanted: Vec<Point>,
    /// What is.
    pub is: Vec<Point>,
    /// What is being done.
    pub doing: Vec<Point>,
    /// What is held back.
    pub held: Vec<Point>,
    /// What comes next, in the order of time.
    pub next: Vec<Point>,
}

/// How far the filling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Filled {
    /// Clusters that are up: free and not stopped, or in use.
    pub up: u64,
    /// As many as there are to be, those in use among them and those that somebody stopped not.
    pub of: u64,
}

impl Filled {
    /// From clusters by phase, as many as the pool wants to wait for users, and of these those that somebody stopped.
    pub(super) fn of(phases: &BTreeMap<PhaseKind, u64>, target: u64, stopped: u64) -> Filled {
        let count = |phase| phases.get(&phase).copied().unwrap_or_default();
        let in_use = count(PhaseKind::InUse);
        let free = count(PhaseKind::Free).saturating_sub(stopped);
        Filled { up: free + in_use, of: target.saturating_sub(stopped) + in_use }
    }
}

/// What is explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// All of it.
    Pool,
    /// A host.
    Host {
        /// Which.
        #[schemars(with = "String")]
        id: HostId,
        /// Its name.
        name: String,
    },
    /// A flavor.
    Flavor {
        /// Which.
        #[schemars(with = "String")]
        id: FlavorId,
        /// Its title.
        name: String,
    },
    /// A cluster.
    Cluster {
        /// Which.
        #[schemars(with = "String")]
        id: ClusterId,
        /// Its name.
        name: String,
    },
}

/// One thing that is so, in words, with what programs want of it beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Point {
    /// What.
    pub what: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_or_null")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// When it comes, or was.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_or_null")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many times in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The host it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub host_id: Option<HostId>,
    /// The cluster it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub cluster_id: Option<ClusterId>,
    /// The flavor it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub flavor: Option<FlavorId>,
    /// It comes and goes all the time, as probes do: a page that people look at leaves it out.
    #[serde(skip)]
    pub routine: bool,
}

impl Point {
    /// That this is so.
    pub fn new(what: impl Into<String>) -> Point {
        Point { what: what.into(), ..Point::default() }
    }

    /// Why.
    pub fn why(self, why: impl Into<String>) -> Point {
        Point { why: Some(why.into()), ..self }
    }

    /// Since when.
    pub fn since(self, since: Timestamp) -> Point {
        Point { since: Some(since), ..self }
    }

    /// When.
    pub fn at(self, at: impl Into<Option<Timestamp>>) -> Point {
        Point { at: at.into(), ..self }
    }

    /// How many.
    pub fn count(self, count: u64) -> Point {
        Point { count: Some(count), ..self }
    }

    /// How many times in a row.
    pub fn times(self, times: u32) -> Point {
        Point { times: Some(times), ..self }
    }

    /// Nothing to look up for.
    pub fn routine(self) -> Point {
        Point { routine: true, ..self }
    }

    /// About a host.
    pub fn host(self, host: &HostId) -> Point {
        Point { host_id: Some(host.clone()), ..self }
    }

    /// About a cluster.
    pub fn cluster(self, cluster: Option<&ClusterId>) -> Point {
        Point { cluster_id: cluster.cloned(), ..self }
    }

    /// About a flavor.
    pub fn flavor(self, flavor: Option<&FlavorId>) -> Point {
        Point { flavor: flavor.cloned(), ..self }
    }
}

impl Explanation {
    /// Puts an explanation in order: what comes next by time, and of each kind no more than can be read.
    pub(super) fn ordered(mut self) -> Explanation {
        self.next.sort_by_key(|point| (point.at.is_none(), point.at));
        for points in [&mut self.wanted, &mut self.is, &mut self.doing, &mut self.held, &mut self.next] {
            if points.len() > POINTS {
                let more = points.len() - POINTS;
                points.truncate(POINTS);
                points.push(Point::new(format!("... and {more} more")).count(more as u64));
            }
        }
        self
    }
}

/// Of each flavor so many are to wait for users: what the pool wants there, without those that somebody stopped.
pub(super) fn to_wait<'a, N: Copy + Into<u64>>(
    target: &'a BTreeMap<FlavorId, N>,
    stopped: &'a BTreeMap<FlavorId, N>,
) -> impl Iterator<Item = (&'a FlavorId, u64)> {
    let of = move |flavor: &FlavorId| stopped.get(flavor).copied().map_or(0, Into::into);
    let counts = target.iter().map(move |(flavor, n)| (flavor, Into::<u64>::into(*n).saturating_sub(of(flavor))));
    counts.filter(|(_, n)| *n > 0)
}

/// That so many of the free ones are stopped, if any.
pub(super) fn stopped_ones(n: u64) -> Option<Point> {
    let what = match n {
        0 => return None,
        1 => "1 of the free ones is stopped: it keeps its place and waits for nobody".to_owned(),
        n => format!("{n} of the free ones are stopped: they keep their places and wait for nobody"),
    };
    Some(Point::new(what).count(n))
}

/// `1 cluster`, `2 clusters`.
pub(super) fn clusters(n: u64) -> String {
    if n == 1 { "1 cluster".into() } else { format!("{n} clusters") }
}

fn iso<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn iso_or_null<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

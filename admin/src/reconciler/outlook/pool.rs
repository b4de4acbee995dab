//! All hosts' outlooks added up, so that a thousand hosts are told in a page: how much of what is under way, and the reasons
//! that hold most back. A plain function.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::model::{FlavorId, HostId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{DoingKind, HostOutlook, RetryLater, RetryOf};

/// Reasons told of one flavor, and of none.
const REASONS: usize = 10;
/// Hosts named for one reason.
const NAMED: usize = 3;

/// All hosts together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolOutlook {
    /// Hosts that are looked after.
    pub hosts: u64,
    /// The oldest of their last passes.
    pub oldest: Option<Timestamp>,
    /// Creating and Free ones that the hosts together are to hold, by flavor.
    pub target: BTreeMap<FlavorId, u64>,
    /// Of those so many keep their places and are given to nobody, for somebody stopped a node; by flavor.
    #[serde(default)]
    pub stopped: BTreeMap<FlavorId, u64>,
    /// Where a free cluster of one flavor gives way to one of another; one at a time, so these are few.
    #[serde(default)]
    pub gives_way: Vec<(HostId, FlavorId, FlavorId)>,
    /// What is under way, by kind and flavor.
    pub doing: Vec<DoingTotal>,
    /// What is held back, by flavor and reason, the most frequent first.
    pub held: Vec<HeldTotal>,
    /// Reasons beyond those.
    pub held_more: u64,
    /// What failed and is tried again later, by flavor.
    pub retries: Vec<RetryTotal>,
    /// Hosts whose engine does not answer.
    pub silent: u64,
    /// When the next of those is asked again.
    pub next_try: Option<Timestamp>,
    /// When the next probe is due.
    pub next_probe: Option<Timestamp>,
    /// The deadline that comes first.
    pub deadline: Option<Timestamp>,
    /// Hosts for which the store does not answer the reconciler, and how it says so.
    pub blind: Option<(u64, String)>,
}

/// So many things of a kind under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoingTotal {
    /// What kind.
    pub kind: DoingKind,
    /// Of which flavor.
    pub flavor: Option<FlavorId>,
    /// How many.
    pub count: u64,
    /// Since when the oldest.
    pub since: Timestamp,
}

/// So many things held back for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTotal {
    /// Of which flavor.
    pub flavor: Option<FlavorId>,
    /// One of them.
    pub what: String,
    /// The reason, in the words of that one; the others' differ in numbers at most.
    pub why: String,
    /// How many.
    pub count: u64,
    /// On how many hosts.
    pub hosts: u64,
    /// Some of those.
    pub some: Vec<HostId>,
    /// When the first of them is tried again, if that is known.
    pub next: Option<Timestamp>,
}

/// So many hosts on which one thing failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryTotal {
    /// Of which flavor; of none: slots, rooms and writes.
    pub flavor: Option<FlavorId>,
    /// On how many hosts.
    pub hosts: u64,
    /// Some of those.
    pub some: Vec<HostId>,
    /// When the first is tried again.
    pub next: Timestamp,
    /// In the words of one failure.
    pub error: String,
    /// How many times in a row that was.
    pub times: u32,
}

/// A total, with the host that was counted last.
type Counted<'a, T> = (T, Option<&'a HostId>);

impl HeldTotal {
    fn new(what: &str, why: &str, flavor: &Option<FlavorId>) -> HeldTotal {
        let (what, why, flavor) = (what.to_owned(), why.to_owned(), flavor.clone());
        HeldTotal { flavor, what, why, count: 0, hosts: 0, some: Vec::new(), next: None }
    }
}

impl RetryTotal {
    fn new(flavor: Option<&FlavorId>, one: &RetryLater) -> RetryTotal {
        let (flavor, error) = (flavor.cloned(), one.error.clone());
        RetryTotal { flavor, hosts: 0, some: Vec::new(), next: one.next, error, times: one.times }
    }
}

/// Adds all up.
pub fn add_up(all: &[Arc<HostOutlook>], now: Timestamp) -> PoolOutlook {
    let mut pool = PoolOutlook { hosts: all.len() as u64, ..PoolOutlook::default() };
    let mut doing: BTreeMap<(DoingKind, Option<&FlavorId>), DoingTotal> = BTreeMap::new();
    let mut held: BTreeMap<(Option<&FlavorId>, String), Counted<HeldTotal>> = BTreeMap::new();
    let mut retries: BTreeMap<Option<&FlavorId>, Counted<RetryTotal>> = BTreeMap::new();
    for host in all {
        earlier(&mut pool.oldest, Some(host.at));
        for (flavor, count) in &host.target {
            *pool.target.entry(flavor.clone()).or_default() += u64::from(*count);
        }
        for (flavor, count) in &host.stopped {
            *pool.stopped.entry(flavor.clone()).or_default() += u64::from(*count);
        }
        if let Some((from, to)) = &host.gives_way {
            pool.gives_way.push((host.host.clone(), from.clone(), to.clone()));
        }
        for one in &host.doing {
            let total = doing.entry((one.kind, one.flavor.as_ref())).or_insert_with(|| DoingTotal {
                kind: one.kind,
                flavor: one.flavor.clone(),
                count: 0,
                since: one.since,
            });
            total.count += 1;
            total.since = total.since.min(one.since);
        }
        for one in &host.held {
            let key = (one.flavor.as_ref(), alike(&one.why));
            let (total, last) =
                held.entry(key).or_insert_with(|| (HeldTotal::new(&one.what, &one.why, &one.flavor), None));
            total.count += 1;
            if *last != Some(&host.host) {
                *last = Some(&host.host);
                total.hosts += 1;
                if total.some.len() < NAMED {
                    total.some.push(host.host.clone());
                }
            }
            earlier(&mut total.next, one.next.filter(|at| *at > now));
        }
        for one in host.retries.iter().filter(|one| one.next > now) {
            let flavor = match &one.of {
                RetryOf::Flavor { flavor } => Some(flavor),
                RetryOf::Slot { .. } | RetryOf::Host | RetryOf::Purpose | RetryOf::Writes => None,
            };
            let (total, last) = retries.entry(flavor).or_insert_with(|| (RetryTotal::new(flavor, one), None));
            total.next = total.next.min(one.next);
            if *last != Some(&host.host) {
                *last = Some(&host.host);
                total.hosts += 1;
                if total.some.len() < NAMED {
                    total.some.push(host.host.clone());
                }
            }
        }
        if host.link.error.is_some() {
            pool.silent += 1;
            earlier(&mut pool.next_try, host.link.next_try);
        }
        earlier(&mut pool.next_probe, host.probes.values().map(|probe| probe.next).filter(|at| *at > now).min());
        earlier(&mut pool.deadline, host.deadline.as_ref().map(|(_, at)| *at));
        if let Some(why) = &host.blind {
            let hosts = pool.blind.take().map_or(0, |(hosts, _)| hosts);
            pool.blind = Some((hosts + 1, why.clone()));
        }
    }
    pool.doing = doing.into_values().collect();
    pool.retries = retries.into_values().map(|(total, _)| total).collect();
    (pool.held, pool.held_more) = most_frequent(held.into_values().map(|(total, _)| total).collect());
    pool
}

/// The most frequent reasons of each flavor, and how many there are beyond.
fn most_frequent(mut all: Vec<HeldTotal>) -> (Vec<HeldTotal>, u64) {
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.why.cmp(&b.why)));
    let mut told: BTreeMap<Option<FlavorId>, usize> = BTreeMap::new();
    let before = all.len();
    all.retain(|one| {
        let told = told.entry(one.flavor.clone()).or_default();
        *told += 1;
        *told <= REASONS
    });
    let more = (before - all.len()) as u64;
    (all, more)
}

fn earlier(first: &mut Option<Timestamp>, other: Option<Timestamp>) {
    *first = match (*first, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

/// What a reason is known by: itself, whatever its numbers are.
fn alike(why: &str) -> String {
    let mut key = String::with_capacity(why.len());
    for letter in why.chars() {
        if !letter.is_ascii_digit() {
            key.push(letter);
        } else if !key.ends_with('#') {
            key.push('#');
        }
    }
    key
}

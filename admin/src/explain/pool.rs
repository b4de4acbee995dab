//! Explains the pool: everything added up, so that a thousand hosts are told in a page.

use std::collections::BTreeMap;

use common::model::{Host, PhaseKind, Timestamp};

use super::explanation::{clusters, stopped_ones, to_wait};
use super::host::{gives_way, in_phase};
use super::{Explanation, Filled, Point, Subject, Told};
use crate::reconciler::{DoingKind, DoingTotal, HeldTotal, PoolOutlook, RetryTotal};

/// What the records say of the pool.
#[derive(Clone, Debug, Default)]
pub struct PoolFacts {
    hosts: u64,
    inactive: u64,
    capacity: u64,
    purposes: BTreeMap<&'static str, u64>,
    cordoned: u64,
    phases: BTreeMap<PhaseKind, u64>,
}

impl PoolFacts {
    /// Of all hosts, and of all clusters by phase.
    pub fn of(hosts: &[Host], phases: &BTreeMap<PhaseKind, u64>) -> PoolFacts {
        let mut facts = PoolFacts { phases: phases.clone(), ..PoolFacts::default() };
        for host in hosts {
            facts.hosts += 1;
            facts.inactive += u64::from(!host.contact.state.is_active());
            facts.cordoned += u64::from(!host.settings.schedulable);
            facts.capacity += u64::from(host.settings.capacity);
            *facts.purposes.entry(host.purpose.as_str()).or_default() += 1;
        }
        facts
    }
}

/// Explains the pool, from the records and what the reconciler told of all hosts.
pub fn explain_pool(facts: &PoolFacts, told: &Told<PoolOutlook>, now: Timestamp) -> Explanation {
    let pool = told.outlook.as_ref();
    let stopped = pool.map_or(0, |pool| pool.stopped.values().sum());
    let mut under_way: Vec<Point> = pool.iter().flat_map(|pool| &pool.doing).map(doing).collect();
    under_way.sort_by_key(|point| std::cmp::Reverse(point.count));
    let mut held_back: Vec<Point> = Vec::new();
    if let Some((hosts, why)) = pool.and_then(|pool| pool.blind.as_ref()) {
        let why = format!("the store does not answer the reconciler: {why}");
        held_back.push(Point::new(format!("everything on {hosts} hosts")).why(why).count(*hosts));
    }
    held_back.extend(pool.iter().flat_map(|pool| &pool.held).map(held));
    if let Some(more) = pool.map(|pool| pool.held_more).filter(|more| *more > 0) {
        held_back.push(Point::new(format!("... for {more} more reasons: see the hosts")).count(more));
    }
    held_back.extend(told.silence());
    let mut next: Vec<Point> = pool.map(comes_next).unwrap_or_default();
    next.extend(told.next());
    Explanation {
        of: Subject::Pool,
        at: now,
        told_by: told.source.clone(),
        looked_at: pool.and_then(|pool| pool.oldest),
        stopped,
        filled: pool.map(|pool| Filled::of(&facts.phases, pool.target.values().sum(), stopped)),
        wanted: wanted(facts, pool),
        is: is(facts, pool),
        doing: under_way,
        held: held_back,
        next,
    }
    .ordered()
}

fn wanted(facts: &PoolFacts, pool: Option<&PoolOutlook>) -> Vec<Point> {
    let hosts = if facts.hosts == 1 { "1 host holds".to_owned() } else { format!("{} hosts hold", facts.hosts) };
    let mut wanted = vec![Point::new(format!("{hosts} at most {}", clusters(facts.capacity))).count(facts.capacity)];
    for (flavor, n) in pool.iter().flat_map(|pool| to_wait(&pool.target, &pool.stopped)) {
        wanted.push(Point::new(format!("{n} of {flavor} wait for users")).count(n).flavor(Some(flavor)));
    }
    for (host, from, to) in pool.iter().flat_map(|pool| &pool.gives_way) {
        wanted.push(gives_way(from, to).host(host));
    }
    for (purpose, n) in facts.purposes.iter().filter(|(purpose, _)| **purpose != "serve") {
        let word = purpose.replace('_', " ");
        wanted.push(Point::new(format!("{word}: {n} of the hosts")).count(*n));
    }
    if facts.cordoned > 0 {
        wanted.push(Point::new(format!("not schedulable: {} of the hosts", facts.cordoned)).count(facts.cordoned));
    }
    wanted
}

fn is(facts: &PoolFacts, pool: Option<&PoolOutlook>) -> Vec<Point> {
    let active = facts.hosts - facts.inactive;
    let mut is = vec![Point::new(format!("{active} of {} hosts answer", facts.hosts)).count(active)];
    if let Some(pool) = pool.filter(|pool| pool.silent > 0) {
        let what = match pool.silent {
            1 => "one host did not answer the last time it was asked".to_owned(),
            n => format!("{n} hosts did not answer the last time they were asked"),
        };
        is.push(Point::new(what).count(pool.silent));
    }
    is.extend(facts.phases.iter().map(|(phase, n)| in_phase(*phase, *n)));
    is.extend(stopped_ones(pool.map_or(0, |pool| pool.stopped.values().sum())));
    if facts.phases.is_empty() {
        is.push(Point::new("no cluster is there").count(0));
    }
    is
}

pub(super) fn doing(total: &DoingTotal) -> Point {
    let n = total.count;
    let what = match (total.kind, n) {
        (DoingKind::Begin, _) => format!("{} begun", clusters(n)),
        (DoingKind::BringUp, _) => format!("{} brought up", clusters(n)),
        (DoingKind::TakeDown, _) => format!("{} taken down", clusters(n)),
        (DoingKind::Node, _) => format!("nodes of {} started, stopped or restarted", clusters(n)),
        (DoingKind::Write, 1) => "1 record written".to_owned(),
        (DoingKind::Write, n) => format!("{n} records written"),
        (DoingKind::Probe, 1) => "1 probe".to_owned(),
        (DoingKind::Probe, n) => format!("{n} probes"),
    };
    let what = match &total.flavor {
        Some(flavor) => format!("{what} ({flavor})"),
        None => what,
    };
    let point = Point::new(what).count(n).since(total.since).flavor(total.flavor.as_ref());
    if total.kind == DoingKind::Probe { point.routine() } else { point }
}

pub(super) fn held(total: &HeldTotal) -> Point {
    // Said of a host by its own plan; here it is one of many.
    let one = total.what.replace("this host", "one host");
    let what = match (total.count, total.hosts) {
        (1, _) => one,
        (n, 1) => format!("{one} and {} alike, on one host", n - 1),
        (n, hosts) => format!("{one} and {} alike, on {hosts} hosts", n - 1),
    };
    let point = Point::new(what).why(&total.why).count(total.count).at(total.next).flavor(total.flavor.as_ref());
    match total.some.first() {
        Some(host) => point.host(host),
        None => point,
    }
}

pub(super) fn retry(total: &RetryTotal) -> Point {
    let hosts = if total.hosts == 1 { "one host".to_owned() } else { format!("{} hosts", total.hosts) };
    let what = match &total.flavor {
        Some(flavor) => format!("{flavor} is tried again on {hosts}"),
        None => format!("what failed is tried again on {hosts}"),
    };
    let point = Point::new(what).why(&total.error).times(total.times).at(total.next).flavor(total.flavor.as_ref());
    match total.some.first() {
        Some(host) => point.host(host),
        None => point,
    }
}

fn comes_next(pool: &PoolOutlook) -> Vec<Point> {
    let mut next: Vec<Point> = pool.retries.iter().map(retry).collect();
    let times = [
        ("an engine that does not answer is asked again", pool.next_try),
        ("the first deadline of a cluster", pool.deadline),
    ];
    next.extend(times.into_iter().filter_map(|(what, at)| Some(Point::new(what).at(at?))));
    next.extend(pool.next_probe.map(|at| Point::new("the next probe is due").at(at).routine()));
    next
}

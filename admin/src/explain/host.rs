//! Explains a host.

use common::model::{FlavorId, Host, HostPurpose, HostState, PhaseKind, Timestamp};

use super::explanation::{clusters, stopped_ones, to_wait};
use super::{Explanation, Filled, Point, Subject, Told};
use crate::operations::HostRow;
use crate::reconciler::{Doing, DoingKind, HeldBack, HostOutlook, RetryLater, RetryOf};

/// Explains a host, from its record, what is on it, and what the reconciler told of its last pass there.
pub fn explain_host(row: &HostRow, told: &Told<HostOutlook>, now: Timestamp) -> Explanation {
    let host = &row.host;
    let outlook = told.outlook.as_ref();
    let mut is = vec![state(host), last_answer(host)];
    let (mut doing, mut held, mut next) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(outlook) = outlook {
        if outlook.link.failed > 0 && host.contact.state.is_active() {
            let point = Point::new("its engine did not answer the last time it was asked").times(outlook.link.failed);
            is.push(point.why(outlook.link.error.clone().unwrap_or_default()));
        }
        if outlook.careful {
            is.push(
                Point::new("it makes one cluster at a time until one succeeds")
                    .why("it came back, or making failed there before"),
            );
        }
        is.extend(Some(&outlook.starts).filter(|starts| !starts.is_empty()).map(Point::new));
        doing = under_way(&outlook.doing);
        held.extend(outlook.blind.iter().map(|why| {
            Point::new("everything on this host").why(format!("the store does not answer the reconciler: {why}"))
        }));
        held.extend(outlook.held.iter().map(held_back));
        next = comes_next(outlook, now);
    }
    held.extend(told.silence());
    next.extend(told.next());
    is.extend(there(row));
    let stopped = outlook.map_or(0, |outlook| outlook.stopped.values().map(|n| u64::from(*n)).sum());
    is.extend(stopped_ones(stopped));
    Explanation {
        of: Subject::Host { id: host.id.clone(), name: host.settings.name.to_string() },
        at: now,
        told_by: told.source.clone(),
        looked_at: outlook.map(|outlook| outlook.at),
        stopped,
        filled: outlook
            .map(|outlook| Filled::of(&row.phases, outlook.target.values().map(|n| u64::from(*n)).sum(), stopped)),
        wanted: wanted(host, outlook),
        is,
        doing,
        held,
        next,
    }
    .ordered()
}

fn wanted(host: &Host, outlook: Option<&HostOutlook>) -> Vec<Point> {
    let what = match &host.purpose {
        HostPurpose::Serve => "it serves the pool",
        HostPurpose::FillUp(_) => "it is filled up once",
        HostPurpose::Clean(_) => "its free clusters are removed",
        HostPurpose::Drain(_) => "it is empty but for what users hold",
        HostPurpose::Reset { .. } => "nothing of the pool's is on it, then it serves again",
        HostPurpose::Leave { by_force: false, .. } => "it leaves the pool when its clusters are gone",
        HostPurpose::Leave { by_force: true, .. } => "it leaves the pool at once, whether its engine answers or not",
    };
    let purpose = match host.purpose.asked() {
        Some(asked) => Point::new(what).why(format!("asked by {}", asked.by)).since(asked.since),
        None => Point::new(what),
    };
    let mut wanted = vec![purpose];
    if let HostPurpose::Reset { foreign, .. } = &host.purpose
        && !foreign.is_empty()
    {
        let n = foreign.len() as u64;
        wanted.push(Point::new(format!("{n} things that are not the pool's go too")).count(n));
    }
    let capacity = u64::from(host.settings.capacity);
    let filled = if host.settings.autofill { "and is kept filled" } else { "and is not kept filled" };
    wanted.push(Point::new(format!("it holds at most {} {filled}", clusters(capacity))).count(capacity));
    if !host.settings.schedulable {
        wanted.push(Point::new("nothing is made or given out there").why("it is not schedulable"));
    }
    for (flavor, n) in outlook.iter().flat_map(|outlook| to_wait(&outlook.target, &outlook.stopped)) {
        wanted.push(Point::new(format!("{n} of {flavor} wait there for users")).count(n).flavor(Some(flavor)));
    }
    if let Some((from, to)) = outlook.and_then(|outlook| outlook.gives_way.as_ref()) {
        wanted.push(gives_way(from, to));
    }
    wanted
}

/// One free cluster goes so that another flavor has one.
pub(super) fn gives_way(from: &FlavorId, to: &FlavorId) -> Point {
    let why = format!("fewer of {to} wait than there should at least, and no host has room; of {from} there are more");
    Point::new(format!("one free {from} gives way to one {to}")).why(why).flavor(Some(to))
}

fn state(host: &Host) -> Point {
    match &host.contact.state {
        HostState::Active { since } => Point::new("its engine answers").since(*since),
        HostState::Inactive { since, why } => {
            Point::new("its engine does not answer; its free clusters are not given out").since(*since).why(why)
        }
    }
}

/// While it answers, this is within the last seconds, and another time whenever somebody looks.
fn last_answer(host: &Host) -> Point {
    let point = Point::new("its engine last answered").at(host.contact.last_answer);
    if host.contact.state.is_active() { point.routine() } else { point }
}

fn there(row: &HostRow) -> Vec<Point> {
    let mut points: Vec<Point> = row.phases.iter().map(|(phase, n)| in_phase(*phase, *n)).collect();
    if points.is_empty() {
        points.push(Point::new("no cluster is on it").count(0));
    }
    points.push(match row.host.contact.made_at {
        Some(at) => Point::new("a cluster was last made on it, from begin to proof").at(at),
        None => Point::new("no cluster was made on it yet, so it is not proven"),
    });
    points
}

/// So many clusters in a phase.
pub(super) fn in_phase(phase: PhaseKind, n: u64) -> Point {
    let what = match phase {
        PhaseKind::Creating => "being made",
        PhaseKind::Free => "free",
        PhaseKind::InUse => "in use",
        PhaseKind::Releasing => "given back and being removed",
        PhaseKind::Removing => "being removed",
        PhaseKind::Failed => "failed",
        PhaseKind::Lost => "lost",
    };
    Point::new(format!("{} {what}", clusters(n))).count(n)
}

/// What is under way; probes, which never end, in one.
fn under_way(all: &[Doing]) -> Vec<Point> {
    let (probes, work): (Vec<&Doing>, Vec<&Doing>) = all.iter().partition(|doing| doing.kind == DoingKind::Probe);
    let mut points: Vec<Point> = work.into_iter().map(doing).collect();
    if let Some(oldest) = probes.iter().map(|doing| doing.since).min() {
        let n = probes.len() as u64;
        let what = if n == 1 { "1 probe".to_owned() } else { format!("{n} probes") };
        points.push(Point::new(what).since(oldest).count(n).routine());
    }
    points
}

pub(super) fn doing(doing: &Doing) -> Point {
    let point = Point::new(&doing.what).since(doing.since).cluster(doing.cluster.as_ref());
    let point = point.flavor(doing.flavor.as_ref());
    match &doing.why {
        Some(why) => point.why(why),
        None => point,
    }
}

pub(super) fn held_back(held: &HeldBack) -> Point {
    let point = Point::new(&held.what).why(&held.why).at(held.next);
    point.cluster(held.cluster.as_ref()).flavor(held.flavor.as_ref())
}

fn comes_next(outlook: &HostOutlook, now: Timestamp) -> Vec<Point> {
    let mut next: Vec<Point> = outlook.retries.iter().filter(|retry| retry.next > now).map(retry).collect();
    if let Some(at) = outlook.link.next_try {
        let why = outlook.link.error.clone().unwrap_or_default();
        next.push(Point::new("its engine is asked again").at(at).times(outlook.link.failed).why(why));
    }
    let due = |probe: &&crate::reconciler::Probed| probe.next > now;
    if let Some(probe) = outlook.probes.values().filter(due).min_by_key(|probe| probe.next) {
        next.push(Point::new("the next probe of a cluster is due").at(probe.next).routine());
    }
    if let Some((name, at)) = &outlook.deadline {
        next.push(Point::new(format!("the deadline of {name}")).at(*at));
    }
    if let Some(at) = outlook.wake_at.filter(|at| *at > now) {
        next.push(Point::new("the host is looked at again, if nothing happens before").at(at).routine());
    }
    next
}

pub(super) fn retry(retry: &RetryLater) -> Point {
    let (what, flavor) = match &retry.of {
        RetryOf::Flavor { flavor } => (format!("{flavor} is tried again"), Some(flavor)),
        RetryOf::Slot { slot } => (format!("slot {slot} is tried again"), None),
        RetryOf::Host => ("making clusters on this host is tried again".into(), None),
        RetryOf::Purpose => ("what operators want of this host is tried again".into(), None),
        RetryOf::Writes => ("what could not be written down is tried again".into(), None),
    };
    Point::new(what).at(retry.next).times(retry.times).why(&retry.error).flavor(flavor)
}

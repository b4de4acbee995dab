//! From one pass over a host to what is told of it. A plain function: no clock, no store, no engine.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{Cluster, ClusterId, ClusterName, Phase, Timestamp};

use super::{Doing, DoingKind, HeldBack, HostOutlook, LinkOutlook, Probed, RetryLater, RetryOf};
use crate::reconciler::host_loop::contact::Tries;
use crate::reconciler::memory::{Memory, Retry};
use crate::reconciler::plan::pool::Target;
use crate::reconciler::plan::pool::standing::free_by_flavor;
use crate::reconciler::plan::{About, Action, Held, Plan, Step, Work};
use crate::reconciler::policy::Policy;
use crate::reconciler::view::{EngineView, HostView};

/// One pass over a host.
pub struct Pass<'a> {
    /// What there was.
    pub view: &'a HostView,
    /// What was decided.
    pub plan: &'a Plan,
    /// What the pool wants of the host.
    pub target: &'a Target,
    /// What was gone by.
    pub policy: &'a Policy,
    /// How the engine's calls went.
    pub tries: &'a Tries,
    /// How long until the next, while it does not answer.
    pub pause: Duration,
    /// When.
    pub now: Timestamp,
}

/// Things under way, and things held back, that one host's outlook tells at most: some for every cluster of a full host.
const TOLD: usize = 300;

/// What a pass came to. What was under way at the one before keeps its words: the memory has only its kind.
pub fn outlook_of(before: Option<&HostOutlook>, pass: &Pass<'_>) -> HostOutlook {
    let Pass { view, plan, target, policy, tries, pause, now } = pass;
    let clusters: BTreeMap<&ClusterId, &Cluster> = view.clusters.iter().map(|c| (&c.id, c)).collect();
    let error = match &view.engine {
        EngineView::Away { why } => Some(why.clone()),
        EngineView::Seen(_) => None,
    };
    let mut doing = under_way(before, &view.memory, &clusters);
    doing.extend(plan.steps.iter().map(|step| begun(step, &clusters, *now)));
    if let Some(since) = view.memory.host_step {
        let (kind, what) = (DoingKind::Write, "what operators want of the host as a whole".to_owned());
        doing.push(Doing { kind, what, why: None, since, cluster: None, flavor: None });
    }
    doing.truncate(TOLD);
    let mut held: Vec<HeldBack> = plan.held.iter().map(|held| held_back(held, &clusters)).collect();
    held.truncate(TOLD);
    let gives = view.host.serves() && view.host.contact.state.is_active();
    HostOutlook {
        host: view.host.id.clone(),
        at: *now,
        blind: None,
        link: LinkOutlook {
            failed: tries.failed,
            answered: tries.answered,
            next_try: error.is_some().then(|| *now + *pause),
            error,
        },
        target: target.want.clone(),
        stopped: if gives { free_by_flavor(view, Cluster::is_stopped) } else { BTreeMap::new() },
        gives_way: target.give_way.clone(),
        careful: view.memory.is_careful(&view.host, policy, *now),
        starts: view.memory.starts.clone(),
        doing,
        held,
        retries: retries(&view.memory),
        probes: view.clusters.iter().filter_map(|c| Some((c.id.clone(), probed(c, &view.memory, policy)?))).collect(),
        deadline: view.clusters.iter().filter_map(deadline).min_by_key(|(_, at)| *at),
        wake_at: plan.wake_at,
    }
}

fn under_way(before: Option<&HostOutlook>, memory: &Memory, clusters: &BTreeMap<&ClusterId, &Cluster>) -> Vec<Doing> {
    let pulls = |id: &ClusterId| memory.pulling.get(id).map(|image| format!("image {image} is being pulled"));
    let busy = memory.busy.iter().map(|(id, busy)| {
        let kind = kind_of(busy.work);
        let known = before.and_then(|before| {
            before.doing.iter().find(|doing| doing.cluster.as_ref() == Some(id) && doing.kind == kind)
        });
        if let Some(known) = known {
            let why = pulls(id).or_else(|| known.why.clone());
            return Doing { since: busy.since.min(known.since), why, ..known.clone() };
        }
        let cluster = clusters.get(id);
        let name = cluster.map_or_else(|| "what has no record".to_owned(), |c| c.name.to_string());
        let (what, flavor) = (format!("{name}: {} under way", busy.work), cluster.map(|c| c.flavor.clone()));
        Doing { kind, what, why: pulls(id), since: busy.since, cluster: Some(id.clone()), flavor }
    });
    busy.collect()
}

/// A step of this plan: it is under way from now on.
fn begun(step: &Step, clusters: &BTreeMap<&ClusterId, &Cluster>, now: Timestamp) -> Doing {
    let cluster = step.action.cluster();
    let flavor = match &step.action {
        Action::Begin { flavor, .. } => Some(flavor.clone()),
        _ => cluster.and_then(|id| clusters.get(id)).map(|c| c.flavor.clone()),
    };
    let kind = match &step.action {
        Action::Begin { .. } => DoingKind::Begin,
        // Proofs are what probes end in, and as frequent.
        Action::Prove { .. } => DoingKind::Probe,
        action => kind_of(action.work()),
    };
    let words = step.to_string();
    let what = words.strip_suffix(&format!(" ({})", step.why)).unwrap_or(&words).to_owned();
    Doing { kind, what, why: Some(step.why.clone()), since: now, cluster: cluster.cloned(), flavor }
}

fn kind_of(work: Work) -> DoingKind {
    match work {
        Work::BringUp => DoingKind::BringUp,
        Work::TakeDown => DoingKind::TakeDown,
        Work::Look | Work::Deep => DoingKind::Probe,
        Work::Node => DoingKind::Node,
        Work::Write => DoingKind::Write,
    }
}

fn held_back(held: &Held, clusters: &BTreeMap<&ClusterId, &Cluster>) -> HeldBack {
    let (cluster, flavor) = match &held.about {
        About::Cluster(id) => {
            // What has no record has no page either.
            let known = clusters.get(id);
            (known.map(|_| id.clone()), known.map(|cluster| cluster.flavor.clone()))
        }
        About::Flavor(flavor) => (None, Some(flavor.clone())),
        About::Host => (None, None),
    };
    HeldBack { what: held.what.clone(), why: held.why.clone(), cluster, flavor, next: held.next }
}

fn retries(memory: &Memory) -> Vec<RetryLater> {
    let later = |of: RetryOf, retry: &Retry| RetryLater {
        of,
        times: retry.times,
        next: retry.not_before,
        error: retry.error.clone(),
    };
    let flavors =
        memory.failures.iter().map(|(flavor, retry)| later(RetryOf::Flavor { flavor: flavor.clone() }, retry));
    let slots = memory.refused_slots.iter().map(|(slot, retry)| later(RetryOf::Slot { slot: slot.0 }, retry));
    let host = memory.host_hold.iter().map(|retry| later(RetryOf::Host, retry));
    let purpose = memory.host_retry.iter().map(|retry| later(RetryOf::Purpose, retry));
    let writes = memory.write_hold.iter().map(|retry| later(RetryOf::Writes, retry));
    flavors.chain(host).chain(purpose).chain(writes).chain(slots).take(TOLD).collect()
}

fn probed(cluster: &Cluster, memory: &Memory, policy: &Policy) -> Option<Probed> {
    let look = memory.looks.get(&cluster.id)?;
    let every = match &cluster.phase {
        Phase::Creating { .. } => policy.probe_new_every,
        Phase::Free { .. } if look.bad > 0 => policy.probe_new_every * 4,
        Phase::Free { .. } => policy.probe_every,
        Phase::InUse { .. } => policy.probe_leased_every,
        Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Failed { .. } | Phase::Lost { .. } => return None,
    };
    Some(Probed { at: look.at, wrong: look.result.clone().err(), next: look.at + every })
}

fn deadline(cluster: &Cluster) -> Option<(ClusterName, Timestamp)> {
    match &cluster.phase {
        Phase::Creating { deadline, .. } | Phase::Releasing { deadline, .. } | Phase::Removing { deadline, .. } => {
            Some((cluster.name.clone(), *deadline))
        }
        Phase::Free { .. } | Phase::InUse { .. } | Phase::Failed { .. } | Phase::Lost { .. } => None,
    }
}

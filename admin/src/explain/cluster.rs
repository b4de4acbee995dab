//! Explains a cluster.

use common::model::{Cluster, Health, Host, HostState, NodeState, Phase, Timestamp, Want};

use super::host::{doing, held_back, retry};
use super::{Explanation, Point, Subject, Told};
use crate::reconciler::{HostOutlook, RetryOf};

/// Explains a cluster, from its record, its host's, and what the reconciler told of its last pass over that.
pub fn explain_cluster(
    cluster: &Cluster,
    host: Option<&Host>,
    told: &Told<HostOutlook>,
    now: Timestamp,
) -> Explanation {
    let outlook = told.outlook.as_ref();
    let of_it = |id: &Option<common::model::ClusterId>| id.as_ref() == Some(&cluster.id);
    let mut held: Vec<Point> = Vec::new();
    let (mut under_way, mut next) = (Vec::new(), Vec::new());
    if let Some(outlook) = outlook {
        under_way.extend(outlook.doing.iter().filter(|one| of_it(&one.cluster)).map(doing));
        held.extend(outlook.blind.iter().map(|why| {
            Point::new("everything on its host").why(format!("the store does not answer the reconciler: {why}"))
        }));
        held.extend(outlook.held.iter().filter(|one| of_it(&one.cluster)).map(held_back));
        if let (Some(why), Some(at)) = (&outlook.link.error, outlook.link.next_try) {
            held.push(Point::new("everything on its host").why(format!("it does not answer: {why}")).at(at));
        }
        if let Some(probe) = outlook.probes.get(&cluster.id) {
            next.push(match &probe.wrong {
                None => Point::new("the next probe is due").at(probe.next.max(now)).routine(),
                Some(wrong) => Point::new("the next probe is due").at(probe.next.max(now)).why(wrong),
            });
        }
        let its_flavor = |of: &RetryOf| matches!(of, RetryOf::Flavor { flavor } if *flavor == cluster.flavor);
        next.extend(outlook.retries.iter().filter(|one| its_flavor(&one.of) && one.next > now).map(retry));
    }
    held.extend(told.silence());
    next.extend(phase_ends(cluster, under_way.first(), now));
    next.extend(told.next());
    Explanation {
        of: Subject::Cluster { id: cluster.id.clone(), name: cluster.name.to_string() },
        at: now,
        told_by: told.source.clone(),
        looked_at: outlook.map(|outlook| outlook.at),
        stopped: 0,
        filled: None,
        wanted: wanted(cluster),
        is: is(cluster, host),
        doing: under_way,
        held,
        next,
    }
    .ordered()
}

fn wanted(cluster: &Cluster) -> Vec<Point> {
    let life = match &cluster.phase {
        Phase::Creating { since, .. } => {
            Point::new("it becomes free: every node runs and its probes hold").since(*since)
        }
        Phase::Free { since } => Point::new("it waits for a user, proven well").since(*since),
        Phase::InUse { lease } => {
            Point::new(format!("{} keeps it until it is released", lease.user)).since(lease.applied_at)
        }
        Phase::Releasing { since, by, .. } => {
            Point::new("it is removed").why(format!("released by {by}")).since(*since)
        }
        Phase::Removing { since, why, .. } => Point::new("it is removed").why(why.to_string()).since(*since),
        Phase::Failed { since, why } => {
            Point::new("what can be learnt of it is kept, then it is removed").why(why.to_string()).since(*since)
        }
        Phase::Lost { since, reason, .. } => Point::new("its record goes").why(reason).since(*since),
    };
    let mut wanted = vec![life];
    if matches!(cluster.phase, Phase::Creating { .. } | Phase::Free { .. } | Phase::InUse { .. }) {
        let running = cluster.wishes.values().filter(|wish| wish.want == Want::Running).count();
        wanted.push(Point::new(format!("{running} of {} nodes run", cluster.wishes.len())).count(running as u64));
        let stopped = cluster.wishes.iter().filter(|(_, wish)| wish.want == Want::Stopped);
        wanted.extend(stopped.map(|(name, _)| Point::new(format!("{name} is stopped")).why("somebody asked for it")));
    }
    wanted
}

fn is(cluster: &Cluster, host: Option<&Host>) -> Vec<Point> {
    let mut is = vec![match &cluster.health {
        Health::Ok => Point::new("it is well").at(cluster.proven_at),
        Health::Failing { since, times, seen } => Point::new("it is not well").since(*since).times(*times).why(seen),
        Health::Unknown => Point::new("whether it is well is not known"),
    }];
    for (name, wish) in &cluster.wishes {
        let node = cluster.nodes.get(name);
        let state = node.map_or(NodeState::Missing, |node| node.state);
        let runs = state == NodeState::Running;
        match wish.want {
            Want::Running if !runs => is.push(Point::new(format!("{name} does not run: {}", word(state)))),
            Want::Stopped if runs => is.push(Point::new(format!("{name} still runs"))),
            Want::Running if node.is_some_and(|node| node.restarted_seq < wish.restart_seq) => {
                is.push(Point::new(format!("{name} was not restarted yet, as it was asked")));
            }
            Want::Running | Want::Stopped => {}
        }
    }
    if matches!(cluster.phase, Phase::Free { .. }) {
        is.push(match &cluster.offer {
            Some(offer) => Point::new("it can be given out, until it must be proven again").at(offer.until),
            None => Point::new("it cannot be given out now"),
        });
    }
    match host.map(|host| &host.contact.state) {
        None => is.push(Point::new("its host is gone")),
        Some(HostState::Inactive { since, why }) => {
            is.push(Point::new("its host does not answer").since(*since).why(why));
        }
        Some(HostState::Active { .. }) => {}
    }
    is
}

fn word(state: NodeState) -> &'static str {
    match state {
        NodeState::Missing => "it is not made yet",
        NodeState::Created => "it is made and not started",
        NodeState::Running => "it runs",
        NodeState::Paused => "it is paused",
        NodeState::Restarting => "it is restarting",
        NodeState::Exited => "it has ended",
        NodeState::Dead => "it is dead",
        NodeState::Gone => "it is gone, and its ledger with it",
    }
}

/// What ends the phase it is in. While something is done to it nothing else is decided about it.
fn phase_ends(cluster: &Cluster, doing: Option<&Point>, now: Timestamp) -> Option<Point> {
    let overdue = |at: Timestamp, then: &str, late: &str| {
        if at > now { Point::new(then).at(at) } else { Point::new(late).at(at) }
    };
    match &cluster.phase {
        Phase::Creating { deadline, .. } => Some(match doing.filter(|doing| !doing.routine) {
            Some(_) => overdue(
                *deadline,
                "it counts as failed if it is not ready by then and what is under way has ended, and is replaced",
                "it is not ready in time; what is under way is waited for, then it has a moment to get ready, else it is \
                 given up and replaced",
            ),
            None => overdue(
                *deadline,
                "it counts as failed if it is not ready by then, and is replaced",
                "it is not ready in time, and is given up unless it was brought up just now",
            ),
        }),
        Phase::Releasing { deadline, .. } | Phase::Removing { deadline, .. } => {
            Some(overdue(*deadline, "its removal is called overdue", "its removal is overdue; it is tried on and on"))
        }
        Phase::Free { .. } => cluster
            .offer
            .as_ref()
            .map(|offer| Point::new("it is given out no more, unless it is proven well again before").at(offer.until)),
        Phase::InUse { .. } | Phase::Failed { .. } | Phase::Lost { .. } => None,
    }
}

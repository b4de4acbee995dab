//! Explains a flavor.

use std::collections::BTreeMap;

use common::model::{Flavor, FlavorId, PhaseKind, Timestamp};

use super::explanation::stopped_ones;
use super::host::{gives_way, in_phase};
use super::pool::{doing, held, retry};
use super::{Explanation, Filled, Point, Subject, Told};
use crate::reconciler::PoolOutlook;

/// Explains a flavor, from how many clusters of it are in each phase and what the reconciler told of all hosts.
pub fn explain_flavor(
    flavor: &Flavor,
    phases: &BTreeMap<PhaseKind, u64>,
    told: &Told<PoolOutlook>,
    now: Timestamp,
) -> Explanation {
    let pool = told.outlook.as_ref();
    let of_it = |all: &BTreeMap<FlavorId, u64>| all.get(&flavor.id).copied().unwrap_or_default();
    let (target, stopped) = pool.map_or((0, 0), |pool| (of_it(&pool.target), of_it(&pool.stopped)));
    let mut is: Vec<Point> = phases.iter().map(|(phase, n)| in_phase(*phase, *n)).collect();
    if is.is_empty() {
        is.push(Point::new("no cluster of it is there").count(0));
    }
    is.extend(stopped_ones(stopped));
    let wanted = pool.map(|_| match target.saturating_sub(stopped) {
        0 => {
            let why = "the pool's mix has no room for it, or no host is to be filled";
            Point::new("none waits for users").why(why).count(0)
        }
        n => Point::new(format!("{n} wait for users, over all hosts")).count(n),
    });
    let ways = pool.iter().flat_map(|pool| &pool.gives_way);
    let ways = ways.filter(|(_, from, to)| [from, to].contains(&&flavor.id));
    let ways: Vec<Point> = ways.map(|(host, from, to)| gives_way(from, to).host(host)).collect();
    let own = |of: &Option<FlavorId>| of.as_ref() == Some(&flavor.id);
    let mut held_back: Vec<Point> =
        pool.iter().flat_map(|pool| &pool.held).filter(|one| own(&one.flavor)).map(held).collect();
    held_back.extend(told.silence());
    let mut next: Vec<Point> =
        pool.iter().flat_map(|pool| &pool.retries).filter(|one| own(&one.flavor)).map(retry).collect();
    next.extend(told.next());
    Explanation {
        of: Subject::Flavor { id: flavor.id.clone(), name: flavor.title.clone() },
        at: now,
        told_by: told.source.clone(),
        looked_at: pool.and_then(|pool| pool.oldest),
        stopped,
        filled: pool.map(|_| Filled::of(phases, target, stopped)),
        wanted: wanted.into_iter().chain(ways).collect(),
        is,
        doing: pool.iter().flat_map(|pool| &pool.doing).filter(|one| own(&one.flavor)).map(doing).collect(),
        held: held_back,
        next,
    }
    .ordered()
}

//! Decides which waiting clusters of a host are too many. Part of [`super`]: as plain as it.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, ClusterId, FlavorId, Phase};

use super::Planner;
use crate::reconciler::plan::Work;
use crate::reconciler::plan::pool::Target;

impl Planner<'_> {
    /// Waiting clusters beyond the capacity: those of flavors of which more wait than wanted, those being made first, then
    /// the youngest; what an operator wanted there last. Never a leased one.
    pub(super) fn surplus(&self, target: &Target) -> BTreeSet<ClusterId> {
        let clusters = &self.view.clusters;
        let alive = clusters
            .iter()
            .filter(|c| matches!(c.phase, Phase::Creating { .. } | Phase::Free { .. } | Phase::InUse { .. }))
            .count();
        let beyond = alive.saturating_sub(usize::from(self.view.host.settings.capacity));
        if beyond == 0 {
            return BTreeSet::new();
        }
        let mut waiting: Vec<&Cluster> = clusters.iter().filter(|c| waits(c)).collect();
        waiting.sort_by_key(|c| (c.asked_by.is_some(), c.phase.kind(), std::cmp::Reverse(c.created_at), c.id.clone()));
        let mut over: BTreeMap<&FlavorId, u32> = BTreeMap::new();
        for cluster in &waiting {
            *over.entry(&cluster.flavor).or_default() += 1;
        }
        for (flavor, count) in &mut over {
            *count = count.saturating_sub(target.want.get(*flavor).copied().unwrap_or(0));
        }
        let (unwanted, wanted): (Vec<&Cluster>, Vec<&Cluster>) = waiting.into_iter().partition(|cluster| {
            let over = over.get_mut(&cluster.flavor).filter(|over| **over > 0);
            over.map(|over| *over -= 1).is_some()
        });
        unwanted.into_iter().chain(wanted).take(beyond).map(|c| c.id.clone()).collect()
    }

    /// The free cluster that gives way to another flavor, if the target says so and there still are more of its flavor than
    /// it wants. One without an offer before one that could be had now, the oldest among equals; never one that somebody
    /// wanted there or stopped.
    pub(super) fn gives_way(&self, target: &Target) -> Option<(ClusterId, FlavorId)> {
        let (from, to) = target.give_way.as_ref()?;
        let of_it = || self.view.clusters.iter().filter(|c| c.flavor == *from);
        let want = target.want.get(from).copied().unwrap_or(0) as usize;
        if !self.view.host.fills() || of_it().filter(|c| waits(c)).count() <= want {
            return None;
        }
        // One that is being written down may be the one that goes.
        let written = |c: &Cluster| self.view.memory.busy.get(&c.id).is_some_and(|busy| busy.work == Work::Write);
        if of_it().any(written) {
            return None;
        }
        let free = of_it().filter(|c| matches!(c.phase, Phase::Free { .. }) && !c.is_kept() && !self.is_busy(&c.id));
        let one = free.min_by_key(|c| (c.offer.is_some(), c.created_at, c.id.clone()))?;
        Some((one.id.clone(), to.clone()))
    }
}

fn waits(cluster: &Cluster) -> bool {
    matches!(cluster.phase, Phase::Creating { .. } | Phase::Free { .. })
}

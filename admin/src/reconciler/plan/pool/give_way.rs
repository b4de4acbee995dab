//! Decides when a free cluster gives way to another flavor. Part of [`super`]: as plain as it.
//!
//! What exists is kept, but for this: a flavor has fewer than its floor (its minimum, or one if it has a weight), no host
//! has room for it, and a host could make it that holds a free cluster of a flavor with more than its own floor. Then one
//! such cluster is removed and one of the other flavor is made in its place.
//!
//! Why it comes to rest: each exchange takes one from a flavor above its floor, which stays at or above it, and gives one
//! to a flavor below, so the sum of what is missing below floors falls by one each time and nothing makes it grow but users
//! and failures. Weights and demand, which move all the time, cannot cause an exchange. And it is slow: [`Patience`] lets
//! one through a minute, for a shortage that lasted, so that what comes back by itself is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{FlavorId, HostId, Timestamp};

use super::demand::Demand;
use super::{Group, HostRoom, PoolPlan};

/// One free cluster that would give way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiveWay {
    /// On which host.
    pub host: HostId,
    /// Of which flavor one goes.
    pub from: FlavorId,
    /// Of which flavor one is made.
    pub to: FlavorId,
}

/// What the group lacks and has no room for, and what could give way to each of it.
pub(super) fn give_way(hosts: &[HostRoom], group: &Group, demand: &Demand) -> Vec<GiveWay> {
    // What has its place on a host that holds it back may come or not: a place is no cluster.
    let lacks = |i: &usize| group.have[*i] - group.hoped[*i] < group.shares[*i].floor;
    (0..group.shares.len()).filter(lacks).filter_map(|short| exchange(hosts, group, demand, short)).collect()
}

fn exchange(hosts: &[HostRoom], group: &Group, demand: &Demand, short: usize) -> Option<GiveWay> {
    let to = &group.shares[short].flavor;
    // One at a time: the last exchange, or any other making of it, shows first whether it can be made.
    if group.hosts.iter().any(|i| hosts[*i].waiting.get(to) > hosts[*i].free.get(to)) {
        return None;
    }
    let free: BTreeMap<&FlavorId, u64> = free_ones(hosts, group);
    let able = group.hosts.iter().copied().filter(|i| could_make(&hosts[*i], to));
    let donors = able.flat_map(|i| hosts[i].free.keys().map(move |from| (i, from, spare_here(&hosts[i], from))));
    let spare = donors.filter(|(_, _, here)| *here > 0).filter_map(|(i, from, here)| {
        let share = group.shares.iter().find(|share| share.flavor == *from);
        // The last one of what people take stays, whether operators still want it or not.
        let floor = share.map_or(0, |share| share.floor).max(u64::from(demand.asks_for(from)));
        let over = free.get(from).copied().unwrap_or(0).checked_sub(floor).filter(|over| *over > 0)?;
        let weight = share.map_or(0, |share| share.weight);
        // The most for its weight; of that the host that has most of it, and the first among equals.
        Some((over.saturating_mul(1_000_000) / weight.max(1), here, std::cmp::Reverse(i), from))
    });
    let (_, _, std::cmp::Reverse(host), from) = spare.max()?;
    Some(GiveWay { host: hosts[host].id.clone(), from: from.clone(), to: to.clone() })
}

/// How many of a flavor a host could spare at all: those that somebody wanted there or stopped stay.
fn spare_here(host: &HostRoom, flavor: &FlavorId) -> u32 {
    let kept = host.standing.kept.get(flavor).copied().unwrap_or(0);
    host.free.get(flavor).copied().unwrap_or(0).saturating_sub(kept)
}

/// How many are Free on the group's hosts that give them out, and not stopped. Less than floors count, so it errs on the side of keeping.
fn free_ones<'a>(hosts: &'a [HostRoom], group: &Group) -> BTreeMap<&'a FlavorId, u64> {
    let mut free = BTreeMap::new();
    for host in group.hosts.iter().map(|i| &hosts[*i]).filter(|host| host.gives) {
        for (flavor, count) in &host.free {
            *free.entry(flavor).or_default() += u64::from(count.saturating_sub(host.stopped(flavor)));
        }
    }
    free
}

/// Whether there is no reason to think that it could not be made there: nothing is destroyed for a mere hope.
fn could_make(host: &HostRoom, flavor: &FlavorId) -> bool {
    let standing = &host.standing;
    let full = host.going == 0 && host.waiting.values().sum::<u32>() + host.in_use == host.capacity;
    host.fills && full && standing.held.is_none() && !standing.careful && !standing.flavors.contains_key(flavor)
}

/// Slows down what gives way. The leader's memory, begun anew with each leader: it only waits longer then.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    /// The flavors that are lacking, and since when each is.
    lacking: BTreeMap<FlavorId, Timestamp>,
    /// What was let through last and when, and how many of the flavor that gave way were wanted there after it.
    last: Option<(GiveWay, u32, Timestamp)>,
}

impl Patience {
    /// Puts what gives way into the targets, if the shortage lasted and nothing else gave way lately: both for
    /// [`crate::reconciler::policy::Policy::give_way_every`].
    pub fn settle(&mut self, plan: &mut PoolPlan, every: Duration, now: Timestamp) {
        let before = std::mem::take(&mut self.lacking);
        let since = |flavor: &FlavorId| before.get(flavor).copied().unwrap_or(now);
        self.lacking = plan.give_way.iter().map(|one| (one.to.clone(), since(&one.to))).collect();
        let wanted = |plan: &PoolPlan, one: &GiveWay| {
            plan.targets.get(&one.host).and_then(|target| target.want.get(&one.from)).copied().unwrap_or(0)
        };
        if let Some((last, left, _)) = self.last.as_ref().filter(|(_, _, at)| *at + every > now) {
            // The one that was let through stays in the targets until its host has carried it out: the same again is no second.
            if plan.give_way.contains(last) && wanted(plan, last).saturating_sub(1) == *left {
                let_through(plan, last, *left);
            }
            return;
        }
        // What is lacking longest; the first in the mix among equals.
        let Some(exchange) = plan.give_way.iter().min_by_key(|one| since(&one.to)).cloned() else { return };
        if since(&exchange.to) + every > now {
            return;
        }
        let left = wanted(plan, &exchange).saturating_sub(1);
        let_through(plan, &exchange, left);
        self.last = Some((exchange, left, now));
    }
}

/// Puts an exchange into its host's target, which then wants so many of what gives way.
fn let_through(plan: &mut PoolPlan, exchange: &GiveWay, left: u32) {
    let Some(target) = plan.targets.get_mut(&exchange.host) else { return };
    target.want.insert(exchange.from.clone(), left);
    *target.want.entry(exchange.to.clone()).or_default() += 1;
    target.give_way = Some((exchange.from.clone(), exchange.to.clone()));
}

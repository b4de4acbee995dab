//! Decides what each host should hold, by flavor.
//!
//! A plain function of its arguments: no clock, no store, no engine, no randomness. What exists is kept, with one
//! exception that [`give_way`] has. What is new goes, in this order:
//!
//! 1. to flavors of which fewer wait than their minimum, the one furthest below it first;
//! 2. one each to flavors that have a weight and of which none waits, the heaviest first;
//! 3. by weight, as demand moves it ([`demand`]), to the flavor that has least for its weight.
//!
//! A host with a mix of its own is filled by that alone, its minimums being met on it. Minimums of the pool's mix count
//! what waits anywhere. Which host makes one is [`place`]'s to say.

pub mod demand;
#[cfg(test)]
mod demand_test;
pub mod give_way;
mod place;
#[cfg(test)]
mod pool_test;
#[cfg(test)]
mod properties_test;
pub mod rooms;
pub mod standing;

use std::collections::BTreeMap;

use common::model::{FlavorId, HostId};

use self::demand::{Demand, Mix, Share, weigh};
use self::give_way::{GiveWay, give_way};
use self::place::Places;
use self::standing::Standing;

/// One host as the pool's plan sees it.
#[derive(Clone, Debug)]
pub struct HostRoom {
    /// Which.
    pub id: HostId,
    /// Whether its free clusters are given out: it serves and is active.
    pub gives: bool,
    /// Whether new clusters may be made there: it serves, is active, and is kept filled.
    pub fills: bool,
    /// How many clusters it may hold.
    pub capacity: u32,
    /// Clusters that wait for a user, or will: Creating and Free, by flavor. Those that somebody stopped are among them.
    pub waiting: BTreeMap<FlavorId, u32>,
    /// Those of them that are Free.
    pub free: BTreeMap<FlavorId, u32>,
    /// Clusters that users hold.
    pub in_use: u32,
    /// Clusters that go: Releasing, Removing and Failed. Their places come free.
    pub going: u32,
    /// Its own mix; empty: the pool's.
    pub mix: Mix,
    /// What its loop says of making.
    pub standing: Standing,
}

impl HostRoom {
    /// How many of its Free ones somebody stopped: they keep their places and wait for nobody.
    pub fn stopped(&self, flavor: &FlavorId) -> u32 {
        self.standing.stopped.get(flavor).copied().unwrap_or(0)
    }
}

/// What a host should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Creating and Free ones together, by flavor. Never less than there are but where more are there than the host may hold,
    /// and for one that gives way.
    pub want: BTreeMap<FlavorId, u32>,
    /// A free cluster of the first flavor gives way to one of the second, if there are still more of it than wanted.
    pub give_way: Option<(FlavorId, FlavorId)>,
}

/// What the pool wants of its hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPlan {
    /// Every host's target.
    pub targets: BTreeMap<HostId, Target>,
    /// What would mend each shortage that no room is left for, the first in the mix first. Not in the targets: it waits for
    /// [`give_way::Patience`].
    pub give_way: Vec<GiveWay>,
}

/// Hosts that are filled by one mix.
struct Group {
    shares: Vec<Share>,
    /// By place in the list of hosts.
    hosts: Vec<usize>,
    /// How many of each share wait, as floors count them.
    have: Vec<u64>,
    /// How many of each share wait, as weights count them: on the group's hosts.
    near: Vec<u64>,
    /// How many of those that floors count are only hoped for: their place is on a host that holds them back.
    hoped: Vec<u64>,
}

/// Decides every host's target.
pub fn plan_pool(hosts: &[HostRoom], mix: &Mix, demand: &Demand) -> PoolPlan {
    let mut places = Places::new(hosts);
    let mut shortages = Vec::new();
    for mut group in groups(hosts, mix, demand) {
        shrink(&mut group, hosts, &mut places);
        fill(&mut group, &mut places);
        shortages.extend(give_way(hosts, &group, demand));
    }
    let target = |(host, want): (&HostRoom, _)| (host.id.clone(), Target { want, give_way: None });
    PoolPlan { targets: hosts.iter().zip(places.into_wants()).map(target).collect(), give_way: shortages }
}

/// The hosts of the pool's mix, then each host that has its own.
fn groups(hosts: &[HostRoom], mix: &Mix, demand: &Demand) -> Vec<Group> {
    let (pools, own): (Vec<usize>, Vec<usize>) = (0..hosts.len()).partition(|i| hosts[*i].mix.is_empty());
    let everywhere: Vec<usize> = (0..hosts.len()).collect();
    let mut groups = vec![group(hosts, weigh(mix, demand), pools, &everywhere)];
    groups.extend(own.into_iter().map(|i| group(hosts, weigh(&hosts[i].mix, demand), vec![i], &[i])));
    groups
}

fn group(hosts: &[HostRoom], shares: Vec<Share>, members: Vec<usize>, counted: &[usize]) -> Group {
    let count = |among: &[usize], flavor: &FlavorId| -> u64 {
        let of = |i: &usize| {
            let waiting = hosts[*i].waiting.get(flavor).copied().unwrap_or(0);
            waiting.saturating_sub(hosts[*i].stopped(flavor))
        };
        // What is on a host that gives nothing out waits for nobody.
        among.iter().filter(|i| hosts[**i].gives).map(|i| u64::from(of(i))).sum()
    };
    let have = shares.iter().map(|share| count(counted, &share.flavor)).collect();
    let near = shares.iter().map(|share| count(&members, &share.flavor)).collect();
    let hoped = vec![0; shares.len()];
    Group { shares, hosts: members, have, near, hoped }
}

/// Decides which flavors lose where a host has more than it may hold: those not in the mix, then those with most for their
/// weight, what is at its floor last.
fn shrink(group: &mut Group, hosts: &[HostRoom], places: &mut Places<'_>) {
    for i in group.hosts.clone() {
        let waiting: u32 = hosts[i].waiting.values().sum();
        for _ in hosts[i].capacity.saturating_sub(hosts[i].in_use)..waiting {
            let share = |flavor: &FlavorId| group.shares.iter().position(|share| share.flavor == *flavor);
            let spare = |flavor: &FlavorId| {
                let Some(n) = share(flavor) else { return (2, u64::MAX) };
                let (share, have) = (&group.shares[n], group.have[n]);
                (u8::from(have > share.floor), have.saturating_mul(1_000_000) / share.weight.max(1))
            };
            let Some(flavor) = places.most(i, spare) else { break };
            places.give_up(i, &flavor);
            if let Some(n) = share(&flavor).filter(|_| hosts[i].gives) {
                group.have[n] = group.have[n].saturating_sub(1);
                group.near[n] = group.near[n].saturating_sub(1);
            }
        }
    }
}

/// Gives the group's room to its flavors, one place after another.
fn fill(group: &mut Group, places: &mut Places<'_>) {
    let mut open: Vec<usize> = (0..group.shares.len()).collect();
    let mut queues: Vec<_> = group.shares.iter().map(|share| places.queue(&group.hosts, &share.flavor)).collect();
    while let Some(next) = neediest(group, &open) {
        match places.take(&mut queues[next], &group.shares[next].flavor) {
            Some(host) => {
                group.have[next] += 1;
                group.near[next] += 1;
                group.hoped[next] += u64::from(places.is_held(host, &group.shares[next].flavor));
            }
            // No host takes another one of it.
            None => open.retain(|one| *one != next),
        }
    }
}

/// Which of these flavors comes next; `None` if none of them is wanted. The first in the mix among equals.
fn neediest(group: &Group, open: &[usize]) -> Option<usize> {
    let below = |i: &usize| group.have[*i] < group.shares[*i].min_free;
    let none_waits = |i: &usize| group.shares[*i].weight > 0 && group.have[*i] == 0;
    // a / b < c / d, without fractions.
    let less = |(a, b): (u64, u64), (c, d): (u64, u64)| u128::from(a) * u128::from(d) < u128::from(c) * u128::from(b);
    let least = |ratio: &dyn Fn(usize) -> (u64, u64), among: &mut dyn Iterator<Item = usize>| {
        among.reduce(|best, one| if less(ratio(one), ratio(best)) { one } else { best })
    };
    let mut by_minimum = open.iter().filter(|i| below(i)).copied();
    let mut absent = open.iter().filter(|i| none_waits(i)).copied();
    let mut by_weight = open.iter().filter(|i| group.shares[**i].weight > 0).copied();
    least(&|i| (group.have[i], group.shares[i].min_free), &mut by_minimum)
        .or_else(|| least(&|i| (1, group.shares[i].weight), &mut absent))
        // With one more added, so that weight decides among empty ones.
        .or_else(|| least(&|i| (group.near[i] + 1, group.shares[i].weight), &mut by_weight))
}

//! Decides what each host should hold, by flavor.
//!
//! A plain function of its arguments: no clock, no store, no engine, no randomness. What exists is kept: a free
//! cluster of one flavor is not removed to make another. What is new goes where the mix and the hosts need it most.

use std::collections::BTreeMap;

use common::model::{FlavorId, HostId};

/// One host as the pool's plan sees it.
#[derive(Clone, Debug)]
pub struct HostRoom {
    /// Which.
    pub id: HostId,
    /// Whether new clusters may be made there: it serves, is active, and is kept filled.
    pub fills: bool,
    /// How many clusters it may hold.
    pub capacity: u32,
    /// Clusters that wait for a user, or will: Creating and Free, by flavor.
    pub waiting: BTreeMap<FlavorId, u32>,
    /// Clusters that users hold.
    pub in_use: u32,
}

/// How often each flavor is wanted, relative to the others. Flavors that are not here are not made.
pub type Mix = Vec<(FlavorId, u32)>;

/// What a host should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Creating and Free ones together, by flavor. Never less than there are: a surplus is the host's plan's to see.
    pub want: BTreeMap<FlavorId, u32>,
}

/// Decides every host's target.
pub fn plan_pool(hosts: &[HostRoom], mix: &Mix) -> BTreeMap<HostId, Target> {
    let mut targets: BTreeMap<HostId, Target> = BTreeMap::new();
    let mut have: BTreeMap<&FlavorId, u64> = BTreeMap::new();
    let mut room: Vec<(u32, &HostRoom)> = Vec::new();
    for host in hosts {
        let waiting: u32 = host.waiting.values().sum();
        let place = host.capacity.saturating_sub(host.in_use);
        for (flavor, count) in &host.waiting {
            *have.entry(flavor).or_default() += u64::from(*count);
        }
        targets.insert(host.id.clone(), Target { want: host.waiting.clone() });
        if host.fills && place > waiting {
            room.push((place - waiting, host));
        }
    }
    // The host with most room first, again and again, so that the pool fills evenly. Ties go by id.
    room.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let wanted: Vec<&(FlavorId, u32)> = mix.iter().filter(|(_, weight)| *weight > 0).collect();
    let mut next = 0;
    while !room.is_empty() && !wanted.is_empty() {
        next %= room.len();
        let flavor = neediest(&wanted, &have);
        *have.entry(flavor).or_default() += 1;
        let (left, host) = &mut room[next];
        if let Some(target) = targets.get_mut(&host.id) {
            *target.want.entry(flavor.clone()).or_default() += 1;
        }
        *left -= 1;
        if *left == 0 {
            room.remove(next);
        } else {
            next += 1;
        }
    }
    targets
}

/// The flavor that has least for its weight; the first in the mix among equals.
fn neediest<'a>(wanted: &[&'a (FlavorId, u32)], have: &BTreeMap<&FlavorId, u64>) -> &'a FlavorId {
    let load = |(flavor, weight): &(FlavorId, u32)| {
        let count = have.get(flavor).copied().unwrap_or(0);
        (count, u64::from(*weight))
    };
    let mut best = wanted[0];
    for candidate in &wanted[1..] {
        let ((a, wa), (b, wb)) = (load(candidate), load(best));
        // a / wa < b / wb, without fractions; compared with one more added, so that weight decides among empty ones.
        if (a + 1) * wb < (b + 1) * wa {
            best = candidate;
        }
    }
    &best.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flavor(name: &str) -> FlavorId {
        FlavorId::parse(name).unwrap()
    }

    fn host(n: u8, capacity: u32, waiting: &[(&str, u32)], in_use: u32) -> HostRoom {
        HostRoom {
            id: HostId::parse(&format!("{n:024x}")).unwrap(),
            fills: true,
            capacity,
            waiting: waiting.iter().map(|(name, count)| (flavor(name), *count)).collect(),
            in_use,
        }
    }

    fn mix(weights: &[(&str, u32)]) -> Mix {
        weights.iter().map(|(name, weight)| (flavor(name), *weight)).collect()
    }

    fn wants(hosts: &[HostRoom], weights: &[(&str, u32)]) -> Vec<String> {
        let targets = plan_pool(hosts, &mix(weights));
        hosts
            .iter()
            .map(|host| {
                let target = &targets[&host.id];
                target.want.iter().map(|(name, count)| format!("{name}:{count}")).collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    #[test]
    fn an_empty_host_is_filled_by_weight() {
        assert_eq!(wants(&[host(1, 6, &[], 0)], &[("a", 2), ("b", 1)]), ["a:4 b:2"]);
        assert_eq!(wants(&[host(1, 1, &[], 0)], &[("a", 1), ("b", 1)]), ["a:1"]);
    }

    #[test]
    fn what_is_taken_most_is_made_next() {
        assert_eq!(wants(&[host(1, 4, &[("a", 0), ("b", 2)], 1)], &[("a", 1), ("b", 1)]), ["a:1 b:2"]);
    }

    #[test]
    fn hosts_fill_evenly_and_a_cordoned_one_not_at_all() {
        let mut cordoned = host(3, 9, &[("a", 1)], 0);
        cordoned.fills = false;
        let hosts = [host(1, 2, &[], 0), host(2, 2, &[], 0), cordoned];
        assert_eq!(wants(&hosts, &[("a", 1)]), ["a:2", "a:2", "a:1"]);
    }

    #[test]
    fn a_shrunken_host_is_asked_for_nothing_new() {
        assert_eq!(wants(&[host(1, 2, &[("a", 2)], 1)], &[("a", 1)]), ["a:2"]);
        assert_eq!(wants(&[host(1, 1, &[], 3)], &[("a", 1)]), [""]);
    }

    proptest! {
        #[test]
        fn capacity_is_met_exactly_where_it_can_be(
            rooms in prop::collection::vec((0u32..20, 0u32..10, 0u32..10, 0u32..10), 1..6),
            weights in prop::collection::vec(0u32..4, 3),
        ) {
            let hosts: Vec<_> = rooms.iter().enumerate()
                .map(|(i, (cap, a, b, used))| host(i as u8, *cap, &[("a", *a), ("b", *b)], *used)).collect();
            let mix: Mix = ["a", "b", "c"].iter().zip(&weights).map(|(n, w)| (flavor(n), *w)).collect();
            let targets = plan_pool(&hosts, &mix);
            for host in &hosts {
                let target = &targets[&host.id];
                let want: u32 = target.want.values().sum();
                let waiting: u32 = host.waiting.values().sum();
                let place = host.capacity.saturating_sub(host.in_use);
                let expected = if weights.iter().any(|w| *w > 0) { place.max(waiting) } else { waiting };
                prop_assert_eq!(want, expected);
            }
            // The same state gives the same plan.
            prop_assert_eq!(targets, plan_pool(&hosts, &mix));
        }
    }
}

//! Properties of the pool's plan: what holds from any state, and that carrying plans out comes to rest.

use common::model::{FlavorId, FlavorShare};
use proptest::prelude::*;

use super::demand::{Demand, Mix};
use super::pool_test::{flavor, holds, host};
use super::standing::Standing;
use super::{HostRoom, PoolPlan, plan_pool};

fn any_hosts() -> impl Strategy<Value = Vec<HostRoom>> {
    let counts = || prop::collection::vec(0u32..8, 3);
    let held = || prop::collection::vec(prop::option::weighted(0.15, any::<bool>()), 3);
    let one = (0u32..20, counts(), counts(), 0u32..6, 0u32..3, any::<bool>(), held(), prop::option::of(any_mix()));
    prop::collection::vec(one, 1..6).prop_map(|hosts| {
        let names = ["a", "b", "c"];
        let all = hosts.into_iter().enumerate();
        all.map(|(n, (capacity, free, creating, in_use, going, fills, held, own))| {
            let mut room = host(n, capacity, &[], in_use);
            (room.going, room.fills, room.gives) = (going, fills, fills);
            for (i, name) in names.iter().enumerate() {
                room.free.insert(flavor(name), free[i]);
                room.waiting.insert(flavor(name), free[i] + creating[i] / 4);
                if let Some(for_long) = held[i] {
                    holds(&mut room, name, for_long);
                }
            }
            room.mix = own.filter(|_| n % 3 == 2).unwrap_or_default();
            room
        })
        .collect()
    })
}

fn any_mix() -> impl Strategy<Value = Mix> {
    prop::collection::vec((0u32..4, 0u32..4), 3).prop_map(|shares| {
        let share =
            |(name, (weight, min_free)): (&str, (u32, u32))| FlavorShare { flavor: flavor(name), weight, min_free };
        ["a", "b", "c"].into_iter().zip(shares).map(share).collect()
    })
}

/// Makes what is wanted at once, as if every making worked, and lets what gives way go. Whether anything changed.
fn carry_out(hosts: &mut [HostRoom], plan: &PoolPlan) -> bool {
    let mut changed = false;
    for host in hosts.iter_mut() {
        let mut want = plan.targets[&host.id].want.clone();
        if let Some(exchange) = plan.give_way.first().filter(|exchange| exchange.host == host.id) {
            *want.get_mut(&exchange.from).unwrap() -= 1;
            *want.entry(exchange.to.clone()).or_default() += 1;
        }
        want.retain(|_, count| *count > 0);
        host.going = 0;
        let had: std::collections::BTreeMap<_, _> =
            host.waiting.iter().filter(|(_, n)| **n > 0).map(|(f, n)| (f.clone(), *n)).collect();
        changed |= had != want;
        (host.waiting, host.free) = (want.clone(), want);
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn capacity_is_met_where_it_can_be_and_never_exceeded(hosts in any_hosts(), mix in any_mix()) {
        let plan = plan_pool(&hosts, &mix, &Demand::default());
        for host in &hosts {
            let want: u32 = plan.targets[&host.id].want.values().sum();
            let waiting: u32 = host.waiting.values().sum();
            let place = host.capacity.saturating_sub(host.in_use);
            prop_assert!(want <= place);
            let mix = if host.mix.is_empty() { &mix } else { &host.mix };
            let makes = |share: &FlavorShare| {
                share.weight > 0 && !host.standing.flavors.get(&share.flavor).is_some_and(|held| held.for_long)
            };
            if host.fills && mix.iter().any(makes) {
                prop_assert_eq!(want, place, "room is left on {}", host.id);
            }
            // What exists is kept.
            for (flavor, count) in host.waiting.iter().filter(|_| waiting <= place) {
                prop_assert!(plan.targets[&host.id].want.get(flavor).is_some_and(|want| want >= count));
            }
        }
        // The same state gives the same plan.
        prop_assert_eq!(plan, plan_pool(&hosts, &mix, &Demand::default()));
    }

    #[test]
    fn no_flavor_starves_while_another_has_two_new_ones(hosts in any_hosts(), mix in any_mix()) {
        let hosts: Vec<HostRoom> = hosts.into_iter().map(|mut host| {
            host.mix.clear();
            host.standing = Standing::default();
            host
        }).collect();
        let plan = plan_pool(&hosts, &mix, &Demand::default());
        let count = |name: &FlavorId| -> u32 {
            hosts.iter().filter(|host| host.gives).map(|host| plan.targets[&host.id].want.get(name).copied().unwrap_or(0)).sum()
        };
        let had = |name: &FlavorId| -> u32 {
            hosts.iter().filter(|host| host.gives).map(|host| host.waiting.get(name).copied().unwrap_or(0)).sum()
        };
        for starving in mix.iter().filter(|share| share.weight > 0 && count(&share.flavor) == 0) {
            for other in &mix {
                let before = had(&other.flavor);
                let new = count(&other.flavor).saturating_sub(before);
                let most = other.min_free.saturating_sub(before).max(u32::from(before == 0));
                prop_assert!(new <= most, "{} has none and {} got {new}", starving.flavor, other.flavor);
            }
        }
    }

    #[test]
    fn carrying_plans_out_comes_to_rest_and_nothing_falls_below_its_floor(hosts in any_hosts(), mix in any_mix()) {
        let mut hosts = hosts;
        let floors = |hosts: &[HostRoom]| -> u32 {
            let missing = |share: &FlavorShare| {
                let free: u32 = hosts.iter().filter(|host| host.gives && host.mix.is_empty())
                    .map(|host| host.waiting.get(&share.flavor).copied().unwrap_or(0)).sum();
                share.min_free.max(u32::from(share.weight > 0)).saturating_sub(free)
            };
            mix.iter().map(missing).sum()
        };
        let mut plan = plan_pool(&hosts, &mix, &Demand::default());
        carry_out(&mut hosts, &plan);
        let mut turns = 0;
        let mut missing = floors(&hosts);
        loop {
            plan = plan_pool(&hosts, &mix, &Demand::default());
            let gives = !plan.give_way.is_empty();
            if !carry_out(&mut hosts, &plan) {
                prop_assert!(!gives);
                break;
            }
            turns += 1;
            prop_assert!(turns <= 60, "no rest after {turns} turns");
            prop_assert!(floors(&hosts) <= missing, "a floor fell");
            missing = floors(&hosts);
        }
    }
}

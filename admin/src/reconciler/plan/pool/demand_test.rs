//! An hour of a pool with uneven demand, with and without following it. Pure: [`super`] in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{ApplyCount, FlavorId, FlavorShare, HostId, Timestamp};

use super::demand::{Demand, Mix};
use super::standing::Standing;
use super::{HostRoom, plan_pool};

const CAPACITY: u32 = 12;
/// Seconds that each takes.
const MAKING: u64 = 40;
const REMOVING: u64 = 5;
const SHORTEST: u64 = 60;
const LONGEST: u64 = 120;
/// Makings at once.
const AT_ONCE: usize = 4;

/// What came of an hour.
#[derive(Debug)]
struct Hour {
    given: BTreeMap<FlavorId, u32>,
    missed: BTreeMap<FlavorId, u32>,
    /// The longest time that each flavor had none free, in seconds.
    drought: BTreeMap<FlavorId, u64>,
}

impl Hour {
    fn hit_rate(&self) -> f64 {
        let (given, missed): (u32, u32) = (self.given.values().sum(), self.missed.values().sum());
        f64::from(given) / f64::from(given + missed)
    }
}

fn flavor(n: usize) -> FlavorId {
    FlavorId::parse(&format!("f{n}")).unwrap()
}

/// Users take `skew` (of a hundred applies, how many want which flavor) every twenty seconds or so, and keep it for a
/// minute or two.
fn hour(seed: u64, skew: [usize; 4], follows: bool) -> Hour {
    let mix: Mix = (0..4).map(|n| FlavorShare { flavor: flavor(n), weight: 1, min_free: 0 }).collect();
    let mut chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |n: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        (chance >> 11) as usize % n
    };
    let mut free: BTreeMap<FlavorId, u32> = mix.iter().map(|share| (share.flavor.clone(), 3)).collect();
    let (mut making, mut held, mut going): (Vec<(u64, FlavorId)>, Vec<u64>, Vec<u64>) = Default::default();
    let mut counts: Vec<ApplyCount> = Vec::new();
    let zero = || mix.iter().map(|share| (share.flavor.clone(), 0)).collect();
    let mut hour = Hour { given: zero(), missed: zero(), drought: mix.iter().map(|s| (s.flavor.clone(), 0)).collect() };
    let mut dry: BTreeMap<FlavorId, u64> = BTreeMap::new();
    for second in 0..3600u64 {
        let now = Timestamp::from_millis(10_000_000) + Duration::from_secs(second);
        let (made, left): (Vec<_>, Vec<_>) = making.drain(..).partition(|(ends, _)| *ends <= second);
        making = left;
        made.into_iter().for_each(|(_, flavor)| *free.entry(flavor).or_default() += 1);
        let released = held.iter().filter(|ends| **ends <= second).count();
        held.retain(|ends| *ends > second);
        going.retain(|ends| *ends > second);
        going.extend(std::iter::repeat_n(second + REMOVING, released));
        if draw(20) == 0 {
            let mut wanted = draw(100);
            let n = (0..4)
                .find(|n| {
                    wanted < skew[*n] || {
                        wanted -= skew[*n];
                        false
                    }
                })
                .unwrap();
            let flavor = flavor(n);
            let stock = free.get_mut(&flavor).unwrap();
            let given = *stock > 0;
            let count = if given { &mut hour.given } else { &mut hour.missed };
            *count.get_mut(&flavor).unwrap() += 1;
            if given {
                *stock -= 1;
                held.push(second + SHORTEST + draw((LONGEST - SHORTEST) as usize) as u64);
            }
            counts.push(ApplyCount { minute: now, flavor, given: u64::from(given), missed: u64::from(!given) });
        }
        for (flavor, count) in &free {
            let dry = dry.entry(flavor.clone()).or_default();
            *dry = if *count == 0 { *dry + 1 } else { 0 };
            let longest = hour.drought.get_mut(flavor).unwrap();
            *longest = (*longest).max(*dry);
        }
        let mut waiting = free.clone();
        making.iter().for_each(|(_, flavor)| *waiting.entry(flavor.clone()).or_default() += 1);
        let id = HostId::parse(&"a".repeat(24)).unwrap();
        let room = HostRoom {
            id: id.clone(),
            gives: true,
            fills: true,
            capacity: CAPACITY,
            waiting: waiting.clone(),
            free: free.clone(),
            in_use: held.len() as u32,
            going: going.len() as u32,
            mix: Vec::new(),
            standing: Standing::default(),
        };
        let demand = if follows { Demand::of(&counts, now) } else { Demand::default() };
        let target = &plan_pool(&[room], &mix, &demand).targets[&id];
        let mut there = waiting.values().sum::<u32>() + held.len() as u32 + going.len() as u32;
        for (flavor, want) in &target.want {
            let has = waiting.get(flavor).copied().unwrap_or(0);
            for _ in has..*want {
                if there < CAPACITY && making.len() < AT_ONCE {
                    making.push((second + MAKING, flavor.clone()));
                    there += 1;
                }
            }
        }
    }
    hour
}

#[test]
fn following_demand_serves_more_users_and_starves_no_flavor() {
    let skew = [85, 5, 5, 5];
    let rate = |follows: bool| (1..=8).map(|seed| hour(seed, skew, follows).hit_rate()).sum::<f64>() / 8.0;
    let (with, without) = (rate(true), rate(false));
    assert!(with > without + 0.1, "{with:.3} of the applies with demand, {without:.3} without");
    for seed in 1..=8 {
        let hour = hour(seed, skew, true);
        for n in 0..4 {
            // What is gone is made anew before anything gets a second: after the longest lease, a removal and a making.
            assert!(hour.drought[&flavor(n)] <= LONGEST + REMOVING + MAKING, "seed {seed}: {hour:?}");
        }
    }
}

#[test]
fn even_demand_is_served_as_well_as_without_following_it() {
    let rate = |follows: bool| (1..=8).map(|seed| hour(seed, [25; 4], follows).hit_rate()).sum::<f64>() / 8.0;
    assert!(rate(true) > rate(false) - 0.03);
}

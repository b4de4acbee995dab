//! Decides how much each flavor weighs, from the mix that operators chose and from what users asked for lately.
//!
//! Plain functions: the time is a value. What users take is made next; what nobody takes keeps a part of its share.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{ApplyCount, FlavorId, FlavorShare, Timestamp};

/// Applies count for so long: a working rhythm changes within the hour.
pub const WINDOW: Duration = Duration::from_secs(3600);

/// An apply of so long ago counts half. Three makings of a slow template fit in it, so that a rush is followed while it
/// lasts and forgotten after it.
const HALF_LIFE: Duration = Duration::from_secs(15 * 60);

/// So many (decayed) applies count as much as the operators' weights: a handful says little.
const TRUST_AT: f64 = 10.0;

/// Demand never decides more than this part; the rest of every share is the weight's. So the floor of a flavor that
/// nobody asks for is a quarter of its weight's share.
const MOST: f64 = 0.75;

/// Parts of a whole share.
const PARTS: f64 = 1_000_000.0;

/// Which flavors, with what shares. A flavor that is not in it is not made.
pub type Mix = Vec<FlavorShare>;

/// How often each flavor was asked for lately, decayed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand(BTreeMap<FlavorId, f64>);

/// A flavor's part of a pool or host, as it counts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub flavor: FlavorId,
    /// In millionths of all; 0: none but the floor.
    pub weight: u64,
    /// So many are to wait before weights count: the minimum, and at least one of what has a weight.
    pub floor: u64,
    /// The minimum alone.
    pub min_free: u64,
}

impl Demand {
    /// What applies say at this moment: given or missed, each counts `0.5 ^ (age / 15 min)`, none after an hour.
    pub fn of(counts: &[ApplyCount], now: Timestamp) -> Demand {
        let mut demand = BTreeMap::new();
        for count in counts {
            let age = now.since(count.minute);
            if age <= WINDOW {
                let worth = 0.5f64.powf(age.as_secs_f64() / HALF_LIFE.as_secs_f64());
                *demand.entry(count.flavor.clone()).or_insert(0.0) += (count.given + count.missed) as f64 * worth;
            }
        }
        Demand(demand)
    }

    /// Whether anybody asked for it lately.
    pub fn asks_for(&self, flavor: &FlavorId) -> bool {
        self.0.get(flavor).is_some_and(|asked| *asked > 0.0)
    }

    fn asked(&self, flavor: &FlavorId) -> f64 {
        self.0.get(flavor).copied().unwrap_or(0.0)
    }
}

/// The shares of a mix as demand moves them, in the mix's order.
///
/// With `D` the demand for all of the mix, `d` and `w` a flavor's part of the demand and of the weights:
/// `share = (1 - t) w + t d`, where `t = 0.75 D / (D + 10)`. A flavor of weight 0 stays at 0: operators do not want it.
pub fn weigh(mix: &Mix, demand: &Demand) -> Vec<Share> {
    let weighed = || mix.iter().filter(|share| share.weight > 0);
    let weights: f64 = weighed().map(|share| f64::from(share.weight)).sum();
    let asked: f64 = weighed().map(|share| demand.asked(&share.flavor)).sum();
    let trust = MOST * asked / (asked + TRUST_AT);
    mix.iter()
        .map(|share| {
            let min_free = u64::from(share.min_free);
            let (weight, least) = if share.weight == 0 {
                (0, 0)
            } else {
                let wanted = f64::from(share.weight) / weights;
                let taken = if asked > 0.0 { demand.asked(&share.flavor) / asked } else { 0.0 };
                // Never nothing: a weight of 1 beside 1,000s still is one.
                ((((1.0 - trust) * wanted + trust * taken) * PARTS).max(1.0) as u64, 1)
            };
            Share { flavor: share.flavor.clone(), weight, floor: min_free.max(least), min_free }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flavor(n: usize) -> FlavorId {
        FlavorId::parse(&format!("f{n}")).unwrap()
    }

    fn mix(weights: &[u32]) -> Mix {
        let share = |(n, weight): (usize, &u32)| FlavorShare { flavor: flavor(n), weight: *weight, min_free: 0 };
        weights.iter().enumerate().map(share).collect()
    }

    fn count(n: usize, minutes_ago: u64, given: u64, missed: u64) -> ApplyCount {
        ApplyCount { minute: now() - Duration::from_secs(60 * minutes_ago), flavor: flavor(n), given, missed }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(100_000_000)
    }

    fn shares(weights: &[u32], counts: &[ApplyCount]) -> Vec<u64> {
        weigh(&mix(weights), &Demand::of(counts, now())).iter().map(|share| share.weight).collect()
    }

    #[test]
    fn without_demand_the_weights_count_alone() {
        assert_eq!(shares(&[3, 1, 0], &[]), [750_000, 250_000, 0]);
    }

    #[test]
    fn what_is_asked_for_weighs_more_whether_it_was_given_or_missed() {
        let given = shares(&[1, 1], &[count(0, 0, 10, 0)]);
        assert_eq!(given, [687_500, 312_500], "t = 0.75 * 10 / 20");
        assert_eq!(given, shares(&[1, 1], &[count(0, 0, 0, 10)]));
    }

    #[test]
    fn an_old_apply_says_less_and_one_of_two_hours_ago_nothing() {
        let (new, old) = (shares(&[1, 1], &[count(0, 0, 8, 0)]), shares(&[1, 1], &[count(0, 30, 8, 0)]));
        assert!(new[0] > old[0] && old[0] > 500_000);
        assert_eq!(shares(&[1, 1], &[count(0, 120, 8, 0)]), [500_000, 500_000]);
    }

    #[test]
    fn demand_for_what_operators_do_not_want_makes_none_of_it() {
        assert_eq!(shares(&[1, 0], &[count(1, 0, 100, 100)]), [1_000_000, 0]);
    }

    proptest! {
        #[test]
        fn no_flavor_falls_below_a_quarter_of_its_weights_share(
            weights in prop::collection::vec(1u32..1000, 1..6),
            counts in prop::collection::vec((0usize..6, 0u64..90, 0u64..1000, 0u64..1000), 0..20),
        ) {
            let counts: Vec<_> = counts.into_iter().map(|(n, ago, given, missed)| count(n, ago, given, missed)).collect();
            let all: u32 = weights.iter().sum();
            let shares = shares(&weights, &counts);
            for (share, weight) in shares.iter().zip(&weights) {
                let by_weight = f64::from(*weight) / f64::from(all) * PARTS;
                prop_assert!(*share as f64 + 1.0 >= by_weight / 4.0, "{share} of {by_weight}");
            }
            prop_assert!(shares.iter().sum::<u64>() <= 1_000_000 + weights.len() as u64);
        }
    }
}

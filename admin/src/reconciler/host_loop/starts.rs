//! Decides how many containers may be started at once on a host, from how long its starts took. Plain functions.
//!
//! Doing more at once is worth it as long as more is done in the same time. So the rate (starts at once by the time that
//! the middle one took) at the limit is held against the rate at the nearest lower number that was measured: at least half of
//! what was to be gained means one more, less than before means a third fewer, anything between leaves it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use engine::StartSample;

/// A host begins with so many: on two cores none finished sooner beyond it, and each took longer.
const FIRST: usize = 4;
/// The latest samples that are kept of each number at once. They may be old: what they say wrong shows by the next step.
const KEPT: usize = 16;
/// So many samples at the limit are a judgement.
const JUDGED: usize = 8;
/// So many samples at a lower number are something to compare with.
const COMPARED: usize = 3;
/// A rate below this part of the lower number's is worse, not only as good.
const WORSE: f64 = 0.9;
/// Without anything to compare with: the middle start took at most so many times as long as the quickest.
const EVEN: f64 = 1.5;

/// How many starts at once a host takes now, and what is known of it.
#[derive(Clone, Debug)]
pub struct Starts {
    limit: usize,
    most: usize,
    measured: Measured,
    /// Of any number at once, for pages.
    latest: VecDeque<Duration>,
}

/// How long starts took, by how many were under way, the latest last.
pub type Measured = BTreeMap<usize, VecDeque<Duration>>;

impl Starts {
    /// At the beginning: never more than `most`.
    pub fn new(most: usize) -> Starts {
        let most = most.max(1);
        Starts { limit: FIRST.min(most), most, measured: Measured::new(), latest: VecDeque::new() }
    }

    /// How many may be under way at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Learns from these, oldest first. Whether the limit is another now.
    pub fn learn(&mut self, samples: Vec<StartSample>) -> bool {
        let before = self.limit;
        for StartSample { at_once, took } in samples {
            keep(&mut self.latest, took);
            keep(self.measured.entry(at_once).or_default(), took);
            let next = adapt(self.limit, self.most, &self.measured);
            if next != self.limit {
                self.limit = next;
                // What was measured there earlier was another time: it is judged by new ones.
                self.measured.retain(|number, _| *number < next);
            }
        }
        self.limit != before
    }

    /// For pages: `starts at once: 4 of at most 8, median start 0.6 s`.
    pub fn words(&self) -> String {
        let took = median(&self.latest);
        let median = took.map_or_else(String::new, |took| format!(", median start {:.1} s", took.as_secs_f64()));
        format!("starts at once: {} of at most {}{median}", self.limit, self.most)
    }
}

fn keep(samples: &mut VecDeque<Duration>, took: Duration) {
    if samples.len() == KEPT {
        samples.pop_front();
    }
    samples.push_back(took);
}

/// The limit that these samples speak for; the same until there are enough of them. Always from 1 to `most`.
pub fn adapt(limit: usize, most: usize, measured: &Measured) -> usize {
    let most = most.max(1);
    let limit = limit.clamp(1, most);
    let Some(at_limit) = measured.get(&limit).filter(|took| took.len() >= JUDGED) else { return limit };
    let Some(here) = rate(limit, at_limit) else { return limit };
    let lower = measured.range(..limit).rev().find(|(_, took)| took.len() >= COMPARED);
    match lower.and_then(|(number, took)| Some((*number, rate(*number, took)?))) {
        Some((number, there)) => {
            let gained = here / there;
            let half = 1.0 + (limit as f64 / number as f64 - 1.0) / 2.0;
            if gained >= half {
                (limit + 1).min(most)
            } else if gained < WORSE {
                (limit * 2 / 3).max(1)
            } else {
                limit
            }
        }
        None => {
            let quickest = at_limit.iter().min().map_or(0.0, Duration::as_secs_f64);
            let even = median(at_limit).is_some_and(|middle| middle.as_secs_f64() <= quickest * EVEN);
            if even { (limit + 1).min(most) } else { limit }
        }
    }
}

/// Starts a second with so many under way; `None` if they took no time at all.
fn rate(number: usize, took: &VecDeque<Duration>) -> Option<f64> {
    let middle = median(took)?.as_secs_f64();
    (middle > 0.0).then(|| number as f64 / middle)
}

fn median(took: &VecDeque<Duration>) -> Option<Duration> {
    let mut sorted: Vec<&Duration> = took.iter().collect();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A host that starts `width` containers as quickly as one, and none sooner beyond that; `thrash`: what each more costs.
    #[derive(Clone, Copy)]
    struct Machine {
        width: usize,
        thrash: f64,
    }

    impl Machine {
        fn took(self, at_once: usize, noise: f64) -> Duration {
            let beyond = at_once.saturating_sub(self.width) as f64;
            let waits = (at_once as f64 / self.width as f64).max(1.0);
            Duration::from_secs_f64(0.5 * waits * (1.0 + self.thrash * beyond) * (1.0 + 0.05 * noise))
        }

        /// Clusters are brought up, one burst after another; most starts see the limit.
        fn run(self, starts: &mut Starts, bursts: usize, noise: &[f64]) {
            for burst in 0..bursts {
                let samples = (0..16).map(|n| {
                    let at_once = if n < 4 { (n + 1).min(starts.limit()) } else { starts.limit() };
                    let took = self.took(at_once, noise[(burst * 7 + n) % noise.len()]);
                    StartSample { at_once, took }
                });
                let samples = samples.collect();
                starts.learn(samples);
                assert!((1..=starts.most).contains(&starts.limit()));
            }
        }
    }

    fn sample(at_once: usize, ms: u64) -> StartSample {
        StartSample { at_once, took: Duration::from_millis(ms) }
    }

    #[test]
    fn a_host_begins_with_four_or_with_the_most_that_is_allowed() {
        assert_eq!((Starts::new(8).limit(), Starts::new(2).limit(), Starts::new(0).limit()), (4, 2, 1));
    }

    fn measured(samples: &[(usize, u64, usize)]) -> Measured {
        let took =
            |(number, ms, times): &(usize, u64, usize)| (*number, vec![Duration::from_millis(*ms); *times].into());
        samples.iter().map(took).collect()
    }

    #[test]
    fn little_evidence_changes_nothing() {
        assert_eq!(adapt(4, 8, &measured(&[])), 4);
        assert_eq!(adapt(4, 8, &measured(&[(4, 500, 7)])), 4);
        assert_eq!(adapt(4, 8, &measured(&[(3, 500, 16)])), 4, "the limit was never reached");
    }

    #[test]
    fn more_at_once_that_does_more_is_raised_and_that_does_less_is_cut() {
        let judged = |ms| measured(&[(2, 500, 8), (4, ms, 8)]);
        assert_eq!(adapt(4, 8, &judged(500)), 5, "twice the work in the same time");
        assert_eq!(adapt(4, 4, &judged(500)), 4, "never more than is allowed");
        assert_eq!(adapt(4, 8, &judged(900)), 4, "hardly more");
        assert_eq!(adapt(4, 8, &judged(3000)), 2, "less");
        assert_eq!(adapt(4, 8, &measured(&[(4, 500, 8)])), 5, "nothing to compare with, and none waits for another");
    }

    #[test]
    fn pages_are_told_the_limit_and_how_long_starts_take() {
        let mut starts = Starts::new(8);
        assert_eq!(starts.words(), "starts at once: 4 of at most 8");
        starts.learn(vec![sample(1, 640)]);
        assert_eq!(starts.words(), "starts at once: 4 of at most 8, median start 0.6 s");
    }

    proptest! {
        #[test]
        fn it_stays_in_bounds_whatever_is_measured(
            most in 1usize..64, limit in 0usize..99, samples in prop::collection::vec((0usize..99, 0u64..10_000), 0..99),
        ) {
            let mut starts = Starts::new(most);
            starts.learn(samples.into_iter().map(|(at_once, ms)| sample(at_once, ms)).collect());
            prop_assert!((1..=most).contains(&starts.limit()));
            prop_assert!((1..=most).contains(&adapt(limit, most, &starts.measured)));
        }

        #[test]
        fn it_finds_what_a_host_can_do_and_finds_it_again_when_that_changes(
            width in 1usize..12, then in 1usize..12, thrash in 0.0f64..0.5,
            noise in prop::collection::vec(-1.0f64..1.0, 16..64),
        ) {
            let mut starts = Starts::new(16);
            for width in [width, then, width] {
                let machine = Machine { width, thrash };
                machine.run(&mut starts, 80, &noise);
                let best = width as f64 / machine.took(width, 0.0).as_secs_f64();
                let rate = starts.limit() as f64 / machine.took(starts.limit(), 0.0).as_secs_f64();
                prop_assert!(rate >= best * 0.6, "width {width}: at {} it does {rate:.2} of {best:.2} a second", starts.limit());
                prop_assert!(starts.limit() <= width.max(FIRST) + 2, "width {width}: {} at once", starts.limit());
            }
        }
    }
}

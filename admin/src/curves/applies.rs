//! What users were told: applies given and missed, the hit rate, and how long they waited.
//!
//! A wait is a stretch of minutes in which a flavor was asked for and none was free: from a minute with a miss to the
//! first in which one was given, or to the last miss when nobody asks again for five minutes. So it is known to the
//! minute, and only while somebody asks.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{ApplyCount, FlavorId, SAMPLE_EVERY, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::fold::fold;
use super::{Measure, Range, Series};

/// Whoever asks again later than this after a miss is another wait.
const GIVES_UP: Duration = Duration::from_secs(5 * 60);

/// What users were told over a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Told {
    /// Applies that got one.
    pub given: u64,
    /// Applies that were told that none is free.
    pub missed: u64,
    /// Of all applies, how many got one, in percent, cut to the hundredth; `null` when nobody asked.
    pub hit_rate: Option<f64>,
    /// The longest wait, in minutes.
    pub longest_wait_minutes: u64,
    /// Minutes in which somebody waited.
    pub minutes_waited: u64,
}

/// Adds up.
pub fn told(counts: &[ApplyCount]) -> Told {
    let (given, missed) =
        counts.iter().fold((0, 0), |(given, missed), count| (given + count.given, missed + count.missed));
    let waits = wait_minutes(counts);
    Told {
        given,
        missed,
        hit_rate: rate(given, missed),
        longest_wait_minutes: waits.values().copied().max().unwrap_or(0),
        minutes_waited: waits.len() as u64,
    }
}

impl Told {
    /// All who asked.
    pub fn applies(&self) -> u64 {
        self.given + self.missed
    }

    /// The hit rate for people, to the tenth: `66.6 %`; `None` when nobody asked.
    pub fn hit_rate_words(&self) -> Option<String> {
        let tenths = parts(1_000, self.given, self.missed)?;
        Some(format!("{}.{} %", tenths / 10, tenths % 10))
    }
}

/// In percent, to the hundredth.
fn rate(given: u64, missed: u64) -> Option<f64> {
    parts(10_000, given, missed).map(|hundredths| hundredths as f64 / 100.0)
}

/// Of so many parts of all applies, those that got one. Cut, not rounded: one miss among thousands does not read as none.
fn parts(of: u64, given: u64, missed: u64) -> Option<u64> {
    (given * of).checked_div(given + missed)
}

/// Of each minute in which somebody waited, how many minutes the longest wait had lasted by then. Counts come oldest first.
pub fn wait_minutes(counts: &[ApplyCount]) -> BTreeMap<Timestamp, u64> {
    let mut of_flavor: BTreeMap<&FlavorId, Vec<&ApplyCount>> = BTreeMap::new();
    for count in counts {
        of_flavor.entry(&count.flavor).or_default().push(count);
    }
    let mut waits: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for counts in of_flavor.into_values() {
        let mut under_way: Option<(Timestamp, Timestamp)> = None;
        for count in counts {
            let go_on = under_way.filter(|(_, last)| count.minute.since(*last) <= GIVES_UP && count.given == 0);
            under_way = match (go_on, count.missed) {
                (_, 0) => go_on,
                (None, _) => Some((count.minute, count.minute)),
                (Some((began, last)), _) => {
                    fill(&mut waits, began, last, count.minute);
                    Some((began, count.minute))
                }
            };
            if let Some((began, last)) = under_way.filter(|(_, last)| *last == count.minute) {
                fill(&mut waits, began, last, last);
            }
        }
    }
    waits
}

/// The minutes from one to the other are part of the wait that began then.
fn fill(waits: &mut BTreeMap<Timestamp, u64>, began: Timestamp, from: Timestamp, to: Timestamp) {
    let mut minute = from;
    while minute <= to {
        let lasted = minute.since(began).as_secs() / 60 + 1;
        let longest = waits.entry(minute).or_default();
        *longest = lasted.max(*longest);
        minute = minute + SAMPLE_EVERY;
    }
}

/// Curves that come from the counts. Minutes without a count had no applies, which is no gap.
pub fn of_applies(measure: Measure, counts: &[ApplyCount], range: Range, now: Timestamp) -> Vec<Series> {
    let mut minutes: BTreeMap<Timestamp, (u64, u64)> = BTreeMap::new();
    let mut minute = range.begins(now);
    while minute <= now {
        minutes.insert(minute, (0, 0));
        minute = minute + SAMPLE_EVERY;
    }
    for count in counts {
        let (given, missed) = minutes.entry(count.minute).or_default();
        *given += count.given;
        *missed += count.missed;
    }
    let number = |n: u64| n as f64;
    match measure {
        Measure::HitRate => {
            let rates = minutes.into_iter().filter_map(|(at, (given, missed))| Some((at, rate(given, missed)?)));
            vec![fold("given one", range, now, rates)]
        }
        Measure::Waits => {
            let waits = wait_minutes(counts);
            let of = |at: &Timestamp| number(waits.get(at).copied().unwrap_or(0));
            vec![fold("longest wait", range, now, minutes.keys().map(|at| (*at, of(at))))]
        }
        _ => vec![
            fold("given", range, now, minutes.iter().map(|(at, (given, _))| (*at, number(*given)))),
            fold("missed", range, now, minutes.iter().map(|(at, (_, missed))| (*at, number(*missed)))),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a 3 given 1 missed 2; b 4 missed 1`: flavor, minute, what was told.
    fn counts(text: &str) -> Vec<ApplyCount> {
        let mut counts: Vec<ApplyCount> = text
            .split(';')
            .map(|one| {
                let words: Vec<&str> = one.split_whitespace().collect();
                let after = |word| words.iter().position(|w| *w == word).map_or(0, |at| words[at + 1].parse().unwrap());
                let minute = Timestamp::from_millis(words[1].parse::<i64>().unwrap() * 60_000);
                let flavor = FlavorId::parse(words[0]).unwrap();
                ApplyCount { minute, flavor, given: after("given"), missed: after("missed") }
            })
            .collect();
        counts.sort_by_key(|count| count.minute);
        counts
    }

    fn check(text: &str, expected: &str) {
        let waits = wait_minutes(&counts(text));
        let said: Vec<String> =
            waits.iter().map(|(at, lasted)| format!("{}:{lasted}", at.as_millis() / 60_000)).collect();
        assert_eq!(said.join(" "), expected, "{text}");
    }

    #[test]
    fn a_wait_lasts_from_the_first_miss_until_one_is_given() {
        check("a 1 missed 1; a 3 missed 1; a 4 given 1; a 9 missed 2", "1:1 2:2 3:3 9:1");
        check("a 1 given 5", "");
    }

    #[test]
    fn who_does_not_ask_again_does_not_wait() {
        check("a 1 missed 1; a 6 missed 1; a 12 missed 1", "1:1 2:2 3:3 4:4 5:5 6:6 12:1");
    }

    #[test]
    fn one_that_was_given_ends_a_wait_even_if_another_missed_in_the_same_minute() {
        check("a 1 missed 1; a 2 given 1 missed 1; a 3 missed 1", "1:1 2:1 3:2");
    }

    #[test]
    fn the_longest_wait_of_any_flavor_counts() {
        check("a 1 missed 1; a 2 missed 1; b 2 missed 9; b 1 given 1", "1:1 2:2");
    }

    #[test]
    fn what_was_told_adds_up() {
        let told = told(&counts("a 1 given 3 missed 1; b 1 missed 2"));
        assert_eq!((told.given, told.missed, told.hit_rate, told.longest_wait_minutes), (3, 3, Some(50.0), 1));
        assert_eq!(super::told(&[]).hit_rate, None);
    }

    #[test]
    fn the_hit_rate_is_that_of_all_flavors_and_never_rounded_up_to_all() {
        for (text, rate, words) in [
            ("a 1 given 7; b 1 given 2 missed 1; a 2", Some(90.0), Some("90.0 %")),
            ("a 1 given 2 missed 1", Some(66.66), Some("66.6 %")),
            ("a 1 given 99999 missed 1", Some(99.99), Some("99.9 %")),
            ("a 1 given 5", Some(100.0), Some("100.0 %")),
            ("a 1 missed 5", Some(0.0), Some("0.0 %")),
            ("a 1", None, None),
        ] {
            let told = told(&counts(text));
            assert_eq!((told.hit_rate, told.hit_rate_words().as_deref()), (rate, words), "{text}");
        }
    }
}

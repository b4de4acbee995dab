//! How long back a curve goes, and how far its points are apart.

use std::time::Duration;

use common::model::{Timestamp, beginning};

use crate::operations::Refusal;

/// How long back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Sixty points of a minute.
    Hour,
    /// 480 points of three minutes.
    Day,
    /// 480 points of 21 minutes. Only the pool's own numbers are kept so long.
    Week,
}

impl Range {
    /// All of them, the shortest first.
    pub const ALL: [Range; 3] = [Range::Hour, Range::Day, Range::Week];

    /// Takes the word of the URL.
    pub fn parse(text: &str) -> Result<Range, Refusal> {
        let found = Range::ALL.into_iter().find(|range| range.as_str() == text);
        found.ok_or_else(|| Refusal::field("range", "must be 1h, 24h or 7d"))
    }

    /// The word of the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Range::Hour => "1h",
            Range::Day => "24h",
            Range::Week => "7d",
        }
    }

    /// For people: "over the last hour".
    pub fn words(self) -> &'static str {
        match self {
            Range::Hour => "hour",
            Range::Day => "day",
            Range::Week => "week",
        }
    }

    /// From one point to the next.
    pub fn step(self) -> Duration {
        Duration::from_secs(match self {
            Range::Hour => 60,
            Range::Day => 3 * 60,
            Range::Week => 21 * 60,
        })
    }

    /// How many points.
    pub fn points(self) -> u32 {
        match self {
            Range::Hour => 60,
            Range::Day | Range::Week => 480,
        }
    }

    /// When it begins: with a step, so that what is counted over it is what its curves show.
    pub fn begins(self, now: Timestamp) -> Timestamp {
        beginning(now, self.step()) - self.step() * (self.points() - 1)
    }

    /// The beginnings of its steps; the last one is not over yet.
    pub fn steps(self, now: Timestamp) -> Vec<Timestamp> {
        let first = self.begins(now);
        (0..self.points()).map(|nth| first + self.step() * nth).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_as_long_as_its_word_says_and_ends_now() {
        let now = Timestamp::from_millis(1_763_826_125_000);
        for (range, hours) in [(Range::Hour, 1), (Range::Day, 24), (Range::Week, 168)] {
            let steps = range.steps(now);
            assert_eq!(range.step() * range.points(), Duration::from_secs(hours * 3600));
            assert_eq!(steps[0], range.begins(now));
            assert!(steps.len() <= 500 && now.since(*steps.last().unwrap()) < range.step());
            assert_eq!(Range::parse(range.as_str()).unwrap(), range);
        }
        assert!(Range::parse("2h").is_err());
    }
}

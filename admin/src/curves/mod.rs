//! Curves over time: from samples and counts of applies to at most some five hundred points. Plain functions, but for
//! [`Noted::read`], which reads them from the store.

mod applies;
mod fold;
mod measures;
mod range;
mod read;

use schemars::JsonSchema;
use serde::Serialize;

pub use applies::{Told, told, wait_minutes};
pub use measures::Measure;
pub use range::Range;
pub use read::{Noted, Of};

/// Curves of one measure over one range.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Curve {
    /// What is measured, as the query has it.
    pub measure: &'static str,
    /// For people.
    pub title: &'static str,
    /// `%`, `MiB`, `s`, or empty for numbers of things.
    pub unit: &'static str,
    /// How long back.
    pub range: &'static str,
    /// From one point to the next.
    pub step_seconds: u64,
    /// The points: seconds since 1970, each the beginning of a step.
    pub times: Vec<i64>,
    /// One curve each.
    pub series: Vec<Series>,
}

/// One curve: of each step the mean, the least and the most of its minutes; `null` is a gap.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Series {
    /// Of what: a node, a phase.
    pub name: String,
    /// The mean of each step.
    pub avg: Vec<Option<f64>>,
    /// The least.
    pub min: Vec<Option<f64>>,
    /// The most.
    pub max: Vec<Option<f64>>,
}

impl Series {
    /// The last value, unless it is older than so many steps: then there is no "now".
    pub fn last(&self, within: usize) -> Option<f64> {
        self.avg.iter().rev().take(within).find_map(|value| *value)
    }

    /// The least of all.
    pub fn least(&self) -> Option<f64> {
        self.min.iter().flatten().copied().reduce(f64::min)
    }

    /// The most of all.
    pub fn most(&self) -> Option<f64> {
        self.max.iter().flatten().copied().reduce(f64::max)
    }
}

impl Curve {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.avg.iter().all(Option::is_none))
    }
}

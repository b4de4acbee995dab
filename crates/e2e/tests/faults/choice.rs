//! Which points a run goes through.

use std::fmt;

use crate::point::Point;
use crate::story::Story;

/// A plain run takes one point in so many.
pub const SHARE: usize = 8;

/// Which points.
pub enum Choice {
    /// Every `share`th, from `first` on.
    Part {
        /// From 0.
        first: usize,
        /// One in so many.
        share: usize,
    },
    /// Those whose name begins so.
    Named(String),
}

impl Choice {
    /// As `FAULTS` in the environment has it, else a part that is drawn.
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
    pub fn read() -> Choice {
        let asked = std::env::var("FAULTS").unwrap_or_default();
        let part = asked.split_once('/').and_then(|(first, share)| Some((first.parse().ok()?, share.parse().ok()?)));
        match (asked.as_str(), part) {
            ("", _) => Choice::Part { first: rand::random_range(0..SHARE), share: SHARE },
            ("all", _) => Choice::Part { first: 0, share: 1 },
            (_, Some((first, share))) => Choice::Part { first, share },
            (name, None) => Choice::Named(name.to_owned()),
        }
    }

    /// Whether any of a story's points may be among them.
    pub fn tells(&self, story: Story) -> bool {
        match self {
            Choice::Part { .. } => true,
            Choice::Named(name) => name.starts_with(&story.name()) || story.name().starts_with(name.as_str()),
        }
    }

    /// Whether a story's nth point is among them.
    pub fn takes(&self, story: Story, nth: usize, point: &Point) -> bool {
        match self {
            Choice::Part { first, share } => nth % share == *first,
            Choice::Named(name) => format!("{}: {point}", story.name()).starts_with(name.as_str()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Part { share: 1, .. } => f.write_str("every point"),
            Choice::Part { first, share } => {
                write!(f, "one point in {share}, FAULTS={first}/{share} for the same again, FAULTS=all for all")
            }
            Choice::Named(name) => write!(f, "points that begin with {name:?}"),
        }
    }
}

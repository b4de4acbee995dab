//! What came of all runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::point::Point;
use crate::run::Told;
use crate::story::Story;

/// So many of the longest ways back to rest are told.
const SLOWEST: usize = 10;

/// So many failures are told in full.
const TOLD: usize = 5;

/// Counts and failures.
pub struct Tally {
    begun: Instant,
    stories: BTreeMap<Story, Count>,
    missed: usize,
    too_busy: usize,
    slowest: BTreeSet<(Duration, String)>,
    failed: Vec<(String, anyhow::Error)>,
}

#[derive(Default)]
struct Count {
    there: usize,
    through: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            begun: Instant::now(),
            stories: BTreeMap::new(),
            missed: 0,
            too_busy: 0,
            slowest: BTreeSet::new(),
            failed: Vec::new(),
        }
    }
}

impl Tally {
    /// One more point that a story has.
    pub fn there_is(&mut self, story: Story) {
        self.stories.entry(story).or_default().there += 1;
    }

    /// What came of one.
    pub fn add(&mut self, story: Story, point: &Point, told: anyhow::Result<Told>) {
        let name = format!("{}: {point}", story.name());
        match told {
            Ok(told) if told.struck => {
                self.stories.entry(story).or_default().through += 1;
                self.too_busy += told.too_busy;
                self.slowest.insert((told.took, name));
            }
            Ok(_) => self.missed += 1,
            Err(error) => {
                eprintln!("failed: {name}: {}", error.root_cause());
                self.failed.push((name, error));
            }
        }
    }

    /// Prints the counts.
    pub fn say(&self) {
        for (story, count) in &self.stories {
            println!("{}: went through {} of {} points", story.name(), count.through, count.there);
        }
        for (took, name) in self.slowest.iter().rev().take(SLOWEST) {
            println!("{:.1} s to rest: {name}", took.as_secs_f64());
        }
        let through: usize = self.stories.values().map(|count| count.through).sum();
        let there: usize = self.stories.values().map(|count| count.there).sum();
        let seconds = self.begun.elapsed().as_secs_f64();
        if self.too_busy > 0 {
            println!("{} runs were told again, because the machine was too busy", self.too_busy);
        }
        println!(
            "went through {through} of {there} points in {seconds:.0} s; {} stories were over before theirs; {} failed",
            self.missed,
            self.failed.len()
        );
    }

    /// Nothing failed; the first failures are told in full.
    pub fn must_be_clean(&self) {
        for (name, error) in self.failed.iter().take(TOLD) {
            eprintln!("\n{name}\n{error:?}");
        }
        assert!(self.failed.is_empty(), "{} points failed", self.failed.len());
    }
}

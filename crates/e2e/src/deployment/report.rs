//! What was seen, a line for each thing that was looked for.

use std::time::Instant;

/// Tells as it goes, and counts what does not hold.
pub struct Report<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    begun: Instant,
    held: usize,
    wrong: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(say: &'a (dyn Fn(&str) + Sync)) -> Report<'a> {
        Report { say, begun: Instant::now(), held: 0, wrong: Vec::new() }
    }

    /// A heading, with how long all took so far.
    pub(super) fn part(&self, what: &str) {
        (self.say)(&format!("--- {what} ({:.0} s)", self.begun.elapsed().as_secs_f64()));
    }

    /// Something that is so, or the run would have ended.
    pub(super) fn saw(&mut self, what: &str, seen: impl AsRef<str>) {
        self.holds(what, true, seen);
    }

    /// Something that should hold, and what was seen.
    pub(super) fn holds(&mut self, what: &str, holds: bool, seen: impl AsRef<str>) {
        let seen = seen.as_ref();
        let line = if seen.is_empty() { what.to_owned() } else { format!("{what}: {seen}") };
        if holds {
            self.held += 1;
            (self.say)(&format!("  ok      {line}"));
        } else {
            (self.say)(&format!("  WRONG   {line}"));
            self.wrong.push(line);
        }
    }

    /// Something that could not be looked for here.
    pub(super) fn not_run(&self, what: &str, why: &str) {
        (self.say)(&format!("  NOT RUN {what}: {why}"));
    }

    /// How much held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// What did not.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }
}

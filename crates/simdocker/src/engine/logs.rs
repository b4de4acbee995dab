//! What a container printed.

use std::collections::VecDeque;

use crate::clock::Moment;

/// Lines kept of one container; a simulated peer says little.
const KEPT: usize = 1000;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Counted from 0 over the container's whole life.
    pub(crate) number: u64,
    pub(crate) at: Moment,
    pub(crate) stream: Stream,
    /// With its newline.
    pub(crate) text: Box<str>,
}

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The last lines of a container.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    next: u64,
    lines: VecDeque<Line>,
}

impl Logs {
    pub(crate) fn add(&mut self, at: Moment, stream: Stream, text: &str) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { number: self.next, at, stream, text: format!("{text}\n").into() });
        self.next += 1;
    }

    /// Holds no more room than it needs: most containers say one line for ever.
    pub(crate) fn shrink(&mut self) {
        self.lines.shrink_to_fit();
    }

    /// Lines from a number on.
    pub(crate) fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.number >= number)
    }

    /// The number that the next line will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

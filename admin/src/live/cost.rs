//! What a render cost: the time it was worked on here, and a part of the time that it waited for others.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Of the time that a render waits, one part in so many counts: the store works for it meanwhile, on other threads or
/// machines, but most of the waiting is the way there.
const OF_WAITING: u32 = 4;

/// A future whose cost is taken down.
pub struct Costed<F> {
    of: Pin<Box<F>>,
    begun: Instant,
    worked: Duration,
}

impl<F: Future> Costed<F> {
    /// Begins now.
    pub fn new(of: F) -> Costed<F> {
        Costed { of: Box::pin(of), begun: Instant::now(), worked: Duration::ZERO }
    }

    /// What it cost so far.
    pub fn cost(&self) -> Duration {
        let waited = self.begun.elapsed().saturating_sub(self.worked);
        self.worked + waited / OF_WAITING
    }
}

impl<F: Future> Future for Costed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let begun = Instant::now();
        let polled = self.of.as_mut().poll(cx);
        self.worked += begun.elapsed();
        polled
    }
}

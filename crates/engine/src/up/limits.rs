//! How many containers may be started at once on one host: settable while starts are under way, and measured.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Samples kept until they are taken; the oldest go first. A pass of a host takes them every few seconds.
const SAMPLES: usize = 256;

/// How much may be done at once on one host. One value a host, cloned for each [`crate::Engine::up`]; clones are the same
/// limit.
#[derive(Clone, Debug)]
pub struct UpLimits(Arc<Shared>);

/// How long one start took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartSample {
    /// How many containers were being started on the host, this one included: the most of when it began and when it ended.
    pub at_once: usize,
    /// From the call to the engine's answer; of one that had none, to the deadline.
    pub took: Duration,
}

#[derive(Debug)]
struct Shared {
    /// Never closed.
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    starts: usize,
    /// Turns that are to be given back and kept: the limit was lowered while they were taken.
    owed: usize,
    under_way: usize,
    samples: VecDeque<StartSample>,
}

/// One turn to start a container.
pub(super) struct Turn<'a> {
    shared: &'a Shared,
    permit: Option<SemaphorePermit<'a>>,
    began: Instant,
    at_once: usize,
}

impl UpLimits {
    /// Container starts at once on one host: beyond four, none finished sooner and each took longer (measured on two
    /// cores: 0.6 s became 7.4 s at 32).
    pub const DEFAULT_STARTS: usize = 4;

    /// So many container starts at once, at least one.
    pub fn new(starts: usize) -> Self {
        let starts = starts.max(1);
        let state = State { starts, owed: 0, under_way: 0, samples: VecDeque::new() };
        Self(Arc::new(Shared { turns: Semaphore::new(starts), state: Mutex::new(state) }))
    }

    /// From now on so many at once, at least one. Starts that are under way beyond that are not ended; none begins until
    /// enough of them have.
    pub fn set(&self, starts: usize) {
        let starts = starts.max(1);
        let mut state = self.0.state();
        if starts > state.starts {
            let more = starts - state.starts;
            let forgiven = more.min(state.owed);
            state.owed -= forgiven;
            self.0.turns.add_permits(more - forgiven);
        } else {
            let less = state.starts - starts;
            state.owed += less - self.0.turns.forget_permits(less);
        }
        state.starts = starts;
    }

    /// How many may be started at once now.
    pub fn starts(&self) -> usize {
        self.0.state().starts
    }

    /// How long starts took since this was last asked, oldest first, at most 256. Refused ones are not among them: they say
    /// nothing about how busy the host is.
    pub fn take_samples(&self) -> Vec<StartSample> {
        std::mem::take(&mut self.0.state().samples).into()
    }

    /// Waits for a turn, first come first served. It ends when it is dropped.
    pub(super) async fn turn(&self) -> Turn<'_> {
        // An error would mean that the semaphore was closed, which nobody does; a closed one would hold nobody back.
        let permit = self.0.turns.acquire().await.ok();
        let mut state = self.0.state();
        state.under_way += 1;
        Turn { shared: &self.0, permit, began: Instant::now(), at_once: state.under_way }
    }
}

impl Default for UpLimits {
    fn default() -> Self {
        Self::new(Self::DEFAULT_STARTS)
    }
}

impl Shared {
    /// What panicked while it held the lock has left counts behind that are still right.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Notes how long it took, for the container was started or the engine did not answer in time.
    pub(super) fn sample(&self) {
        let mut state = self.shared.state();
        if state.samples.len() == SAMPLES {
            state.samples.pop_front();
        }
        let at_once = self.at_once.max(state.under_way);
        state.samples.push_back(StartSample { at_once, took: self.began.elapsed() });
    }
}

impl Drop for Turn<'_> {
    /// Within the lock, so that a limit that is set at the same moment counts it once.
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.under_way -= 1;
        if let Some(permit) = self.permit.take() {
            if state.owed > 0 {
                state.owed -= 1;
                permit.forget();
            } else {
                drop(permit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// As many turns as are to be had now.
    fn take_all(limits: &UpLimits) -> Vec<Turn<'_>> {
        std::iter::from_fn(|| limits.turn().now_or_never()).collect()
    }

    #[test]
    fn a_limit_grows_and_shrinks_and_no_turn_is_lost_or_doubled() {
        let limits = UpLimits::new(2);
        let mut taken = take_all(&limits);
        assert_eq!(taken.len(), 2);
        limits.set(5);
        taken.extend(take_all(&limits));
        assert_eq!(taken.len(), 5);
        // Lowered while all are taken: the first to end give nothing free.
        limits.set(3);
        taken.truncate(3);
        assert!(limits.turn().now_or_never().is_none());
        taken.truncate(2);
        taken.extend(take_all(&limits));
        assert_eq!(taken.len(), 3);
        // Raised while turns are owed.
        limits.set(1);
        limits.set(4);
        taken.extend(take_all(&limits));
        assert_eq!(taken.len(), 4);
        limits.set(0);
        drop(taken);
        assert_eq!((limits.starts(), take_all(&limits).len()), (1, 1));
        limits.set(7);
        assert_eq!(take_all(&limits).len(), 7);
    }

    #[test]
    fn one_who_waits_goes_on_when_the_limit_grows() {
        let limits = UpLimits::new(1);
        let first = take_all(&limits);
        let mut second = Box::pin(limits.turn());
        assert!((&mut second).now_or_never().is_none());
        limits.set(2);
        assert!(second.now_or_never().is_some());
        drop(first);
        assert_eq!(take_all(&limits).len(), 2);
    }

    #[test]
    fn a_sample_says_how_long_it_took_beside_how_many() {
        let limits = UpLimits::new(3);
        let first = limits.turn().now_or_never().unwrap();
        let later = limits.turn().now_or_never().unwrap();
        first.sample();
        drop(first);
        let least = later.began.elapsed();
        later.sample();
        let samples = limits.take_samples();
        assert_eq!(samples.iter().map(|sample| sample.at_once).collect::<Vec<_>>(), [2, 2]);
        assert!(samples[1].took >= least);
        assert_eq!(limits.take_samples(), []);
        for _ in 0..SAMPLES + 10 {
            later.sample();
        }
        assert_eq!(limits.take_samples().len(), SAMPLES);
    }
}

//! How long this process may act: the reconciler lock's remaining term, by the monotonic clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::clock::Pace;
use engine::EngineError;

/// An engine call that is under way when the term ends must end before another leader begins.
const MARGIN: Duration = Duration::from_millis(500);

/// The end of the term. Cheap to clone; all clones see a renewal.
#[derive(Clone, Debug)]
pub struct Term {
    end: Arc<Mutex<Instant>>,
    margin: Duration,
}

impl Term {
    /// A term that ends then.
    pub fn until(end: Instant, pace: Pace) -> Term {
        Term { end: Arc::new(Mutex::new(end)), margin: pace.of(MARGIN) }
    }

    /// It was renewed.
    pub fn renew(&self, end: Instant) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// When it ends unless it is renewed.
    pub fn end(&self) -> Instant {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine asks before each call that changes something.
    pub fn check(&self) -> Result<(), EngineError> {
        if Instant::now() + self.margin < self.end() { Ok(()) } else { Err(EngineError::Fenced) }
    }
}

//! A nudge for a loop that waits. Nudges that come together count as one.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Wake {
    nudged: Mutex<bool>,
    changed: Condvar,
}

impl Wake {
    /// Ends the wait, or the next one if nobody waits.
    pub fn up(&self) {
        *self.nudged.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Waits for a nudge, at most `limit`.
    pub fn wait(&self, limit: Duration) {
        let nudged = self.nudged.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(nudged, limit, |nudged| !*nudged);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

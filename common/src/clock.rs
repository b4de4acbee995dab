//! The one place that reads the wall clock, and how long waits are. Whatever decides takes the time as a value instead.

use std::time::Duration;

use crate::model::Timestamp;

/// The time now, by the machine's clock, in whole milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// How much shorter every wait, deadline and backoff is than its own number says. Against simulated engines, which answer
/// in microseconds, a pool may live many times as fast; all waits keep their proportions, so the same races can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace(u32);

impl Pace {
    /// As long as each number says.
    pub const ORDINARY: Pace = Pace(1);

    /// So many times as fast; at least as fast as ordinary.
    pub fn faster(times: u32) -> Pace {
        Pace(times.max(1))
    }

    /// How long a wait is at this pace.
    pub fn of(self, wait: Duration) -> Duration {
        wait / self.0
    }
}

//! A failure that is tried again, later and later.

use std::time::Duration;

use common::model::Timestamp;

/// A failure that is to be tried again, later and later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many times in a row.
    pub times: u32,
    /// When it failed last.
    pub failed_at: Timestamp,
    /// Not before this.
    pub not_before: Timestamp,
    /// In the words of the failure.
    pub error: String,
}

impl Retry {
    /// One more failure after `before`, backing off.
    pub fn after(before: Option<&Retry>, error: String, backoff: &Backoff, now: Timestamp) -> Retry {
        let times = before.map_or(0, |retry| retry.times) + 1;
        Retry { times, failed_at: now, not_before: now + backoff.wait(times), error }
    }

    /// The same for what was begun at a certain time and waits as `wait` says. Begun before the last failure, it was under
    /// way together with it and makes nothing worse.
    pub fn again(
        before: Option<&Retry>,
        began: Timestamp,
        error: String,
        now: Timestamp,
        wait: impl FnOnce(u32) -> Duration,
    ) -> Retry {
        match before {
            Some(before) if began <= before.failed_at => before.clone(),
            Some(_) | None => {
                let times = before.map_or(0, |retry| retry.times) + 1;
                Retry { times, failed_at: now, not_before: now + wait(times), error }
            }
        }
    }
}

/// How the wait between tries grows: doubled each time, up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub limit: Duration,
}

impl Backoff {
    /// After so many failures in a row.
    pub fn wait(&self, times: u32) -> Duration {
        self.first.saturating_mul(2u32.saturating_pow(times.saturating_sub(1).min(20))).min(self.limit)
    }
}

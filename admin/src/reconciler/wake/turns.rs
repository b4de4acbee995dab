//! How often a host is looked at: at once when something happens, and not more than so many times a second.
//!
//! A plain function of the time.

use std::time::Duration;

use common::clock::Pace;
use tokio::time::Instant;

/// In the long run two passes are at least so far apart: a bring-up makes a dozen events in a moment.
const GAP: Duration = Duration::from_millis(100);
/// So many passes may follow each other at once: replacing a cluster is a chain of short steps, and none of them should
/// wait for a clock.
const AT_ONCE: u32 = 8;

/// Counts passes.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// When the passes so far would have been over, had they been [`GAP`] apart.
    paid_until: Instant,
}

impl Turns {
    /// With nothing done yet.
    pub fn new(now: Instant) -> Turns {
        Turns { paid_until: now }
    }

    /// How long the next pass has to wait; counts it.
    pub fn next(&mut self, now: Instant, pace: Pace) -> Duration {
        let gap = pace.of(GAP);
        let paid_until = self.paid_until.max(now);
        self.paid_until = paid_until + gap;
        paid_until.saturating_duration_since(now + gap * (AT_ONCE - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_passes_follow_at_once_and_the_rest_in_step() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..AT_ONCE + 3 {
            let wait = turns.next(now, Pace::ORDINARY);
            waits.push(wait);
            now += wait;
        }
        let (first, rest) = waits.split_at(AT_ONCE as usize);
        assert!(first.iter().all(Duration::is_zero), "{waits:?}");
        assert!(rest.iter().all(|wait| *wait == GAP), "{waits:?}");
        assert!(turns.next(now + Duration::from_secs(60), Pace::ORDINARY).is_zero());
    }
}

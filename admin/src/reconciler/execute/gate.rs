//! Lets a few through at a time, and holds nobody up for long.
//!
//! A full look at a host with fifty clusters is some megabytes for a moment; a thousand of them at once, as at the start,
//! would be gigabytes. But a host that hangs must not delay the others, so the gate only slows down.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Whoever waited so long for a full look goes all the same. A thousand hosts that are all looked at at once have had their turn
/// by then (docs/benchmarks.md, scale); with two seconds, more than half of them went at once then, and probes beside them timed out.
const WAIT_LIMIT: Duration = Duration::from_secs(10);
/// A probe may wait longer than any flood lasts: each that gave up waiting would make the others later still.
const LONG_WAIT: Duration = Duration::from_secs(600);
/// Whoever is inside for so long counts no more.
const STAY_LIMIT: Duration = Duration::from_secs(1);

/// The gate.
#[derive(Debug)]
pub struct Gate {
    turns: Semaphore,
    wait_limit: Duration,
    stay_limit: Duration,
}

impl Gate {
    /// For so many at a time; none waits long.
    pub fn new(at_once: usize) -> Gate {
        Gate { turns: Semaphore::new(at_once), wait_limit: WAIT_LIMIT, stay_limit: STAY_LIMIT }
    }

    /// For so many at a time, however long that takes: when everything is to be done at once, nothing would be done in time.
    pub fn patient(at_once: usize) -> Gate {
        Gate { wait_limit: LONG_WAIT, ..Gate::new(at_once) }
    }

    /// Does the work when it is its turn.
    pub async fn through<T>(&self, work: impl Future<Output = T>) -> T {
        let turn = timeout(self.wait_limit, self.turns.acquire()).await;
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = sleep(self.stay_limit) => drop(turn),
        }
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);
    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn one_that_hangs_delays_the_next_only_for_a_moment() {
        let gate = Gate { turns: Semaphore::new(1), wait_limit: LONG, stay_limit: SHORT };
        tokio::select! {
            biased;
            () = gate.through(std::future::pending()) => {}
            () = gate.through(async {}) => {}
        }
    }

    #[tokio::test]
    async fn who_waited_long_enough_goes_all_the_same() {
        let gate = Gate { turns: Semaphore::new(0), wait_limit: SHORT, stay_limit: LONG };
        gate.through(async {}).await;
    }

    #[tokio::test]
    async fn no_more_than_so_many_are_inside() {
        let gate = Gate { turns: Semaphore::new(1), wait_limit: LONG, stay_limit: LONG };
        tokio::select! {
            biased;
            () = gate.through(std::future::pending()) => {}
            () = gate.through(async {}) => panic!("there was one inside"),
            () = sleep(SHORT) => {}
        }
    }
}

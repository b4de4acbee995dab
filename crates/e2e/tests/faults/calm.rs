//! How busy the machine is: runs wait until it keeps its times, and one in which it did not is told again.
//!
//! Pools here live ten times as fast as in a deployment. On a machine that leaves them without a processor for tenths of a
//! second, locks run out and deadlines pass for no fault of theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// Runs side by side at most: most of a run is waiting.
const AT_ONCE: usize = 24;
/// So many go on however late everything is.
const ALWAYS: usize = 2;
/// Between two measurements.
const EVERY: Duration = Duration::from_millis(10);
/// A machine that is this much late, on average, takes no more runs.
const LATE: Duration = Duration::from_millis(12);
/// A run in which looks came this much late, on average, says nothing about a pool that did not come to rest in time.
const TOO_LATE: Duration = Duration::from_millis(40);

/// Gives turns.
#[derive(Clone)]
pub struct Calm {
    late_us: Arc<AtomicU64>,
    going: Arc<AtomicUsize>,
    door: Arc<Mutex<()>>,
}

/// One run may go on while this is held.
pub struct Turn(Arc<AtomicUsize>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Calm {
    /// Measures from now on, for as long as the runtime lives.
    pub fn new() -> Calm {
        let calm = Calm { late_us: Arc::default(), going: Arc::default(), door: Arc::default() };
        let late_us = calm.late_us.clone();
        tokio::spawn(async move {
            loop {
                let late = micros(nap(EVERY).await);
                // Over the last ten or so.
                let before = late_us.load(Ordering::Relaxed);
                late_us.store((before * 9 + late) / 10, Ordering::Relaxed);
            }
        });
        calm
    }

    /// Waits for a turn.
    pub async fn turn(&self) -> Turn {
        let _alone = self.door.lock().await;
        loop {
            let going = self.going.load(Ordering::SeqCst);
            let late = Duration::from_micros(self.late_us.load(Ordering::Relaxed));
            if going < ALWAYS || (going < AT_ONCE && late <= LATE) {
                self.going.fetch_add(1, Ordering::SeqCst);
                return Turn(self.going.clone());
            }
            nap(EVERY).await;
        }
    }
}

/// How late one run's looks came.
#[derive(Default)]
pub struct Lateness {
    looks: AtomicU64,
    sum_us: AtomicU64,
}

impl Lateness {
    /// Waits, and notes how much too long.
    pub async fn nap(&self, wait: Duration) {
        let late = micros(nap(wait).await);
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(late, Ordering::Relaxed);
    }

    /// Whether the machine kept no times during this run.
    pub fn is_too_much(&self) -> bool {
        let looks = self.looks.load(Ordering::Relaxed).max(1);
        Duration::from_micros(self.sum_us.load(Ordering::Relaxed) / looks) > TOO_LATE
    }
}

/// Waits, and gives how much too long it was; a timer's own grain is a millisecond.
async fn nap(wait: Duration) -> Duration {
    let began = Instant::now();
    tokio::time::sleep(wait).await;
    began.elapsed().saturating_sub(wait + Duration::from_millis(1))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

//! Samples: what clusters and hosts use and what the pool has, once a minute, for curves over time.
//!
//! `due` decides what is measured in a minute, `sheet` what measurements come to, `pool_counts` what is counted of the
//! pool and its hosts: plain functions. `round` goes from one to the next; `candidates` reads what there is to choose from,
//! `measure` asks the engines over connections of its own ([`Engines`]), few at once and spread over the minute, so that the
//! reconciler's calls never wait for it. Only the admin that leads measures what is
//! leased, hosts and the pool; what its own pages have open any admin measures. An engine that is away is passed over: a
//! gap is a gap.

mod candidates;
mod due;
#[cfg(test)]
mod due_test;
mod engines;
mod measure;
mod open;
mod pool_counts;
mod round;
#[cfg(test)]
mod round_test;
mod sheet;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::clock::{self, Pace};
use common::model::{ClusterId, HostId, SAMPLE_EVERY, beginning};
use common::store::SharedStore;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use engines::Engines;
pub use sheet::{CPU_PARTS, MEMORY_PARTS};

use crate::reconciler::Reconciler;
use crate::tally::Tally;
use open::Open;
use round::Round;

/// How pages say what they have open. Cheap to clone; the sampler ends with its last handle.
#[derive(Clone)]
pub struct Sampling {
    shared: Arc<Shared>,
    _task: Arc<Ends>,
}

struct Shared {
    open: Mutex<Open>,
    /// Something was opened that was not open before.
    opened: Notify,
    last: Mutex<Measured>,
}

/// What the last minute came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Measured {
    /// Clusters that were due and measured.
    pub measured: usize,
    /// Clusters that were due for a place and got none: they take turns.
    pub passed_over: usize,
    /// Clusters whose engines did not answer.
    pub away: usize,
}

/// Ends a task with the last handle.
struct Ends(JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sampling {
    /// Starts the sampler, which runs until `stop`. Must be called in the runtime that shall run it.
    pub fn start(
        store: SharedStore,
        reconciler: Reconciler,
        tally: Tally,
        engines: Engines,
        stop: CancellationToken,
    ) -> Sampling {
        let shared = Arc::new(Shared { open: Mutex::default(), opened: Notify::new(), last: Mutex::default() });
        let round = Round::new(store, reconciler, tally, engines);
        let running = run(shared.clone(), round);
        let task = tokio::spawn(async move { stop.run_until_cancelled_owned(running).await.unwrap_or_default() });
        Sampling { shared, _task: Arc::new(Ends(task)) }
    }

    /// A page has this cluster open; holds for two minutes.
    pub fn touch_cluster(&self, id: &ClusterId) {
        if lock(&self.shared.open).cluster(id, clock::now()) {
            self.shared.opened.notify_one();
        }
    }

    /// A page has this host open; holds for two minutes.
    pub fn touch_host(&self, id: &HostId) {
        lock(&self.shared.open).host(id, clock::now());
    }

    /// What the last minute came to here; nothing while another admin leads and no page is open here.
    pub fn last(&self) -> Measured {
        *lock(&self.shared.last)
    }
}

/// Once a minute all that is due, and at once what was just opened.
async fn run(shared: Arc<Shared>, mut round: Round) {
    let mut next = Instant::now() + until_next_minute();
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                let open = lock(&shared.open).now(clock::now());
                let measured = round.minute(open, round.role()).await;
                *lock(&shared.last) = measured;
                next = Instant::now() + until_next_minute();
            }
            () = shared.opened.notified() => {
                let open = lock(&shared.open).now(clock::now());
                round.just_opened(open).await;
            }
        }
    }
}

fn until_next_minute() -> Duration {
    let now = clock::now();
    (beginning(now, SAMPLE_EVERY) + SAMPLE_EVERY).since(now)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long calls to engines take at most here.
const PACE: Pace = Pace::ORDINARY;

//! How many clusters there are, by host, flavor and phase, and on which hosts, for whoever looks: counted and read once for
//! all of them.
//!
//! Counting reads an entry of an index for each cluster, so no request does it. One task a process does, when the store
//! says that something changed, as often as `pace` allows; until then everybody is given what was counted last. Two
//! cases wait for a count: the first of all, and a page that follows a change which an operator made through this process.

mod counts;
mod hosts;
mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::clock;
use common::model::Host;
use common::store::{Change, ChangeStream, SharedStore, StoreResult};
use futures_util::StreamExt;
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

pub use counts::{Counts, Phases};

use hosts::HostBook;
use pace::{LOOKED_AT_FOR, pause};

/// Before the next try, when the store could not be asked.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Whoever asks is given the latest. Cheap to clone.
#[derive(Clone)]
pub struct Tally(Arc<Inner>);

struct Inner {
    store: SharedStore,
    begun: Instant,
    latest: watch::Sender<Option<Arc<Counts>>>,
    /// Held by whoever counts: what the last count took.
    counting: Mutex<Duration>,
    /// Milliseconds since `begun` at which somebody last asked.
    asked: AtomicU64,
    /// Somebody asked who had not for long.
    wake: Notify,
    /// How many changes were made through this process, each before it was counted here.
    changes: AtomicU64,
    hosts: HostBook,
}

impl Tally {
    /// Starts the task that counts; it ends with `stop`.
    pub fn start(store: SharedStore, stop: CancellationToken) -> Tally {
        let tally = Tally(Arc::new(Inner {
            store,
            begun: Instant::now(),
            latest: watch::Sender::new(None),
            counting: Mutex::default(),
            asked: AtomicU64::new(0),
            wake: Notify::new(),
            changes: AtomicU64::new(0),
            hosts: HostBook::default(),
        }));
        let counting = tally.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = counting.keep() => {}
                () = counting.watch_hosts() => {}
                () = stop.cancelled() => {}
            }
        });
        tally
    }

    /// The latest counts; at least as new as the last change of which [`Tally::changed_here`] was told.
    pub async fn counts(&self) -> StoreResult<Arc<Counts>> {
        if self.idle() > LOOKED_AT_FOR {
            self.0.wake.notify_one();
        }
        self.0.asked.store(self.since_begin(), Ordering::Relaxed);
        let wanted = self.0.changes.load(Ordering::Acquire);
        let latest = self.0.latest.borrow().clone();
        match latest {
            Some(counts) if counts.changes >= wanted => Ok(counts),
            Some(_) | None => {
                let mut took = self.0.counting.lock().await;
                // Whoever had the lock may have counted late enough.
                let latest = self.0.latest.borrow().clone();
                match latest {
                    Some(counts) if counts.changes >= wanted => Ok(counts),
                    Some(_) | None => self.count(&mut took).await,
                }
            }
        }
    }

    /// The latest counts, however old, for whoever must not make anybody count; `None` before the first.
    pub fn latest(&self) -> Option<Arc<Counts>> {
        self.0.latest.borrow().clone()
    }

    /// All hosts, by name, as they were when one of them last changed. What is seen of them now and then, such as when an
    /// engine last answered, is no change.
    pub async fn hosts(&self) -> StoreResult<Arc<Vec<Host>>> {
        self.0.hosts.all(&self.0.store).await
    }

    /// A change was made through this process: who looks after it sees it.
    pub fn changed_here(&self) {
        self.0.hosts.changed();
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    /// Tells each time that there are other counts, or that a host changed.
    pub fn renewed(&self) -> watch::Receiver<Option<Arc<Counts>>> {
        self.0.latest.subscribe()
    }

    fn since_begin(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn idle(&self) -> Duration {
        Duration::from_millis(self.since_begin().saturating_sub(self.0.asked.load(Ordering::Relaxed)))
    }

    async fn count(&self, took: &mut Duration) -> StoreResult<Arc<Counts>> {
        let (at, begun, changes) = (clock::now(), Instant::now(), self.0.changes.load(Ordering::Acquire));
        let counted = self.0.store.count_clusters().await?;
        *took = begun.elapsed();
        let counts = Arc::new(Counts::of(&counted, at, changes));
        self.0.latest.send_if_modified(|latest| {
            let differ = latest.as_ref().is_none_or(|latest| !latest.same(&counts));
            *latest = Some(counts.clone());
            differ
        });
        Ok(counts)
    }

    /// Hears of changes of hosts, for ever.
    async fn watch_hosts(&self) {
        loop {
            match self.0.store.watch(None).await {
                Ok(changes) => self.0.hosts.listen(changes, || self.0.latest.send_modify(|_| {})).await,
                Err(error) => tracing::debug!(%error, "hosts could not be watched"),
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Counts, then waits until something changed and its time has come, for ever.
    async fn keep(&self) {
        let mut changes: Option<ChangeStream> = None;
        loop {
            // Watched before it is counted, so that what changes between the two is seen.
            if changes.is_none() {
                changes = self.0.store.watch(None).await.ok();
            }
            let counted = {
                let mut took = self.0.counting.lock().await;
                self.count(&mut took).await.map(|_| *took)
            };
            let took = match counted {
                Ok(took) => took,
                Err(error) => {
                    tracing::debug!(%error, "clusters could not be counted");
                    changes = None;
                    tokio::time::sleep(TRY_AGAIN).await;
                    continue;
                }
            };
            let ended = Instant::now();
            match &mut changes {
                Some(stream) => {
                    if !something_changed(stream).await {
                        changes = None;
                    }
                }
                None => tokio::time::sleep(TRY_AGAIN).await,
            }
            while let Some(left) = pause(took, self.idle()).checked_sub(ended.elapsed()).filter(|left| !left.is_zero())
            {
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = self.0.wake.notified() => {}
                }
            }
            if let Some(stream) = &mut changes {
                // What came meanwhile is in the count that follows.
                while let Some(next) = futures_util::FutureExt::now_or_never(stream.next()) {
                    if next.is_none() {
                        changes = None;
                        break;
                    }
                }
            }
        }
    }
}

/// Waits for a change of a cluster; `false` when the stream ended.
async fn something_changed(changes: &mut ChangeStream) -> bool {
    loop {
        match changes.next().await {
            Some((Change::Cluster(_) | Change::Missed, _)) => return true,
            Some((Change::Host(_), _)) => {}
            None => return false,
        }
    }
}

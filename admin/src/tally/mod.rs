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
use common::store::{Change, SharedStore, StoreResult};
use futures_util::{FutureExt, StreamExt};
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
    /// A cluster may have changed since the last count began.
    changed: Notify,
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
            changed: Notify::new(),
            changes: AtomicU64::new(0),
            hosts: HostBook::default(),
        }));
        let counting = tally.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = counting.keep() => {}
                () = counting.listen() => {}
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

    /// Counts of no longer ago than this; for whoever asks now and then and is not looking: nobody counts more often for it.
    pub async fn recent(&self, within: Duration) -> StoreResult<Arc<Counts>> {
        let mut took = self.0.counting.lock().await;
        match self.latest().filter(|counts| clock::now().since(counts.at) <= within) {
            Some(counts) => Ok(counts),
            None => self.count(&mut took).await,
        }
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

    /// Hears of changes, for ever: the one watch for counts and hosts.
    async fn listen(&self) {
        loop {
            match self.0.store.watch(None).await {
                Ok(mut changes) => {
                    self.0.hosts.listens(true);
                    self.hear(&Change::Missed);
                    while let Some((change, _)) = changes.next().await {
                        self.hear(&change);
                    }
                    self.0.hosts.listens(false);
                }
                Err(error) => tracing::debug!(%error, "hosts and clusters cannot be watched; trying again"),
            }
            tokio::time::sleep(TRY_AGAIN).await;
            // Nobody tells of changes meanwhile, so there may be some.
            self.0.changed.notify_one();
        }
    }

    fn hear(&self, change: &Change) {
        match change {
            Change::Cluster(_) => self.0.changed.notify_one(),
            Change::Host(_) => self.host_changed(),
            Change::Missed => {
                self.0.changed.notify_one();
                self.host_changed();
            }
        }
    }

    fn host_changed(&self) {
        self.0.hosts.changed();
        self.0.latest.send_modify(|_| {});
    }

    /// Counts, then waits until something changed and its time has come, for ever.
    async fn keep(&self) {
        loop {
            // What changed until now is in the count that follows.
            let _ = self.0.changed.notified().now_or_never();
            let counted = {
                let mut took = self.0.counting.lock().await;
                self.count(&mut took).await.map(|_| *took)
            };
            let took = match counted {
                Ok(took) => took,
                Err(error) => {
                    tracing::debug!(%error, "clusters could not be counted");
                    tokio::time::sleep(TRY_AGAIN).await;
                    continue;
                }
            };
            let ended = Instant::now();
            self.0.changed.notified().await;
            while let Some(left) = pause(took, self.idle()).checked_sub(ended.elapsed()).filter(|left| !left.is_zero())
            {
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = self.0.wake.notified() => {}
                }
            }
        }
    }
}

//! One watch of the store for the whole process, fanned out to whoever waits for a change.
//!
//! The watch runs only while somebody waits, and a little longer: applies change clusters by the thousand, and none
//! of them should cost anything here. A change that comes between the first waiter's first look and the watch's
//! beginning is covered by the `Missed` that opens every watch.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::model::ClusterId;
use common::store::{Change, SharedStore};
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use tracing::warn;

/// A waiter that falls behind by more is told to look anyway.
const BACKLOG: usize = 256;

/// The watch ends when nobody has waited for one to two of these.
const IDLE: Duration = Duration::from_secs(10);

/// Between two tries to watch a store that is away; waiters look by themselves meanwhile.
const RETRY: Duration = Duration::from_secs(1);

/// One watch of the store, shared.
pub struct Changes {
    store: SharedStore,
    out: broadcast::Sender<Change>,
    watching: Mutex<bool>,
    runtime: Handle,
    closing: watch::Receiver<bool>,
}

/// Hears changes from its making on.
pub struct Listener(broadcast::Receiver<Change>);

impl Changes {
    /// Must be called in the runtime that the watch shall live in. The watch ends when `closing` turns true.
    pub fn new(store: SharedStore, closing: watch::Receiver<bool>) -> Arc<Self> {
        let (out, _) = broadcast::channel(BACKLOG);
        Arc::new(Self { store, out, watching: Mutex::new(false), runtime: Handle::current(), closing })
    }

    /// Begins to listen; begins the watch if there is none.
    pub fn listen(self: &Arc<Self>) -> Listener {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = Listener(self.out.subscribe());
        if !*watching {
            *watching = true;
            self.runtime.spawn(Arc::clone(self).watch());
        }
        listener
    }

    async fn watch(self: Arc<Self>) {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = self.watch_while_needed() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    async fn watch_while_needed(&self) {
        let mut idle = tokio::time::interval(IDLE);
        let mut nobody = false;
        loop {
            match self.store.watch(None).await {
                Ok(mut changes) => {
                    self.tell(Change::Missed);
                    loop {
                        tokio::select! {
                            change = changes.next() => match change {
                                Some((change, _)) => self.tell(change),
                                None => break,
                            },
                            _ = idle.tick() => if self.may_end(&mut nobody) { return },
                        }
                    }
                }
                Err(error) => warn!("cannot watch the store; waiting requests look once a second: {error}"),
            }
            tokio::time::sleep(RETRY).await;
            if self.may_end(&mut nobody) {
                return;
            }
        }
    }

    fn tell(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.out.send(change);
    }

    /// Whether nobody listens for the second time in a row. Whoever begins to listen after this begins a new watch.
    fn may_end(&self, nobody: &mut bool) -> bool {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let none = self.out.receiver_count() == 0;
        let end = none && *nobody;
        *nobody = none;
        if end {
            *watching = false;
        }
        end
    }
}

impl Listener {
    /// Returns when this cluster may have changed.
    pub async fn changed(&mut self, cluster: &ClusterId) {
        loop {
            match self.0.recv().await {
                Ok(Change::Cluster(id)) if id != *cluster => {}
                Ok(Change::Host(_)) => {}
                Ok(Change::Cluster(_) | Change::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The sender lives as long as the server; this is never woken again.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

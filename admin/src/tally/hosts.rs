//! The hosts as pages show them together: kept in memory, and read again only when one of them changed, because of a thousand
//! records a page shows few.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::model::Host;
use common::store::{SharedStore, StoreResult};
use tokio::sync::Mutex;

/// What was read last.
#[derive(Default)]
pub(super) struct HostBook {
    known: Mutex<Option<Arc<Vec<Host>>>>,
    /// Whether it is listened to changes: else nothing that was read is known to be still so.
    listens: AtomicBool,
    /// Whether one may have changed since the last reading.
    changed: AtomicBool,
}

impl HostBook {
    /// All hosts, by name.
    pub(super) async fn all(&self, store: &SharedStore) -> StoreResult<Arc<Vec<Host>>> {
        let mut known = self.known.lock().await;
        // Asked before they are read, so that what changes meanwhile is read the next time.
        let changed = self.changed.swap(false, Ordering::AcqRel) || !self.listens.load(Ordering::Acquire);
        if let Some(known) = known.as_ref().filter(|_| !changed) {
            return Ok(known.clone());
        }
        // Forgotten first: a reading that fails, or that nobody waits for any more, leaves nothing that is old.
        *known = None;
        Ok(known.insert(Arc::new(store.list_hosts().await?)).clone())
    }

    /// One may have changed.
    pub(super) fn changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// From now on it is told of changes, or not.
    pub(super) fn listens(&self, listens: bool) {
        // What changed before is in no news.
        self.changed();
        self.listens.store(listens, Ordering::Release);
    }
}

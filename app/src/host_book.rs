//! Daemon URLs of hosts, which the old services show with every cluster.
//!
//! Kept for a second: they hardly ever change, and an apply should not read hosts. While one request reads them
//! anew, others take what was there; when the store is away, all do.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use common::model::HostId;
use common::store::SharedStore;
use tokio::sync::Mutex;

/// Read anew after this.
const KEPT: Duration = Duration::from_secs(1);

/// A host that is not in the book may have been added just now; but one that was deleted is never in it, and must
/// not make every request read all hosts.
const KEPT_FROM_STRANGERS: Duration = Duration::from_millis(100);

/// Daemon URLs by host.
pub type Urls = Arc<HashMap<HostId, String>>;

/// Daemon URLs of hosts, kept for a second.
pub struct HostBook {
    store: SharedStore,
    page: RwLock<Option<(Urls, Instant)>>,
    reading: Mutex<()>,
}

impl HostBook {
    /// An empty book.
    pub fn new(store: SharedStore) -> Self {
        Self { store, page: RwLock::new(None), reading: Mutex::new(()) }
    }

    /// The URL of one host; "" when the host is gone or the store has not answered yet.
    pub async fn url(&self, host: &HostId) -> String {
        self.urls_with(std::iter::once(host)).await.get(host).cloned().unwrap_or_default()
    }

    /// The URLs of all hosts, read anew if one of these is not among them.
    pub async fn urls_with(&self, hosts: impl Iterator<Item = &HostId>) -> Urls {
        let urls = self.no_older_than(KEPT).await;
        let strange = hosts.into_iter().any(|host| !urls.contains_key(host));
        if strange { self.no_older_than(KEPT_FROM_STRANGERS).await } else { urls }
    }

    async fn no_older_than(&self, age: Duration) -> Urls {
        let known = self.known();
        if let Some((urls, at)) = &known
            && at.elapsed() < age
        {
            return urls.clone();
        }
        let _turn = match (self.reading.try_lock(), known) {
            (Ok(turn), _) => turn,
            (Err(_), Some((urls, _))) => return urls,
            (Err(_), None) => {
                let turn = self.reading.lock().await;
                if let Some((urls, _)) = self.known() {
                    return urls;
                }
                turn
            }
        };
        let urls = match self.store.list_hosts().await {
            Ok(hosts) => {
                Arc::new(hosts.into_iter().map(|host| (host.id, host.settings.daemon_url.to_string())).collect())
            }
            // Whoever needs the store for more than a URL says that it is away.
            Err(_) => self.known().map(|(urls, _)| urls).unwrap_or_default(),
        };
        *self.page.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&urls), Instant::now()));
        urls
    }

    fn known(&self) -> Option<(Urls, Instant)> {
        self.page.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

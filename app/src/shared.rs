//! What every request works with.

use std::sync::Arc;
use std::time::Duration;

use common::compose::Catalog;
use common::config::Secret;
use common::metrics::Page;
use common::model::Cluster;
use common::store::SharedStore;
use tokio::sync::watch;

use crate::callers::{Caller, Callers};
use crate::changes::Changes;
use crate::demand::Demand;
use crate::doorbell::Doorbell;
use crate::host_book::HostBook;
use crate::meters::Meters;

/// What every request works with; one for the process.
pub struct Shared {
    /// The pool's records.
    pub store: SharedStore,
    /// Who is calling.
    pub callers: Callers,
    /// Which flavors there are.
    pub catalog: Arc<Catalog>,
    /// Daemon URLs of hosts.
    pub hosts: HostBook,
    /// Who waits for a change is woken by this.
    pub changes: Arc<Changes>,
    /// Tells the reconciler to look now.
    pub doorbell: Doorbell,
    /// Counts what is applied for.
    pub demand: Arc<Demand>,
    /// What users do is counted here.
    pub meters: Meters,
    /// All that is counted, as `/metrics` shows it.
    pub metrics: Page,
    /// What `/metrics` wants to see, if anything.
    pub metrics_token: Option<Secret>,
    /// How long start, stop and restart wait to see it done.
    pub wish_wait: Duration,
    /// Turns true when the server is stopping: nobody should wait any longer.
    pub closing: watch::Receiver<bool>,
}

impl Shared {
    /// Where a cluster's Docker daemon is, for whom may know; else "".
    pub async fn daemon_url(&self, caller: &Caller, cluster: &Cluster) -> String {
        if caller.sees_daemons() { self.hosts.url(&cluster.host).await } else { String::new() }
    }
}

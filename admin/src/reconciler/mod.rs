//! The reconciler: keeps the pool as it is wanted. The only part that talks to Docker.
//!
//! Its rooms: `view` is what is, `memory` what a loop remembers, `plan` decides from both as plain functions, `execute`
//! carries one action out. `host_loop` ties them together for one host, `wake` says when, and `leader` does it for all
//! hosts, under the reconciler lock. `outlook` is what pages are told of it. `docs/architecture.md` has the rules that
//! they keep.

#[cfg(test)]
pub(crate) mod case;
mod execute;
mod host_loop;
mod leader;
mod memory;
mod meters;
mod outlook;
mod plan;
mod policy;
#[cfg(test)]
mod sim;
mod view;
mod wake;

use std::sync::Arc;
use std::time::Instant;

use common::clock::Pace;
use common::compose::Catalog;
use common::model::{FlavorShare, HostId, SlotLayout, Timestamp};
use common::store::{SharedStore, measured};
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use tracing::error;

pub use self::execute::placement::new_cluster;
pub use self::meters::{Dropped, Meters};
#[cfg(test)]
pub(crate) use self::outlook::pool::add_up;
pub use self::outlook::pool::{DoingTotal, HeldTotal, PoolOutlook, RetryTotal};
pub use self::outlook::{Doing, DoingKind, HeldBack, HostOutlook, LinkOutlook, Probed, RetryLater, RetryOf};
pub use self::view::observe::clusters as clusters_of;

use self::leader::Leader;
use self::leader::term::Term;
use self::outlook::Outlooks;
use self::plan::pool::rooms::even_mix;
use self::wake::news::News;
use crate::seal::Seal;

/// How the pages and `/internal` reach the reconciler of this process, leading or standing by.
#[derive(Clone)]
pub struct Reconciler {
    rings: Arc<watch::Sender<u64>>,
    outlooks: Outlooks,
    news: News,
    meters: Meters,
    looking: Arc<Semaphore>,
}

/// What came of looking at everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LookedAtAll {
    /// So many hosts; none while another process leads.
    pub hosts: usize,
    /// From the asking to the end of the last host's pass.
    pub took_ms: u64,
}

/// What the reconciler is started with.
pub struct Settings {
    /// Where records are.
    pub store: SharedStore,
    /// What flavors mean.
    pub catalog: Arc<Catalog>,
    /// What slots mean.
    pub layout: SlotLayout,
    /// Which flavors the pool is made of, with their shares; empty: all, equally.
    pub mix: Vec<FlavorShare>,
    /// The most container starts at once on one host.
    pub max_starts: usize,
    /// Where this process' `/internal` answers: `http://host:port`.
    pub address: String,
    /// The way to hosts' daemons.
    pub seal: Seal,
    /// How long everything waits.
    pub pace: Pace,
    /// Whether free clusters are asked to commit a transaction now and then, as their templates say.
    pub deep_probes: bool,
}

/// The running reconciler. Dropping it ends it between two calls; [`Running::stop`] also gives the lock back.
pub struct Running {
    task: JoinHandle<()>,
    store: SharedStore,
    holder: String,
    term: Term,
}

impl Reconciler {
    /// A handle, and the ear for its rings.
    fn new() -> (Reconciler, watch::Receiver<u64>) {
        let (rings, ear) = watch::channel(0);
        let meters = Meters::default();
        (
            Reconciler {
                rings: Arc::new(rings),
                outlooks: Outlooks::default(),
                news: News::counting(meters.clone()),
                meters,
                looking: Arc::new(Semaphore::new(1)),
            },
            ear,
        )
    }

    /// One that nobody runs: for routers that are tested without a pool.
    pub fn idle() -> Reconciler {
        Reconciler::new().0
    }

    /// One that leads and tells this of its hosts.
    #[cfg(test)]
    pub(crate) fn telling(hosts: Vec<HostOutlook>) -> Reconciler {
        let reconciler = Reconciler::idle();
        reconciler.outlooks.lead();
        hosts.into_iter().for_each(|host| reconciler.outlooks.set(host));
        reconciler
    }

    /// Says that something may have changed. Carries nothing; many rings at once are one.
    pub fn ring(&self) {
        self.rings.send_modify(|count| *count = count.wrapping_add(1));
        self.news.ring();
    }

    /// What it counts of its work.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Looks at every host, its engine and its records, as after a blind spell; returns when every host's pass is over.
    ///
    /// `None`: that is being done for somebody else already. Each look has every engine list all it has, so one at a time.
    pub async fn look_at_all(&self) -> Option<LookedAtAll> {
        let _one = self.looking.try_acquire().ok()?;
        let began = Instant::now();
        let asked = self.news.look_at_all();
        let hosts = asked.len();
        for (dirty, count) in asked {
            dirty.done_in_full(count).await;
        }
        Some(LookedAtAll { hosts, took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) })
    }

    /// Whether this process has the lock and looks after the hosts.
    pub fn leads(&self) -> bool {
        self.outlooks.leads()
    }

    /// Hears of each host of which something else is told than before; `None`: of all.
    pub fn told(&self) -> broadcast::Receiver<Option<HostId>> {
        self.outlooks.told()
    }

    /// What is being done, held back and why, host by host. Empty while another process leads.
    pub fn outlook(&self) -> Vec<Arc<HostOutlook>> {
        self.outlooks.all()
    }

    /// The same of one host.
    pub fn outlook_of(&self, host: &HostId) -> Option<Arc<HostOutlook>> {
        self.outlooks.of(host)
    }

    /// The same of all hosts, added up.
    pub fn outlook_of_pool(&self, now: Timestamp) -> PoolOutlook {
        self.outlooks.pool(now)
    }
}

/// Starts the reconciler beside the caller.
pub fn start(settings: Settings) -> (Reconciler, Running) {
    let (reconciler, ear) = Reconciler::new();
    let holder = hex::encode(rand::random::<[u8; 8]>());
    let Settings { store, catalog, layout, mix, max_starts, address, seal, pace, deep_probes } = settings;
    let meters = reconciler.meters.clone();
    let store = measured(store, meters.store.clone());
    let mix = if mix.is_empty() { even_mix(catalog.flavors().iter().map(|f| f.id.clone())) } else { mix };
    let (outlooks, news) = (reconciler.outlooks.clone(), reconciler.news.clone());
    let term = Term::until(Instant::now(), pace);
    let leader = Leader {
        store: store.clone(),
        catalog,
        layout,
        seal,
        mix,
        max_starts,
        address,
        pace,
        deep_probes,
        term: term.clone(),
        rings: ear,
        outlooks,
        news,
        meters,
    };
    let name = holder.clone();
    let task = tokio::spawn(async move {
        if let Err(reason) = leader.run(name).await {
            error!("the reconciler cannot run: {reason:#}");
        }
    });
    (reconciler, Running { task, store, holder, term })
}

impl Running {
    /// Waits until the reconciler ends by itself, which it does only if something is wrong with it: the log says what.
    /// A service without it must not go on as if the pool were looked after.
    pub async fn ended(&mut self) {
        let _panicked = (&mut self.task).await;
    }

    /// Ends what is under way between two calls and gives the lock back, so that a standby leads at once.
    pub async fn stop(mut self) {
        // Before the lock is given back nothing more may be sent to an engine.
        self.cut();
        if !self.task.is_finished() {
            let _aborted = (&mut self.task).await;
        }
        // A renewal may have come between; steps that still end see by this that they may do no more.
        self.cut();
        if let Err(reason) = self.store.drop_lock(&self.holder).await {
            tracing::warn!("the reconciler lock was not given back and runs out by itself: {reason}");
        }
    }

    /// No call to an engine begins any more, and what is under way ends where it stands.
    fn cut(&self) {
        self.term.renew(Instant::now());
        self.task.abort();
    }
}

impl Drop for Running {
    /// As at the death of the process: the lock is not given back.
    fn drop(&mut self) {
        self.cut();
    }
}

//! A pool in this process: SQLite in a folder of its own, the reconciler, and one host.

use std::collections::BTreeMap;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use admin::reconciler::{self, Reconciler, Running};
use anyhow::Context;
use common::clock::{self, Pace};
use common::compose::{Catalog, CatalogSettings};
use common::model::*;
use common::store::{self, Applied, Apply, ClusterFilter, Holding, Page, SharedStore, StoreTarget, StoreUser};
use engine::Engine;
use tempfile::TempDir;

use crate::wait::wait_until;

/// The image that stands for Fabric's peer in tests.
pub const PEER_IMAGE: &str = "poolmanager/fabricsim:0.6";

/// Long enough for a busy two-core machine; a test that passes does not wait for it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A running pool. Call [`Pool::end`]; whatever is left when it is dropped is taken off the engine all the same.
pub struct Pool {
    /// Its store.
    pub store: SharedStore,
    /// Its reconciler's handle.
    pub reconciler: Reconciler,
    /// Its templates.
    pub catalog: Arc<Catalog>,
    /// Its slots.
    pub layout: SlotLayout,
    /// The host's id.
    pub host: HostId,
    /// The host's daemon.
    pub url: DaemonUrl,
    running: Option<Running>,
    mix: Vec<FlavorShare>,
    pace: Pace,
    /// Whether the next reconciler probes deeply.
    pub deep_probes: bool,
    sweeps: bool,
    _folder: TempDir,
}

/// What a pool is made of.
pub struct Setup {
    /// The host's daemon.
    pub url: String,
    /// Where its clusters answer.
    pub address: String,
    /// How many it may hold.
    pub capacity: u16,
    /// What there is.
    pub catalog: Catalog,
    /// What of it the pool is made of.
    pub flavors: Vec<String>,
    /// Below which folder its files are.
    pub below: PathBuf,
    /// How long everything waits.
    pub pace: Pace,
}

/// Ports and subnets that no other test on this machine uses now: the first port is drawn until a block of them is free.
pub fn free_layout(slots: u16) -> anyhow::Result<SlotLayout> {
    const PORTS: u16 = 20;
    for _ in 0..200 {
        let first_port = 10_000 + rand::random::<u16>() % 20_000;
        let end_port = first_port + slots * PORTS;
        let free = (first_port..end_port).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
        if free {
            // Room for 16 slots, or for 64.
            let (bits, mask) = if slots <= 16 { (20, 0xf0) } else { (18, 0xc0) };
            let net = format!("10.{}.{}.0/{bits}", 64 + rand::random::<u8>() % 64, rand::random::<u8>() & mask);
            let subnets = SubnetRange(net.parse().context("a subnet")?);
            return Ok(SlotLayout { first_port, ports_per_slot: PORTS, end_port, subnets });
        }
    }
    anyhow::bail!("no block of free ports was found")
}

impl Pool {
    /// Opens a store, adds a host with this capacity to it, and starts the reconciler. The pool is made of the flavors given.
    pub async fn start(url: &str, address: &str, capacity: u16, flavors: &[&str]) -> anyhow::Result<Pool> {
        let variables = BTreeMap::from([("FABRIC_PEER_IMAGE".to_owned(), PEER_IMAGE.to_owned())]);
        let setup = Setup {
            url: url.to_owned(),
            address: address.to_owned(),
            capacity,
            catalog: Catalog::shipped(&CatalogSettings { variables })?,
            flavors: flavors.iter().map(|name| (*name).to_owned()).collect(),
            below: std::env::temp_dir(),
            pace: Pace::ORDINARY,
        };
        let mut pool = Pool::set_up(setup).await?;
        pool.start_reconciler();
        Ok(pool)
    }

    /// The same without a reconciler, which [`Pool::start_reconciler`] starts.
    pub async fn set_up(setup: Setup) -> anyhow::Result<Pool> {
        let Setup { url, address, capacity, catalog, flavors, below, pace } = setup;
        let folder = tempfile::tempdir_in(below)?;
        let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
        let store = store::open(&target, StoreUser::Admin).await?;
        let url = DaemonUrl::parse(&url)?;
        let info = Engine::connect(&url).await?.info().await.context("see ./scripts/real-parts.sh")?;
        let now = clock::now();
        let host = Host {
            id: HostId::random(),
            version: 1,
            settings: HostSettings {
                name: HostName::parse(&format!("e2e-{:04x}", rand::random::<u16>()))?,
                daemon_url: url.clone(),
                address: address.clone(),
                bind_address: address.parse::<IpAddr>()?,
                capacity,
                log_level: LogLevel::Info,
                log_target: LogTarget::Local,
                schedulable: true,
                autofill: true,
                mix: Vec::new(),
                chaincode_endpoint: None,
            },
            engine_id: info.id,
            kind: info.kind,
            purpose: HostPurpose::Serve,
            try_again: None,
            tls: None,
            contact: Contact {
                state: HostState::Active { since: now },
                last_answer: now,
                engine_version: info.version,
                cpus: info.cpus,
                memory: info.memory,
                made_at: None,
            },
            created_at: now,
        };
        let event = Event::new(now, EventKind::HostChanged, Actor::Operator { name: "test".into() }, "added");
        store.insert_host(&host, event).await?;
        let share = |name: &String| Ok(FlavorShare { flavor: FlavorId::parse(name)?, weight: 1, min_free: 0 });
        let mix = flavors.iter().map(share).collect::<anyhow::Result<Vec<_>>>()?;
        let layout = free_layout(capacity + 2)?;
        Ok(Pool {
            store,
            reconciler: Reconciler::idle(),
            catalog: Arc::new(catalog),
            layout,
            host: host.id,
            url,
            running: None,
            mix,
            pace,
            deep_probes: false,
            sweeps: true,
            _folder: folder,
        })
    }

    /// Starts the reconciler, as at the start of admin.
    pub fn start_reconciler(&mut self) {
        self.start_reconciler_on(self.store.clone());
    }

    /// The same, with this before the store.
    pub fn start_reconciler_on(&mut self, store: SharedStore) {
        let (reconciler, running) = reconciler::start(reconciler::Settings {
            store,
            catalog: self.catalog.clone(),
            layout: self.layout,
            mix: self.mix.clone(),
            max_starts: 4,
            address: "http://127.0.0.1:9".into(),
            seal: admin::seal::Seal::default(),
            pace: self.pace,
            deep_probes: self.deep_probes,
        });
        (self.reconciler, self.running) = (reconciler, Some(running));
    }

    /// Ends the reconciler between two calls to the engine, as a stop of admin does.
    pub async fn stop_reconciler(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Ends the reconciler where it stands, as SIGKILL does: nothing is given back.
    pub fn kill_reconciler(&mut self) {
        self.running = None;
    }

    /// Ends all without a look at the engine, which is one that ends with the caller.
    pub async fn leave_engine(mut self) {
        self.running = None;
        self.sweeps = false;
        self.store.close().await;
    }

    /// All clusters.
    pub async fn clusters(&self) -> Vec<Cluster> {
        let page = Page::first(1000);
        self.store.list_clusters(&ClusterFilter::default(), &page).await.unwrap_or_default()
    }

    /// How many are in each phase, as text: `2 free, 1 in_use`.
    pub async fn summary(&self) -> String {
        let mut counts: BTreeMap<PhaseKind, usize> = BTreeMap::new();
        for cluster in self.clusters().await {
            *counts.entry(cluster.phase.kind()).or_default() += 1;
        }
        let words: Vec<String> = counts.iter().map(|(phase, n)| format!("{n} {}", phase.as_str())).collect();
        if words.is_empty() { "none".into() } else { words.join(", ") }
    }

    /// Waits until the pool is exactly so: `2 free, 1 in_use`.
    pub async fn until(&self, wanted: &str) {
        wait_until(&format!("the pool to be: {wanted}"), PATIENCE, || async {
            let now = self.summary().await;
            if now == wanted { Ok(()) } else { Err(format!("{now}; outlook {:?}", self.reconciler.outlook())) }
        })
        .await;
    }

    /// Applies for any flavor.
    pub async fn apply(&self, user: &str) -> anyhow::Result<Applied> {
        let apply = Apply {
            user: UserId::parse(user)?,
            flavors: self.catalog.flavors().iter().map(|flavor| flavor.id.clone()).collect(),
            holding: Holding::GiveSame,
            most: None,
            key: None,
            metadata: Metadata::new(),
            now: clock::now(),
        };
        Ok(self.store.apply(apply).await?)
    }

    /// Changes a cluster by a legal move, as app does: again when it changed meanwhile.
    pub async fn change(&self, id: &ClusterId, change: impl Fn(&Cluster) -> Option<Cluster>) -> anyhow::Result<()> {
        for _ in 0..20 {
            let from = self.store.cluster(id).await?.context("the cluster is gone")?;
            let to = change(&from).context("the move is illegal")?;
            match self.store.move_cluster(&from, &to, None).await {
                Err(store::StoreError::Conflict(_)) => {}
                other => {
                    self.reconciler.ring();
                    return Ok(other?);
                }
            }
        }
        anyhow::bail!("the cluster changed again and again")
    }

    /// What the pool has on the engine: containers, networks and volumes, counted.
    pub async fn on_engine(&self) -> anyhow::Result<usize> {
        let survey = Engine::connect(&self.url).await?.survey(self.store.pool_id(), &self.layout).await?;
        Ok(survey.ours.iter().map(|c| c.containers.len() + c.networks.len() + c.volumes.len()).sum())
    }

    /// Deletes the host, waits until the pool has nothing left anywhere, and ends.
    pub async fn end(mut self) -> anyhow::Result<()> {
        let host = self.store.host(&self.host).await?.context("the host")?;
        let event = Event::new(clock::now(), EventKind::HostChanged, Actor::Operator { name: "test".into() }, "leaves");
        self.store.change_host(&host.leave(Asked { since: clock::now(), by: "test".into() }, false), event).await?;
        self.reconciler.ring();
        wait_until("the host to be gone", PATIENCE, || async {
            match self.store.host(&self.host).await {
                Ok(None) => Ok(()),
                other => Err(format!("{}; {other:?}; {:?}", self.summary().await, self.reconciler.outlook())),
            }
        })
        .await;
        let left = self.on_engine().await?;
        anyhow::ensure!(left == 0, "{left} things are left on the engine");
        self.stop_reconciler().await;
        self.store.close().await;
        Ok(())
    }
}

impl Drop for Pool {
    /// A test that failed leaves nothing on the engine either.
    fn drop(&mut self) {
        drop(self.running.take());
        if !self.sweeps {
            return;
        }
        let (url, pool, layout) = (self.url.clone(), self.store.pool_id().clone(), self.layout);
        let sweep = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let Ok(engine) = Engine::connect(&url).await else { return };
                let Ok(survey) = engine.survey(&pool, &layout).await else { return };
                for found in survey.ours {
                    let prefixes = [format!("{}-", found.cluster)];
                    let _ = engine.down(&pool, &found.cluster, &prefixes, &|| Ok(())).await;
                }
            });
        });
        let _ = sweep.join();
    }
}

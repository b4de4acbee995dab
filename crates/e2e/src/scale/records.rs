//! The records of filled hosts, as the reconciler would have left them: free, on offer, proven at times that are spread
//! as probes spread them.

use std::time::Duration;

use anyhow::Context;
use common::clock;
use common::model::{
    Actor, Cluster, Contact, DaemonUrl, Endpoint, Event, EventKind, Host, HostKind, HostPurpose, HostSettings,
    HostState, LogLevel, LogTarget, NewCluster, NodeState, Timestamp,
};
use common::store::SharedStore;
use futures_util::{StreamExt, TryStreamExt};

use super::sims::{Filled, FilledCluster};

/// Writes at once.
const AT_ONCE: usize = 64;

/// Clusters that a probe a second proves in time, by the shipped policy: it is 50 a second beyond 1,500.
const PROBES_PER_SECOND: u32 = 50;

/// Where they go.
pub(super) struct Records {
    store: SharedStore,
}

impl Records {
    pub(super) fn new(store: SharedStore) -> Records {
        Records { store }
    }

    /// Adds hosts and their clusters to a pool that will have so many clusters in all.
    pub(super) async fn add(&self, hosts: &[Filled], clusters_in_all: u32) -> anyhow::Result<()> {
        let now = clock::now();
        // No proof is older than most of what the policy allows.
        let oldest = Duration::from_secs(u64::from((clusters_in_all / PROBES_PER_SECOND).max(30))).mul_f64(0.9);
        let event = || Event::new(now, EventKind::Creating, Actor::Reconciler, "for the bench");
        for host in hosts {
            self.store.insert_host(&record(host, now)?, event()).await.context("adding a host")?;
        }
        let clusters = hosts.iter().flat_map(|host| host.clusters.iter().map(move |cluster| (host, cluster)));
        let all: Vec<Cluster> =
            clusters.map(|(host, filled)| free(host, filled, now, oldest)).collect::<anyhow::Result<_>>()?;
        futures_util::stream::iter(&all)
            .map(|cluster| self.store.insert_cluster(cluster, event()))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .context("adding clusters")
    }
}

fn record(host: &Filled, now: Timestamp) -> anyhow::Result<Host> {
    Ok(Host {
        id: host.id.clone(),
        version: 1,
        settings: HostSettings {
            name: host.name.clone(),
            daemon_url: DaemonUrl::parse(&host.url).context("a daemon's URL")?,
            address: host.address.to_string(),
            bind_address: host.address.into(),
            capacity: u16::try_from(host.clusters.len())?,
            log_level: LogLevel::default(),
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: true,
            mix: Vec::new(),
            chaincode_endpoint: None,
        },
        engine_id: host.engine_id.clone(),
        kind: HostKind::Single,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: Contact {
            state: HostState::Active { since: now },
            last_answer: now,
            engine_version: "20.10.24".into(),
            cpus: 8,
            memory: 32 << 30,
            made_at: Some(now),
        },
        created_at: now,
    })
}

fn free(host: &Filled, filled: &FilledCluster, now: Timestamp, oldest: Duration) -> anyhow::Result<Cluster> {
    let mould = host.moulds.get(usize::from(filled.slot.0)).context("a mould")?;
    let endpoint = |planned: &common::compose::PlannedEndpoint| Endpoint {
        node: planned.node.clone(),
        scheme: planned.scheme.clone(),
        address: host.address.to_string(),
        port: planned.port,
    };
    let mut cluster = Cluster::begin(NewCluster {
        id: filled.id.clone(),
        name: filled.name.clone(),
        host: host.id.clone(),
        host_name: host.name.clone(),
        slot: filled.slot,
        flavor: host.flavor.id.clone(),
        flavor_digest: host.flavor.digest.clone(),
        size: host.flavor.size,
        nodes: mould.nodes.clone(),
        endpoints: mould.endpoints.iter().map(|(name, planned)| (name.clone(), endpoint(planned))).collect(),
        now,
        deadline: now + Duration::from_secs(600),
    });
    for (name, id) in &filled.containers {
        if let Some(node) = cluster.nodes.get_mut(name) {
            node.container = Some(id.clone());
            node.state = NodeState::Running;
        }
    }
    let mut free = cluster.offer_out(rand::random(), now + Duration::from_secs(60), now).context("a free cluster")?;
    free.proven_at = Some(now - oldest.mul_f64(rand::random()));
    Ok(free)
}

//! A pool of free clusters, as the reconciler would have left it, put into a store through the store's own trait.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context;
use common::clock;
use common::compose::{Catalog, CatalogSettings, Placement, PlannedEndpoint};
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Contact, DaemonUrl, Endpoint, Event, EventKind, Flavor, FlavorId, Host,
    HostId, HostKind, HostName, HostPurpose, HostSettings, HostState, LogLevel, LogTarget, NewCluster, NodeName,
    NodeState, Slot, SlotLayout, Timestamp,
};
use common::store::SharedStore;
use futures_util::{StreamExt, TryStreamExt};

/// A host has that many; it makes names and slots as they are in earnest.
const PER_HOST: u32 = 100;

/// Beyond the end of any run.
const OFFERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Writes at once.
const AT_ONCE: usize = 128;

/// What a flavor's clusters have in common.
pub(crate) struct Mould<'a> {
    pub(crate) flavor: &'a Flavor,
    nodes: Vec<NodeName>,
    endpoints: BTreeMap<String, Endpoint>,
}

/// Where a claim that takes any flavor looks, one place after another: a flavor at random, the others after it, for near the
/// end of a small pool one may be used up; of each from a random number on, else from the beginning.
pub(super) fn places(flavors: &[FlavorId]) -> Vec<(&FlavorId, f64)> {
    let (before, from_first) = flavors.split_at(rand::random_range(0..flavors.len()));
    from_first.iter().chain(before).flat_map(|flavor| [(flavor, rand::random::<f64>()), (flavor, 0.0)]).collect()
}

/// Puts so many on offer, of all flavors that ship alike; the flavors.
pub(super) async fn fill(store: &SharedStore, count: u32) -> anyhow::Result<Vec<FlavorId>> {
    let catalog = Catalog::shipped(&CatalogSettings::default()).context("reading the templates")?;
    let moulds = catalog.flavors().iter().map(|flavor| mould(&catalog, flavor)).collect::<anyhow::Result<Vec<_>>>()?;
    let now = clock::now();
    let hosts = (0..=count / PER_HOST).map(|number| host(number, now)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut clusters = Vec::new();
    for (number, mould) in (0..count).zip(moulds.iter().cycle()) {
        let host = hosts.get(usize::try_from(number / PER_HOST)?).context("a host")?;
        clusters.push(free(mould, host, Slot(u16::try_from(number % PER_HOST)?), now)?);
    }
    let event = || Event::new(now, EventKind::Creating, Actor::Reconciler, "for the bench");
    for host in &hosts {
        store.insert_host(host, event()).await.context("adding a host")?;
    }
    futures_util::stream::iter(&clusters)
        .map(|cluster| store.insert_cluster(cluster, event()))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
        .context("filling the pool")?;
    Ok(moulds.iter().map(|mould| mould.flavor.id.clone()).collect())
}

/// What this flavor's clusters have in common.
pub(crate) fn mould<'a>(catalog: &Catalog, flavor: &'a Flavor) -> anyhow::Result<Mould<'a>> {
    let layout = SlotLayout::default();
    let placement = Placement {
        cluster: ClusterId::random(),
        project: "bench".into(),
        ports: layout.ports(Slot(0)).context("a slot's ports")?,
        subnet: layout.subnet(Slot(0)).context("a slot's subnet")?,
        bind_address: Ipv4Addr::UNSPECIFIED.into(),
        log_target: LogTarget::Local,
        log_level: LogLevel::default(),
        kind: HostKind::Single,
        chaincode_endpoint: None,
    };
    let project = catalog.plan(flavor, &placement).context("planning a cluster")?;
    let nodes = project.lasting_nodes();
    let endpoint = |planned: PlannedEndpoint| Endpoint {
        node: planned.node,
        scheme: planned.scheme,
        address: "10.0.0.1".into(),
        port: planned.port,
    };
    let endpoints = project.endpoints.into_iter().map(|(name, planned)| (name, endpoint(planned))).collect();
    Ok(Mould { flavor, nodes, endpoints })
}

/// A host as it is after its first look.
pub(crate) fn host(number: u32, now: Timestamp) -> anyhow::Result<Host> {
    let address = format!("10.0.{}.{}", number / 250, number % 250 + 1);
    Ok(Host {
        id: HostId::random(),
        version: 1,
        settings: HostSettings {
            name: HostName::parse(&format!("host-{number}")).context("a host's name")?,
            daemon_url: DaemonUrl::parse(&format!("tcp://{address}:2375")).context("a daemon's URL")?,
            address,
            bind_address: Ipv4Addr::UNSPECIFIED.into(),
            capacity: u16::try_from(PER_HOST)?,
            log_level: LogLevel::default(),
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: false,
            mix: Vec::new(),
            chaincode_endpoint: None,
        },
        engine_id: format!("engine-{number}"),
        kind: HostKind::Single,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: Contact {
            state: HostState::Active { since: now },
            last_answer: now,
            engine_version: "20.10.24".into(),
            cpus: 4,
            memory: 64 << 30,
            made_at: None,
        },
        created_at: now,
    })
}

fn free(mould: &Mould<'_>, host: &Host, slot: Slot, now: Timestamp) -> anyhow::Result<Cluster> {
    let made = made(mould, host, slot, now)?;
    made.offer_out(rand::random(), now + OFFERED_FOR, now).context("a free cluster")
}

/// A cluster whose nodes run, before it is offered.
pub(crate) fn made(mould: &Mould<'_>, host: &Host, slot: Slot, now: Timestamp) -> anyhow::Result<Cluster> {
    let mut cluster = Cluster::begin(NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&host.settings.name, slot),
        host: host.id.clone(),
        host_name: host.settings.name.clone(),
        slot,
        flavor: mould.flavor.id.clone(),
        flavor_digest: mould.flavor.digest.clone(),
        size: mould.flavor.size,
        nodes: mould.nodes.clone(),
        endpoints: mould.endpoints.clone(),
        now,
        deadline: now + OFFERED_FOR,
    });
    for node in cluster.nodes.values_mut() {
        // As long as an engine's ids are.
        node.container = Some(format!("{:064x}", rand::random::<u128>()));
        node.state = NodeState::Running;
    }
    Ok(cluster)
}

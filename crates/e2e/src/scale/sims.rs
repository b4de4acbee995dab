//! The simulated hosts: each with an address of its own on the loopback, all through shared listeners.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, bail};
use common::compose::{Catalog, CatalogSettings};
use common::model::{
    ClusterId, ClusterName, Flavor, FlavorId, HostId, HostName, NodeName, PoolId, Slot, SlotLayout, SubnetRange,
};
use simdocker::{Listen, PortMode, SharedPorts, SimHost, SimOptions};

use super::mould::{Cast, Mould, moulds};
use crate::house::FLAVOR;
use crate::pool::PEER_IMAGE;

/// More than four peers publish.
const PORTS_PER_SLOT: u16 = 20;

/// All of them.
pub(super) struct Sims {
    running: Vec<SimHost>,
    shared: SharedPorts,
    api_port: u16,
    /// The first host's address; the others follow.
    first: u32,
    layout: SlotLayout,
    flavor: Flavor,
    moulds: Arc<Vec<Mould>>,
}

/// A host that was started and filled.
pub(super) struct Filled {
    pub id: HostId,
    pub name: HostName,
    pub url: String,
    pub address: Ipv4Addr,
    pub engine_id: String,
    pub flavor: Flavor,
    pub clusters: Vec<FilledCluster>,
    pub moulds: Arc<Vec<Mould>>,
}

/// A cluster on it, of the mould with the same number.
pub(super) struct FilledCluster {
    pub id: ClusterId,
    pub name: ClusterName,
    pub slot: Slot,
    pub containers: Vec<(NodeName, String)>,
}

impl Sims {
    pub(super) async fn new(clusters: u16, pool: PoolId) -> anyhow::Result<Sims> {
        let variables = [("FABRIC_PEER_IMAGE".to_owned(), PEER_IMAGE.to_owned())].into();
        let catalog = Catalog::shipped(&CatalogSettings { variables }).context("reading the templates")?;
        let flavor = catalog.flavor(&FlavorId::parse(FLAVOR)?).context("the flavor")?.clone();
        let (api_port, layout) = free_ports(clusters)?;
        let moulds = Arc::new(moulds(&catalog, &flavor, &layout, &pool, clusters).await?);
        // 127.64.0.1 to 127.191.255.254: nobody else's, whichever block of 65,536 it is.
        let first = u32::from(Ipv4Addr::new(127, 64 + rand::random::<u8>() % 128, 0, 1));
        Ok(Sims { running: Vec::new(), shared: SharedPorts::default(), api_port, first, layout, flavor, moulds })
    }

    pub(super) fn layout(&self) -> SlotLayout {
        self.layout
    }

    /// Adds hosts until there are so many; those that were added.
    pub(super) async fn grow(&mut self, hosts: u32) -> anyhow::Result<Vec<Filled>> {
        let mut added = Vec::new();
        for number in u32::try_from(self.running.len())?..hosts {
            let address = Ipv4Addr::from(self.first + number);
            let options = SimOptions {
                listen: Listen::Shared(self.api_port),
                ports: PortMode::Shared(self.shared.clone()),
                ..SimOptions::at(address)
            };
            let sim = SimHost::start(options).await?;
            added.push(self.fill(&sim, number).await?);
            self.running.push(sim);
        }
        Ok(added)
    }

    async fn fill(&self, sim: &SimHost, number: u32) -> anyhow::Result<Filled> {
        let (id, name) = (HostId::random(), HostName::parse(&format!("bench-{number:04}"))?);
        let address = sim.address().to_string();
        let mut clusters = Vec::new();
        for mould in self.moulds.iter() {
            let (cluster, of_cluster) = (ClusterId::random(), ClusterName::of(&name, mould.slot));
            let project = of_cluster.project();
            let cast = Cast { cluster: &cluster, host: &id, project: &project, address: &address };
            let containers = mould.cast(sim, &cast).await?;
            clusters.push(FilledCluster { id: cluster, name: of_cluster, slot: mould.slot, containers });
        }
        Ok(Filled {
            id,
            name,
            url: sim.url(),
            address: sim.address(),
            engine_id: sim.engine_id().to_owned(),
            flavor: self.flavor.clone(),
            clusters,
            moulds: self.moulds.clone(),
        })
    }
}

/// A port for the APIs, and enough others behind it that nobody has, below the kernel's ephemeral ones.
fn free_ports(slots: u16) -> anyhow::Result<(u16, SlotLayout)> {
    let needed = slots * PORTS_PER_SLOT + 1;
    for _ in 0..200 {
        let first = 10_000 + rand::random::<u16>() % (22_000 - needed);
        let all: Result<Vec<_>, _> =
            (first..first + needed).map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))).collect();
        if all.is_ok() {
            let subnets = SubnetRange("10.212.0.0/16".parse().context("a subnet")?);
            let (first_port, end_port) = (first + 1, first + needed);
            return Ok((first, SlotLayout { first_port, ports_per_slot: PORTS_PER_SLOT, end_port, subnets }));
        }
    }
    bail!("no {needed} free ports in a row")
}

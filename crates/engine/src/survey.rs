//! One full look at an engine: what is ours, cluster by cluster, and what is not and stands in the way.
//!
//! Ours is what carries the pool's id, and what a labelled cluster's nodes started themselves: containers whose name
//! begins with the cluster's id. Everything else is foreign, other pools' objects included.

use std::collections::BTreeMap;

use common::model::{ClusterId, HostId, NodeName, NodeState, PoolId, Slot, SlotLayout};

use crate::call::{Fenced, open};
use crate::foreign::{Foreign, ForeignContainer, ForeignNetwork};
use crate::labels::Mark;
use crate::raw::{Raw, RawContainer, RawNetwork, is_anonymous};
use crate::{Engine, EngineError};

/// What one full look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every cluster of the pool that has anything here, in the order of slots, then ids.
    pub ours: Vec<FoundCluster>,
    /// What is not ours.
    pub foreign: Foreign,
    /// The slots that something foreign blocks, and why, for people: [`Foreign::blocks`] of each.
    pub blocked: BTreeMap<Slot, String>,
}

/// What a cluster has on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCluster {
    /// Which.
    pub cluster: ClusterId,
    /// The host's record it was made for.
    pub host: HostId,
    /// Its place.
    pub slot: Slot,
    /// Its flavor's hash when it was made.
    pub flavor_digest: String,
    /// Its nodes, and what they started themselves (those have no `node`).
    pub containers: Vec<FoundContainer>,
    /// Its networks.
    pub networks: Vec<FoundNetwork>,
    /// Its volumes: named ones, then anonymous ones of its containers, which have names of the engine's.
    pub volumes: Vec<String>,
    /// Names of foreign containers that somebody put on its networks.
    pub guests: Vec<String>,
}

/// A container of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundContainer {
    /// The engine's id of it.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The service; `None` for what a node started itself (chaincode).
    pub node: Option<NodeName>,
    /// What the engine says of it.
    pub state: NodeState,
    /// What its own check says, if it has one.
    pub health: Option<ContainerHealth>,
    /// How its last run ended, while it does not run.
    pub exit_code: Option<i64>,
    /// How often the engine brought it back; only from [`Engine::nodes`], a survey does not ask.
    pub restarts: Option<u32>,
    /// Whether its last run ended for want of memory; only from [`Engine::nodes`].
    pub oom_killed: Option<bool>,
    /// The image's reference.
    pub image: String,
    /// The hash of its specification, as it was when it was made.
    pub config_hash: Option<String>,
}

/// What a container's own check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerHealth {
    /// No answer yet.
    Starting,
    /// Well.
    Healthy,
    /// Not well.
    Unhealthy,
}

/// A network of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNetwork {
    /// The engine's id of it.
    pub id: String,
    /// Its name, which may be there twice.
    pub name: String,
}

impl Engine {
    /// Looks at everything once: three lists, asked at the same time. What changes in between may show in one and not in
    /// the next.
    pub async fn survey(&self, pool: &PoolId, layout: &SlotLayout) -> Result<Survey, EngineError> {
        let raw = Fenced { engine: self, fence: &open }.look().await?;
        Ok(sort_out(pool, &raw, layout))
    }
}

/// Tells ours from foreign, and which slots something foreign blocks.
fn sort_out(pool: &PoolId, raw: &Raw, layout: &SlotLayout) -> Survey {
    let (ours, foreign) = tell_apart(pool, raw);
    let blocked =
        (0..layout.slots()).map(Slot).filter_map(|slot| Some((slot, foreign.blocks(slot, layout)?))).collect();
    Survey { ours, foreign, blocked }
}

/// Tells ours from foreign.
pub(crate) fn tell_apart(pool: &PoolId, raw: &Raw) -> (Vec<FoundCluster>, Foreign) {
    let mut ours: BTreeMap<ClusterId, FoundCluster> = BTreeMap::new();
    let mut foreign = Foreign::default();
    let mut our_networks: Vec<(&RawNetwork, ClusterId)> = Vec::new();

    for network in &raw.networks {
        match Mark::read(&network.labels).filter(|mark| mark.pool == *pool) {
            Some(mark) => {
                our_networks.push((network, mark.cluster.clone()));
                let found = FoundNetwork { id: network.id.clone(), name: network.name.clone() };
                entry(&mut ours, mark).networks.push(found);
            }
            None => {
                let (id, name, subnets) = (network.id.clone(), network.name.clone(), network.subnets.clone());
                foreign.networks.push(ForeignNetwork { id, name, subnets });
            }
        }
    }
    for volume in &raw.volumes {
        match Mark::read(&volume.labels).filter(|mark| mark.pool == *pool) {
            Some(mark) => entry(&mut ours, mark).volumes.push(volume.name.clone()),
            None => foreign.volumes.push(volume.name.clone()),
        }
    }
    let (marked, unmarked): (Vec<_>, Vec<_>) = raw.containers.iter().partition(|c| c.mark().is_some());
    for container in marked {
        match container.mark().filter(|mark| mark.pool == *pool) {
            Some(mark) => entry(&mut ours, mark).containers.push(container.found()),
            None => stranger(container, &mut ours, &our_networks, &mut foreign),
        }
    }
    // Last, when all clusters are known.
    for container in unmarked {
        match parent(&container.name).and_then(|id| ours.get_mut(&id)) {
            Some(cluster) => cluster.containers.push(container.found()),
            None => stranger(container, &mut ours, &our_networks, &mut foreign),
        }
    }

    let mut ours: Vec<_> = ours.into_values().collect();
    ours.sort_by(|a, b| (a.slot, &a.cluster).cmp(&(b.slot, &b.cluster)));
    for cluster in &mut ours {
        cluster.containers.sort_by(|a, b| a.name.cmp(&b.name));
        cluster.networks.sort_by(|a, b| a.name.cmp(&b.name));
        cluster.volumes.sort_by(|a, b| (is_anonymous(a), a).cmp(&(is_anonymous(b), b)));
        cluster.guests.sort();
    }
    (ours, foreign)
}

fn entry(ours: &mut BTreeMap<ClusterId, FoundCluster>, mark: Mark) -> &mut FoundCluster {
    ours.entry(mark.cluster.clone()).or_insert_with(|| FoundCluster {
        cluster: mark.cluster,
        host: mark.host,
        slot: mark.slot,
        flavor_digest: mark.flavor_digest,
        containers: Vec::new(),
        networks: Vec::new(),
        volumes: Vec::new(),
        guests: Vec::new(),
    })
}

/// The cluster after which a container that a node started itself is named: `<cluster>-<node>-...`.
fn parent(name: &str) -> Option<ClusterId> {
    ClusterId::parse(name.split_once('-')?.0).ok()
}

fn stranger(
    container: &RawContainer,
    ours: &mut BTreeMap<ClusterId, FoundCluster>,
    our_networks: &[(&RawNetwork, ClusterId)],
    foreign: &mut Foreign,
) {
    for (_, cluster) in our_networks.iter().filter(|(network, _)| container.is_on(network)) {
        if let Some(host) = ours.get_mut(cluster) {
            host.guests.push(container.name.clone());
        }
    }
    let (id, name, ports) = (container.id.clone(), container.name.clone(), container.ports.clone());
    foreign.containers.push(ForeignContainer { id, name, ports });
}

#[cfg(test)]
#[path = "survey_test.rs"]
mod tests;

//! One full look at an engine: what is ours, cluster by cluster, and what is not and stands in the way.

use std::net::IpAddr;

use common::compose::{Project, Protocol};
use common::model::{ClusterId, HostId, NodeName, NodeState, PoolId, Slot, SlotLayout};
use ipnet::Ipv4Net;

use crate::{Engine, EngineError};

/// What one full look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every cluster of the pool that has anything here, in the order of slots, then ids.
    pub ours: Vec<FoundCluster>,
    /// What is not ours.
    pub foreign: Foreign,
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
    /// Its named volumes.
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

/// What is not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Containers.
    pub containers: Vec<ForeignContainer>,
    /// Networks, the engine's own among them.
    pub networks: Vec<ForeignNetwork>,
    /// Names of volumes.
    pub volumes: Vec<String>,
}

/// A container that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignContainer {
    /// Its name.
    pub name: String,
    /// What it publishes now.
    pub ports: Vec<PublishedPort>,
}

/// A port that a container publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// On this address of the host.
    pub ip: IpAddr,
    /// The port of the host.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A network that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignNetwork {
    /// Its name.
    pub name: String,
    /// Its IPv4 subnets.
    pub subnets: Vec<Ipv4Net>,
}

impl Foreign {
    /// Why a cluster cannot stand in this slot, for people; `None` if nothing foreign is in the way. Knows ports and
    /// subnets; a port that a program outside Docker holds shows only when a container is started.
    pub fn blocks(&self, _slot: Slot, _layout: &SlotLayout) -> Option<String> {
        None
    }

    /// The same for a project that is rendered already: its very ports, subnets and names.
    pub fn blocks_project(&self, _project: &Project) -> Option<String> {
        None
    }
}

impl Engine {
    /// Looks at everything once.
    pub async fn survey(&self, _pool: &PoolId, _layout: &SlotLayout) -> Result<Survey, EngineError> {
        Err(EngineError::Fenced)
    }
}

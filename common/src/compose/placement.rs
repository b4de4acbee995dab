//! Where a project will stand, and what follows from it for what is rendered.

use std::net::IpAddr;

use ipnet::Ipv4Net;

use crate::model::{ClusterId, HostKind, LogLevel, LogTarget, PortRange};

/// Where a project will stand: all that a plan needs besides the flavor.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// The cluster that it will be.
    pub cluster: ClusterId,
    /// The compose project's name: [`crate::model::ClusterName::project`].
    pub project: String,
    /// The slot's block; every published port is in it.
    pub ports: PortRange,
    /// The slot's subnet, for the project's first network.
    pub subnet: Ipv4Net,
    /// Where ports are published on the host.
    pub bind_address: IpAddr,
    /// Where the containers' logs go.
    pub log_target: LogTarget,
    /// How talkative the nodes are.
    pub log_level: LogLevel,
    /// A single engine's networks are bridges, a swarm's overlays.
    pub kind: HostKind,
    /// The Docker endpoint that nodes may use; `None` is none.
    pub chaincode_endpoint: Option<String>,
}

//! Where a project will stand, and what follows from it for what is rendered.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::model::{ClusterId, HostKind, LogLevel, LogTarget, PortRange, Slot, SlotLayout};

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

/// The longest name of a host, `_` and a slot, so that a template that fits here fits everywhere.
const LONGEST_PROJECT: &str = "abcdefghijklmnop_65535";

impl Placement {
    /// A made-up place, for checking templates. Its id is the only one of all zeros.
    pub(super) fn example() -> Self {
        let layout = SlotLayout::default();
        Self {
            cluster: ClusterId::parse("000000000000000000000000").expect("24 digits are an id"),
            project: LONGEST_PROJECT.to_owned(),
            ports: layout.ports(Slot(0)).expect("the default layout has a first slot"),
            subnet: layout.subnet(Slot(0)).expect("the default layout has a first slot"),
            bind_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            log_target: LogTarget::Local,
            log_level: LogLevel::default(),
            kind: HostKind::Single,
            chaincode_endpoint: None,
        }
    }
}

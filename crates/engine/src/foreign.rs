//! What on an engine is not ours, and where it stands in the way.

use std::net::IpAddr;

use common::compose::{Project, Protocol};
use common::model::{Slot, SlotLayout};
use ipnet::Ipv4Net;

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
    /// The engine's id of it.
    pub id: String,
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
    /// The engine's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its IPv4 subnets.
    pub subnets: Vec<Ipv4Net>,
}

impl Foreign {
    /// Why a cluster cannot stand in this slot, for people; `None` if nothing foreign is in the way. Knows ports and
    /// subnets; a port that a program outside Docker holds shows only when a container is started.
    ///
    /// A port counts whatever address of the host and protocol it is published on: a slot is used whole or passed over.
    pub fn blocks(&self, slot: Slot, layout: &SlotLayout) -> Option<String> {
        let (Some(ports), Some(subnet)) = (layout.ports(slot), layout.subnet(slot)) else {
            return Some(format!("there is no slot {slot}: ports and subnets allow {}", layout.slots()));
        };
        self.holds_port(|port| ports.contains(port)).or_else(|| self.holds_subnet(subnet))
    }

    /// The same for a project that is rendered already: its very ports, subnets and names.
    pub fn blocks_project(&self, project: &Project) -> Option<String> {
        let wanted = |port| project.services.iter().flat_map(|s| &s.ports).any(|p| p.host_port == port);
        let subnets = project.networks.iter().filter_map(|network| network.subnet);
        self.holds_name(project)
            .or_else(|| self.holds_port(wanted))
            .or_else(|| subnets.into_iter().find_map(|subnet| self.holds_subnet(subnet)))
    }

    fn holds_port(&self, wanted: impl Fn(u16) -> bool) -> Option<String> {
        self.containers.iter().find_map(|container| {
            let taken = container.ports.iter().find(|taken| wanted(taken.port))?;
            Some(format!("port {} is published by container {}", taken.port, container.name))
        })
    }

    fn holds_subnet(&self, wanted: Ipv4Net) -> Option<String> {
        self.networks.iter().find_map(|network| {
            let taken = network.subnets.iter().find(|&taken| meet(*taken, wanted))?;
            Some(format!("subnet {wanted} meets network {} ({taken})", network.name))
        })
    }

    fn holds_name(&self, project: &Project) -> Option<String> {
        let container = project.services.iter().map(|s| &s.container_name);
        let container = container.into_iter().find(|name| self.containers.iter().any(|c| c.name == **name));
        let network = project.networks.iter().map(|n| &n.name);
        let network = network.into_iter().find(|name| self.networks.iter().any(|n| n.name == **name));
        let volume = project.volumes.iter().map(|v| &v.name).find(|name| self.volumes.contains(name));
        let of = |kind: &str, name: Option<&String>| name.map(|name| format!("a foreign {kind} is called {name}"));
        of("container", container).or_else(|| of("network", network)).or_else(|| of("volume", volume))
    }
}

/// Whether two subnets share an address.
pub(crate) fn meet(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> Foreign {
        let port = PublishedPort { ip: IpAddr::from([127, 0, 0, 1]), port: 7150, protocol: Protocol::Tcp };
        Foreign {
            containers: vec![ForeignContainer { id: "c1".to_owned(), name: "web".to_owned(), ports: vec![port] }],
            networks: [("lab", Some("10.212.2.128/25")), ("vpn", Some("10.212.4.0/22")), ("host", None)]
                .map(|(name, subnet)| ForeignNetwork {
                    id: format!("id-of-{name}"),
                    name: name.to_owned(),
                    subnets: subnet.map(|subnet| subnet.parse().unwrap()).into_iter().collect(),
                })
                .to_vec(),
            volumes: vec![],
        }
    }

    #[test]
    fn what_stands_in_a_slot_is_named_and_its_neighbours_stay_usable() {
        let layout = SlotLayout::default();
        let blocks = |slot| foreign().blocks(Slot(slot), &layout);
        assert_eq!(blocks(0), None);
        assert_eq!(blocks(1).as_deref(), Some("port 7150 is published by container web"));
        assert_eq!(blocks(2).as_deref(), Some("subnet 10.212.2.0/24 meets network lab (10.212.2.128/25)"));
        assert_eq!(blocks(3), None);
        assert_eq!(blocks(7).as_deref(), Some("subnet 10.212.7.0/24 meets network vpn (10.212.4.0/22)"));
        assert_eq!(blocks(8), None);
    }

    #[test]
    fn a_slot_beyond_the_last_is_blocked() {
        let reason = foreign().blocks(Slot(257), &SlotLayout::default());
        assert_eq!(reason.as_deref(), Some("there is no slot 257: ports and subnets allow 257"));
    }
}

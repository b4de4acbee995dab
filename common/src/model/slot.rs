//! The numbered places on a host, and what follows from the number: ports and subnet.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// A place on a host, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u16);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How slots map to ports and subnets; the same on every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotLayout {
    /// First port of slot 0. 7050 by default, which is where Fabric's own examples have it.
    pub first_port: u16,
    /// Ports of one slot. 100 by default.
    pub ports_per_slot: u16,
    /// First port that is not ours: the kernel's ephemeral range begins at 32768 by default, and a port in it
    /// may be in use by any outgoing connection.
    pub end_port: u16,
    /// Where subnets come from, a /24 for each slot.
    pub subnets: SubnetRange,
}

/// A private range that is cut into a /24 for each slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubnetRange(pub Ipv4Net);

/// The ports of one slot: `first .. first + count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first of them.
    pub first: u16,
    /// How many.
    pub count: u16,
}

impl PortRange {
    /// Whether a port is one of these.
    pub fn contains(self, port: u16) -> bool {
        port >= self.first && u32::from(port) < u32::from(self.first) + u32::from(self.count)
    }
}

impl Default for SlotLayout {
    fn default() -> Self {
        Self { first_port: 7050, ports_per_slot: 100, end_port: 32768, subnets: SubnetRange::default() }
    }
}

impl Default for SubnetRange {
    /// 10.212.0.0/14: 1024 subnets, away from what engines, clouds and home routers take by themselves.
    fn default() -> Self {
        Self(Ipv4Net::new_assert(Ipv4Addr::new(10, 212, 0, 0), 14))
    }
}

impl SlotLayout {
    /// How many slots there are: what ports and subnets allow, whichever is fewer.
    pub fn slots(&self) -> u16 {
        let by_ports = self.end_port.saturating_sub(self.first_port).checked_div(self.ports_per_slot).unwrap_or(0);
        let by_subnets = 1u32.checked_shl(24u32.saturating_sub(u32::from(self.subnets.0.prefix_len()))).unwrap_or(0);
        let by_subnets = if self.subnets.0.prefix_len() > 24 { 0 } else { by_subnets };
        by_ports.min(u16::try_from(by_subnets).unwrap_or(u16::MAX))
    }

    /// The ports of a slot; `None` beyond [`Self::slots`].
    pub fn ports(&self, slot: Slot) -> Option<PortRange> {
        (slot.0 < self.slots())
            .then(|| PortRange { first: self.first_port + slot.0 * self.ports_per_slot, count: self.ports_per_slot })
    }

    /// The subnet of a slot; `None` beyond [`Self::slots`].
    pub fn subnet(&self, slot: Slot) -> Option<Ipv4Net> {
        if slot.0 >= self.slots() {
            return None;
        }
        let base = u32::from(self.subnets.0.network());
        Ipv4Net::new(Ipv4Addr::from(base + (u32::from(slot.0) << 8)), 24).ok()
    }

    /// The slot whose block a port is in.
    pub fn slot_of_port(&self, port: u16) -> Option<Slot> {
        let slot = Slot(port.checked_sub(self.first_port)?.checked_div(self.ports_per_slot)?);
        self.ports(slot).filter(|range| range.contains(port)).map(|_| slot)
    }

    /// The slots whose subnet meets a network that is already there.
    pub fn slots_of_net(&self, net: Ipv4Net) -> Vec<Slot> {
        (0..self.slots())
            .map(Slot)
            .filter(|&slot| self.subnet(slot).is_some_and(|own| own.contains(&net) || net.contains(&own)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_layout_ends_below_the_ephemeral_ports() {
        let layout = SlotLayout::default();
        assert_eq!(layout.slots(), 257);
        assert_eq!(layout.ports(Slot(256)), Some(PortRange { first: 32650, count: 100 }));
        assert_eq!(layout.ports(Slot(257)), None);
        assert_eq!(layout.subnet(Slot(256)).map(|n| n.to_string()).as_deref(), Some("10.213.0.0/24"));
    }

    proptest! {
        #[test]
        fn slots_never_share_a_port_or_an_address(a in 0u16..257, b in 0u16..257) {
            prop_assume!(a != b);
            let layout = SlotLayout::default();
            let (pa, pb) = (layout.ports(Slot(a)).unwrap(), layout.ports(Slot(b)).unwrap());
            prop_assert!(!pb.contains(pa.first) && !pa.contains(pb.first));
            let (na, nb) = (layout.subnet(Slot(a)).unwrap(), layout.subnet(Slot(b)).unwrap());
            prop_assert!(!na.contains(&nb) && !nb.contains(&na));
        }

        #[test]
        fn a_port_leads_back_to_its_slot(slot in 0u16..257, offset in 0u16..100) {
            let layout = SlotLayout::default();
            let port = layout.ports(Slot(slot)).unwrap().first + offset;
            prop_assert_eq!(layout.slot_of_port(port), Some(Slot(slot)));
        }
    }
}

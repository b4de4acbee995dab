//! What was counted, by what it is asked for.

use std::collections::{BTreeMap, HashMap};

use common::model::{FlavorId, HostId, PhaseKind, Timestamp};
use common::store::ClusterCounts;

/// Clusters by phase.
pub type Phases = BTreeMap<PhaseKind, u64>;

/// How many clusters there are.
#[derive(Debug)]
pub struct Counts {
    /// When they were counted.
    pub at: Timestamp,
    /// By flavor and phase.
    pub by_flavor: BTreeMap<FlavorId, Phases>,
    /// By phase.
    pub by_phase: Phases,
    by_host: HashMap<HostId, HostCounts>,
    /// Changes of this process that are in them.
    pub(super) changes: u64,
}

/// What is on a host.
#[derive(Debug, Default, PartialEq, Eq)]
struct HostCounts {
    phases: Phases,
    flavors: BTreeMap<FlavorId, Phases>,
}

impl Counts {
    pub(super) fn of(counted: &ClusterCounts, at: Timestamp, changes: u64) -> Counts {
        let mut counts =
            Counts { at, by_flavor: BTreeMap::new(), by_phase: Phases::new(), by_host: HashMap::new(), changes };
        for ((host, flavor, phase), n) in counted {
            let host = counts.by_host.entry(host.clone()).or_default();
            let add = |phases: &mut Phases| *phases.entry(*phase).or_default() += n;
            add(&mut host.phases);
            add(host.flavors.entry(flavor.clone()).or_default());
            add(counts.by_flavor.entry(flavor.clone()).or_default());
            add(&mut counts.by_phase);
        }
        counts
    }

    /// What is on a host, by phase.
    pub fn on_host(&self, host: &HostId) -> Phases {
        self.by_host.get(host).map(|host| host.phases.clone()).unwrap_or_default()
    }

    /// How many there are of these phases (of all, when there are none), of a flavor or any, on a host or any.
    pub fn number(&self, phases: &[PhaseKind], flavor: Option<&FlavorId>, host: Option<&HostId>) -> u64 {
        let of = match (host, flavor) {
            (None, None) => Some(&self.by_phase),
            (None, Some(flavor)) => self.by_flavor.get(flavor),
            (Some(host), None) => self.by_host.get(host).map(|host| &host.phases),
            (Some(host), Some(flavor)) => self.by_host.get(host).and_then(|host| host.flavors.get(flavor)),
        };
        let wanted = |phase: &PhaseKind| phases.is_empty() || phases.contains(phase);
        of.map_or(0, |of| of.iter().filter(|(phase, _)| wanted(phase)).map(|(_, n)| n).sum())
    }

    /// How many each host has in all.
    pub fn by_host(&self) -> BTreeMap<HostId, u64> {
        self.by_host.iter().map(|(host, counts)| (host.clone(), counts.phases.values().sum())).collect()
    }

    /// Whether both say the same.
    pub(super) fn same(&self, other: &Counts) -> bool {
        self.by_phase == other.by_phase && self.by_flavor == other.by_flavor && self.by_host == other.by_host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_counted_by_host_flavor_and_phase() {
        let (hosts, flavors) = ([HostId::random(), HostId::random()], ["a", "b"].map(|f| FlavorId::parse(f).unwrap()));
        let kinds = [PhaseKind::Free, PhaseKind::InUse];
        let counted: ClusterCounts = [
            ((hosts[0].clone(), flavors[0].clone(), kinds[0]), 1),
            ((hosts[0].clone(), flavors[1].clone(), kinds[0]), 2),
            ((hosts[1].clone(), flavors[0].clone(), kinds[0]), 4),
            ((hosts[1].clone(), flavors[0].clone(), kinds[1]), 8),
        ]
        .into();
        let counts = Counts::of(&counted, Timestamp::from_millis(0), 0);
        assert_eq!(counts.number(&[], None, None), 15);
        assert_eq!(counts.number(&kinds[..1], None, None), 7);
        assert_eq!(counts.number(&[], Some(&flavors[0]), None), 13);
        assert_eq!(counts.number(&kinds[..1], Some(&flavors[0]), Some(&hosts[1])), 4);
        assert_eq!(counts.number(&[], None, Some(&HostId::random())), 0);
        assert_eq!(counts.on_host(&hosts[0]), Phases::from([(PhaseKind::Free, 3)]));
        assert_eq!(counts.by_host()[&hosts[1]], 12);
    }
}

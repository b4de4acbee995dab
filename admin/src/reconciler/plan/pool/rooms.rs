//! Puts the hosts' records, counts of clusters and what the loops tell into the pool's plan's words. Plain functions.

use std::collections::BTreeMap;

use common::model::{FlavorId, FlavorShare, Host, HostId, PhaseKind};
use common::store::ClusterCounts;

use super::HostRoom;
use super::demand::Mix;
use super::standing::Standing;

/// Every host as the pool's plan sees it. A host's own mix is taken as far as it names flavors that there are.
pub fn rooms(
    hosts: &[Host],
    counts: &ClusterCounts,
    standing: impl Fn(&HostId) -> Standing,
    known: impl Fn(&FlavorId) -> bool,
) -> Vec<HostRoom> {
    let mut rooms: Vec<HostRoom> = hosts
        .iter()
        .map(|host| (host, standing(&host.id)))
        .map(|(host, standing)| HostRoom {
            id: host.id.clone(),
            gives: host.serves() && host.contact.state.is_active(),
            fills: host.fills() && host.contact.state.is_active(),
            // A host whose last slots are blocked is full all the same.
            capacity: u32::from(host.settings.capacity).min(standing.most.unwrap_or(u32::MAX)),
            waiting: BTreeMap::new(),
            free: BTreeMap::new(),
            in_use: 0,
            going: 0,
            mix: host.settings.mix.iter().filter(|share| known(&share.flavor)).cloned().collect(),
            standing,
        })
        .collect();
    let of_host: BTreeMap<HostId, usize> = hosts.iter().enumerate().map(|(i, host)| (host.id.clone(), i)).collect();
    for ((host, flavor, phase), count) in counts {
        let Some(room) = of_host.get(host).map(|i| &mut rooms[*i]) else { continue };
        let count = u32::try_from(*count).unwrap_or(u32::MAX);
        match phase {
            PhaseKind::Creating => *room.waiting.entry(flavor.clone()).or_default() += count,
            PhaseKind::Free => {
                *room.waiting.entry(flavor.clone()).or_default() += count;
                *room.free.entry(flavor.clone()).or_default() += count;
            }
            PhaseKind::InUse | PhaseKind::Lost => room.in_use += count,
            // Their place comes free; what comes next there is planned already.
            PhaseKind::Releasing | PhaseKind::Removing | PhaseKind::Failed => room.going += count,
        }
    }
    rooms
}

/// Every flavor equally, for a pool whose mix nobody chose.
pub fn even_mix(flavors: impl Iterator<Item = FlavorId>) -> Mix {
    flavors.map(|flavor| FlavorShare { flavor, weight: 1, min_free: 0 }).collect()
}

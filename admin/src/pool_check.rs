//! Held against each other at the start: what the pool is to be made of, and the places there are for it.

use std::net::{IpAddr, Ipv4Addr};

use common::compose::{Catalog, Placement};
use common::config::{ConfigError, PoolMix};
use common::model::{ClusterId, Flavor, FlavorShare, HostKind, LogLevel, LogTarget, Slot, SlotLayout};

/// Refuses a mix that names a flavor which there is not, and a slot that is too small for a flavor of the mix: either
/// would show much later, as a pool that stays short.
pub fn check_pool(catalog: &Catalog, mix: &PoolMix, layout: &SlotLayout) -> Result<(), ConfigError> {
    let known: Vec<_> = catalog.flavors().iter().map(|flavor| flavor.id.clone()).collect();
    mix.check(&known)?;
    let made = |flavor: &&Flavor| {
        let shares = |share: &FlavorShare| share.flavor == flavor.id && (share.weight > 0 || share.min_free > 0);
        mix.0.is_empty() || mix.0.iter().any(shares)
    };
    let (Some(ports), Some(subnet)) = (layout.ports(Slot(0)), layout.subnet(Slot(0))) else {
        return Err(ConfigError("CLUSTER_END_PORT leaves no room for a slot".into()));
    };
    let place = Placement {
        cluster: ClusterId::random(),
        project: "check_0".into(),
        ports,
        subnet,
        bind_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        log_target: LogTarget::Local,
        log_level: LogLevel::default(),
        kind: HostKind::Single,
        chaincode_endpoint: None,
    };
    for flavor in catalog.flavors().iter().filter(made) {
        // Everything else that a plan can be refused for was looked at when the catalog was made.
        catalog.plan(flavor, &place).map_err(|error| {
            let has = layout.ports_per_slot;
            ConfigError(format!(
                "CLUSTER_PORTS_PER_SLOT ({has}) must be enough for {}, or POOL_MIX leave that flavor out: {error}",
                flavor.id
            ))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::compose::CatalogSettings;

    fn checked(mix: &str, ports_per_slot: u16) -> Result<(), String> {
        let catalog = Catalog::shipped(&CatalogSettings::default()).unwrap();
        let layout = SlotLayout { ports_per_slot, ..SlotLayout::default() };
        check_pool(&catalog, &PoolMix::parse(mix).unwrap(), &layout).map_err(|error| error.0)
    }

    #[test]
    fn a_slot_must_have_the_ports_of_every_flavor_that_is_made() {
        assert_eq!(checked("", 100), Ok(()));
        assert_eq!(checked("fabric-0.6-pbft-batch-4", 10), Ok(()));
        let refusal = checked("fabric-0.6-pbft-batch-4=1,fabric-0.6-pbft-batch-6=1", 10).unwrap_err();
        assert!(refusal.contains("CLUSTER_PORTS_PER_SLOT (10)"), "{refusal}");
        assert!(refusal.contains("fabric-0.6-pbft-batch-6") && refusal.contains("POOL_MIX"), "{refusal}");
        assert_eq!(checked("fabric-0.6-pbft-batch-4=1,fabric-0.6-pbft-batch-6=0", 10), Ok(()), "weight 0: not made");
        assert!(checked("fabric-0.6-pbft-batch-4=1,fabric-0.6-pbft-batch-6=0:1", 10).is_err(), "but for a minimum");
        assert!(checked("", 10).is_err(), "no mix: all are made");
    }

    #[test]
    fn a_flavor_that_there_is_not_is_refused() {
        let refusal = checked("no-such-flavor=1", 100).unwrap_err();
        assert!(refusal.contains("POOL_MIX names no-such-flavor"), "{refusal}");
    }
}

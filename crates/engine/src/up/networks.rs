//! Networks of a project: found by label, else made.
//!
//! An engine takes a second network of a name that is there, and from then on refuses the name as ambiguous. So names are
//! looked up first, ids are kept, and after making one the list is read again: if a twin of our own appeared (from a call
//! whose caller died), the older one stays.

use std::collections::HashMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use common::compose::NetworkSpec;
use tokio::time::sleep;

use super::{CONFLICT_PAUSES, Up};
use crate::error_map::{self, Step};
use crate::foreign::meet;
use crate::labels::{self, Mark};
use crate::raw::RawNetwork;
use crate::{EngineError, Progress, deadline};

/// Networks by their key in the compose file.
pub(super) type Networks = HashMap<String, RawNetwork>;

/// Who has a subnet that was refused.
enum Taken {
    ByUs,
    ByOneUnseen,
}

impl Up<'_> {
    /// Sees that every network is there, once.
    pub(super) async fn networks(self) -> Result<Networks, EngineError> {
        let mut there = self.at.networks().await?;
        let mut networks = Networks::new();
        for spec in &self.project.networks {
            let network = match self.pick(spec, &there)? {
                Some(network) => network,
                None => {
                    self.make_network(spec).await?;
                    there = self.at.networks().await?;
                    self.pick(spec, &there)?
                        .ok_or_else(|| EngineError::Gone { what: format!("network {}", spec.name) })?
                }
            };
            self.remove_twins(&network, &there).await?;
            networks.insert(spec.key.clone(), network);
        }
        Ok(networks)
    }

    /// The oldest network of ours by that name; nothing of others may have the name.
    fn pick(self, spec: &NetworkSpec, there: &[RawNetwork]) -> Result<Option<RawNetwork>, EngineError> {
        let mut own = None::<&RawNetwork>;
        for network in there.iter().filter(|network| network.name == spec.name) {
            if !self.is_own(&network.labels) {
                let by = labels::maker("network", &network.labels, self.owner);
                return Err(EngineError::NameTaken { name: spec.name.clone(), by });
            }
            if own.is_none_or(|oldest| network.age() < oldest.age()) {
                own = Some(network);
            }
        }
        Ok(own.cloned())
    }

    pub(super) fn is_own(self, labels: &HashMap<String, String>) -> bool {
        Mark::read(labels).is_some_and(|mark| mark.pool == self.owner.pool && mark.cluster == self.owner.cluster)
    }

    async fn make_network(self, spec: &NetworkSpec) -> Result<(), EngineError> {
        (self.report)(Progress::Creating { name: spec.name.clone() });
        let config = spec.subnet.map(|subnet| IpamConfig { subnet: Some(subnet.to_string()), ..Default::default() });
        let request = NetworkCreateRequest {
            name: spec.name.clone(),
            driver: Some(spec.driver.clone()),
            internal: Some(spec.internal),
            ipam: config.map(|config| Ipam { config: Some(vec![config]), ..Default::default() }),
            labels: Some(self.owner.on_network(self.project, spec)),
            ..Default::default()
        };
        for pause in CONFLICT_PAUSES {
            let create = self.at.docker().create_network(request.clone());
            let error = match self.at.call(Step("making network", &spec.name), deadline::CREATE, create).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if !error_map::is_overlap(&error) && !error_map::is_conflict(&error) {
                return Err(error);
            }
            match self.who_has(spec, error).await? {
                Taken::ByUs => return Ok(()),
                Taken::ByOneUnseen => sleep(self.at.pause(pause)).await,
            }
        }
        let subnet = spec.subnet.map(|subnet| subnet.to_string()).unwrap_or_default();
        let by = "an address range of the host, or a network that is still being made or removed".to_owned();
        Err(EngineError::SubnetTaken { subnet, by })
    }

    /// After a refusal: ours, from a call whose caller died, or another's? An engine takes a subnet some time before it
    /// lists the network (seen), so one who is not in the list is waited for.
    async fn who_has(self, spec: &NetworkSpec, error: EngineError) -> Result<Taken, EngineError> {
        let there = self.at.networks().await?;
        if self.pick(spec, &there)?.is_some() {
            return Ok(Taken::ByUs);
        }
        let Some(subnet) = spec.subnet else { return Err(error) };
        let taken = there.iter().find_map(|network| {
            let met = network.subnets.iter().find(|&&other| meet(other, subnet))?;
            Some(format!("network {} ({met}), {}", network.name, labels::maker("network", &network.labels, self.owner)))
        });
        match taken {
            Some(by) => Err(EngineError::SubnetTaken { subnet: subnet.to_string(), by }),
            None => Ok(Taken::ByOneUnseen),
        }
    }

    async fn remove_twins(self, kept: &RawNetwork, there: &[RawNetwork]) -> Result<(), EngineError> {
        for twin in there.iter().filter(|network| network.name == kept.name && network.id != kept.id) {
            let remove = self.at.docker().remove_network(&twin.id);
            match self.at.call(Step("removing the twin of network", &kept.name), deadline::REMOVE, remove).await {
                Ok(()) | Err(EngineError::Gone { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }
}

impl RawNetwork {
    /// Orders twins; the id decides between two of one moment, so that all who look choose alike.
    fn age(&self) -> (Option<jiff::Timestamp>, &str) {
        (self.created, &self.id)
    }
}

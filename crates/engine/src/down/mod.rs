//! Removes everything that a cluster has on an engine, from whatever state, and proves it gone.
//!
//! Rounds of "look at everything, remove what is the cluster's", until a look finds nothing. One failed removal stops no
//! other. What an engine refuses for a moment ("active endpoints", "removal already in progress") is there again in the
//! next round's look, so the rounds are the retries; the pauses between them grow.
//!
//! What has no label of ours (chaincode, its images) goes before the network and the volumes, by which alone the rest is found when the
//! cluster's record is gone.
//!
//! Everything is found by the cluster's id: on a label, on a network that has the label, or in a name that no stranger can
//! match. Containers and networks are removed by the engine's id for them. Volumes have only names; one that a new tenant of the
//! slot made under the same name carries another cluster's label and is not found here.

mod deployment;
mod found;
mod remove;
mod strangers;

use std::time::Duration;

use common::model::{ClusterId, PoolId};
use tokio::time::sleep;

use crate::call::Fenced;
use crate::{Engine, EngineError, Fence};
use found::Thing;
use remove::Refusals;
pub use strangers::Stranger;

/// Pauses between rounds. "Active endpoints" without a container has been seen to last some seconds.
const PAUSES: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// What was removed; names, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Containers.
    pub containers: Vec<String>,
    /// Networks.
    pub networks: Vec<String>,
    /// Volumes that did not go with a container.
    pub volumes: Vec<String>,
    /// Images that its nodes built.
    pub images: Vec<String>,
}

impl Engine {
    /// Removes whatever is there of a cluster, and looks again. Nothing there is fine.
    ///
    /// `offspring_prefixes` are [`common::compose::Project::offspring_prefixes`]: name prefixes of containers and images that its
    /// nodes started and built themselves. Each must have the cluster's id in it, so that no stranger's name can match.
    /// Foreign containers on the cluster's networks are disconnected and otherwise left alone.
    ///
    /// Also on a host that has become part of a swarm since: the labels say what is ours, and nothing new is made.
    pub async fn down(
        &self,
        pool: &PoolId,
        cluster: &ClusterId,
        offspring_prefixes: &[String],
        fence: Fence<'_>,
    ) -> Result<Removed, EngineError> {
        check_prefixes(cluster, offspring_prefixes)?;
        fence()?;
        let at = Fenced { engine: self, fence };
        let mut removed = Removed::default();
        let mut refusals = Refusals::new();
        for (round, pause) in PAUSES.into_iter().enumerate() {
            // Most often one round does it, and the second look only proves it.
            if round > 1 || !refusals.is_empty() {
                sleep(at.pause(pause)).await;
            }
            let found = at.belongings(pool, cluster, offspring_prefixes).await?;
            if found.is_empty() {
                return Ok(removed);
            }
            refusals = at.remove_all(found, &mut removed).await?;
        }
        let left = at.belongings(pool, cluster, offspring_prefixes).await?;
        if left.is_empty() {
            return Ok(removed);
        }
        if let Some(network) = left.stuck_network(|thing| refusals.get(&thing.to_string()).map(String::as_str)) {
            return Err(EngineError::NetworkStuck { network });
        }
        let name = |thing: Thing| match refusals.get(&thing.to_string()) {
            Some(reason) => format!("{thing} ({reason})"),
            None => thing.to_string(),
        };
        Err(EngineError::NotEmpty { left: left.into_things().map(name).collect() })
    }
}

fn check_prefixes(cluster: &ClusterId, prefixes: &[String]) -> Result<(), EngineError> {
    match prefixes.iter().find(|prefix| !prefix.contains(cluster.as_str())) {
        None => Ok(()),
        Some(prefix) => Err(EngineError::Refused {
            what: format!("removing by the name prefix {prefix:?}"),
            status: 0,
            message: format!("it must have the cluster's id {cluster} in it, or strangers might match"),
        }),
    }
}

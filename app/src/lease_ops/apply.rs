//! Gives a user a network.

use common::clock;
use common::model::{Cluster, FlavorId, UserId};
use common::store::{Applied, Apply, Holding};
use tracing::info;

use super::Trouble;
use crate::shared::Shared;

/// One of these flavors for this user; `None` if none of them is free. The lease is durable when this returns.
pub async fn apply(
    shared: &Shared,
    user: UserId,
    flavors: Vec<FlavorId>,
    holding: Holding,
) -> Result<Option<Cluster>, Trouble> {
    if flavors.is_empty() {
        return Ok(None);
    }
    let now = clock::now();
    let apply =
        Apply { user: user.clone(), flavors: flavors.clone(), holding, key: None, metadata: Default::default(), now };
    match shared.store.apply(apply).await? {
        Applied::New(cluster) => {
            shared.demand.given(&cluster.flavor, now);
            if let Some(lease) = cluster.lease() {
                info!(cluster.id = %cluster.id, lease.id = %lease.id, user = %lease.user, "given: {}", cluster.name);
            }
            Ok(Some(cluster))
        }
        Applied::Held(cluster) => Ok(Some(cluster)),
        Applied::NoneFree => {
            shared.demand.missed(&user, &flavors, now);
            Ok(None)
        }
        // Without a key no ended lease is found.
        Applied::Ended(_) => Ok(None),
    }
}

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
    let apply = Apply { user, flavors, holding, key: None, metadata: Default::default(), now: clock::now() };
    match shared.store.apply(apply).await? {
        Applied::New(cluster) => {
            if let Some(lease) = cluster.lease() {
                info!(cluster.id = %cluster.id, lease.id = %lease.id, user = %lease.user, "given: {}", cluster.name);
            }
            Ok(Some(cluster))
        }
        Applied::Held(cluster) => Ok(Some(cluster)),
        // Without a key no ended lease is found.
        Applied::Ended(_) | Applied::NoneFree => Ok(None),
    }
}

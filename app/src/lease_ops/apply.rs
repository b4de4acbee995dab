//! Gives a user a network.

use common::clock;
use common::model::{Cluster, FlavorId, UserId};
use common::store::{Applied, Apply, Holding};
use tracing::info;

use super::Trouble;
use crate::callers::Caller;
use crate::meters::ApplyEnd;
use crate::shared::Shared;

/// What came of an apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// This one is hers.
    Cluster(Box<Cluster>),
    /// None of these flavors is free.
    NoneFree,
    /// She is at her limit.
    TooMany {
        /// So many are hers.
        held: u32,
        /// So many may be.
        most: u32,
    },
}

/// One of these flavors for this user, whom the caller may act for. The lease is durable when this returns.
pub async fn apply(
    shared: &Shared,
    caller: &Caller,
    user: UserId,
    flavors: Vec<FlavorId>,
    holding: Holding,
) -> Result<Given, Trouble> {
    if flavors.is_empty() {
        shared.meters.applied(ApplyEnd::NoneFree);
        return Ok(Given::NoneFree);
    }
    let (now, most) = (clock::now(), caller.most());
    let apply = Apply {
        user: user.clone(),
        flavors: flavors.clone(),
        holding,
        most,
        key: None,
        metadata: Default::default(),
        now,
    };
    let applied = shared.store.apply(apply).await;
    shared.meters.applied(end_of(applied.as_ref().ok()));
    match applied? {
        Applied::New(cluster) => {
            shared.demand.given(&cluster.flavor, now);
            if let Some(lease) = cluster.lease() {
                info!(cluster.id = %cluster.id, lease.id = %lease.id, user = %lease.user, service = caller.service(), "given: {}", cluster.name);
            }
            Ok(Given::Cluster(Box::new(cluster)))
        }
        Applied::Held(cluster) => Ok(Given::Cluster(Box::new(cluster))),
        Applied::NoneFree => {
            shared.demand.missed(&user, &flavors, now);
            Ok(Given::NoneFree)
        }
        Applied::TooMany(held) => Ok(Given::TooMany { held, most: most.unwrap_or(held) }),
        // Without a key no ended lease is found.
        Applied::Ended(_) => Ok(Given::NoneFree),
    }
}

/// `None`: the store did not do it.
fn end_of(applied: Option<&Applied>) -> ApplyEnd {
    match applied {
        Some(Applied::New(_)) => ApplyEnd::Given,
        Some(Applied::Held(_)) => ApplyEnd::Held,
        Some(Applied::NoneFree | Applied::Ended(_)) => ApplyEnd::NoneFree,
        Some(Applied::TooMany(_)) => ApplyEnd::Quota,
        None => ApplyEnd::Failed,
    }
}

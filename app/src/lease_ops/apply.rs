//! Gives a user a network.

use common::clock;
use common::model::{Cluster, FlavorId, IdempotencyKey, UserId};
use common::store::{Applied, Apply, Holding};
use tracing::info;

use super::Trouble;
use crate::callers::Caller;
use crate::meters::ApplyEnd;
use crate::shared::Shared;

/// An apply.
#[derive(Clone, Debug)]
pub struct Ask {
    /// For whom, whom the caller may act for.
    pub user: UserId,
    /// Any of these will do.
    pub flavors: Vec<FlavorId>,
    /// Beside what she holds of these, or that.
    pub holding: Holding,
    /// By which the same apply is known when it comes again.
    pub key: Option<IdempotencyKey>,
}

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
    /// This apply's key gave her one that she has released since.
    Ended,
}

/// One of these flavors for this user. The lease is durable when this returns.
pub async fn apply(shared: &Shared, caller: &Caller, ask: Ask) -> Result<Given, Trouble> {
    let Ask { user, flavors, holding, key } = ask;
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
        // One that gives what she holds comes to the same again without a key, which would cost a question more.
        key: key.filter(|_| holding == Holding::GiveAnother),
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
        Applied::Ended(_) => Ok(Given::Ended),
    }
}

/// `None`: the store did not do it.
fn end_of(applied: Option<&Applied>) -> ApplyEnd {
    match applied {
        Some(Applied::New(_)) => ApplyEnd::Given,
        Some(Applied::Held(_)) => ApplyEnd::Held,
        Some(Applied::NoneFree) => ApplyEnd::NoneFree,
        Some(Applied::Ended(_)) => ApplyEnd::Refused,
        Some(Applied::TooMany(_)) => ApplyEnd::Quota,
        None => ApplyEnd::Failed,
    }
}

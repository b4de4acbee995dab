//! Taking a cluster for a user: what is asked of the store, and what comes of it.

use crate::model::{Cluster, FlavorId, IdempotencyKey, LeaseRecord, Metadata, Timestamp, UserId};

/// An apply: what `POST` of a lease asks of the store.
#[derive(Clone, Debug)]
pub struct Apply {
    /// For whom.
    pub user: UserId,
    /// What will do; not empty. One is taken at random among all that are on offer, so often-offered ones more often.
    pub flavors: Vec<FlavorId>,
    /// What to do when she holds a matching one already.
    pub holding: Holding,
    /// The most clusters that she may hold, this one included; `None`: any number. Holds under concurrency.
    pub most: Option<u32>,
    /// The caller's key for this apply.
    pub key: Option<IdempotencyKey>,
    /// Kept beside the lease.
    pub metadata: Metadata,
    /// The time, for freshness and for the lease.
    pub now: Timestamp,
}

/// What an apply does when its user holds a matching cluster already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Gives her that one (`allow_multiple=false`).
    GiveSame,
    /// Gives her another (`allow_multiple=true`).
    GiveAnother,
}

/// What came of an apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// A new lease; it is durable.
    New(Cluster),
    /// She holds this one already, or this key gave her this one before.
    Held(Cluster),
    /// This key gave her a lease that has ended since (known for 24 hours).
    Ended(LeaseRecord),
    /// Nothing that she would take is on offer.
    NoneFree,
    /// She holds so many, and may hold no more.
    TooMany(u32),
}

//! The labels on everything that is ours, and how they are read back.

use common::model::{ClusterId, FlavorId, HostId, PoolId, Slot};

/// Whose a cluster is and what it is: written on everything it has on an engine, read back by a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The pool; objects of another one are foreign.
    pub pool: PoolId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The host's record.
    pub host: HostId,
    /// Its place there.
    pub slot: Slot,
    /// What it is.
    pub flavor: FlavorId,
    /// Hash of what the flavor meant when this was made.
    pub flavor_digest: String,
}

//! What users ask for, and what the pool should be made of.

use serde::{Deserialize, Serialize};

use super::{FlavorId, Timestamp};

/// A flavor's share of a pool or host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlavorShare {
    /// Which.
    pub flavor: FlavorId,
    /// How many of it wait for users, relative to the others; 0: none but the minimum.
    pub weight: u32,
    /// So many are to wait for users before shares count.
    pub min_free: u32,
}

/// How many applies came for a flavor within one minute. An apply that would take any of several flavors and got none
/// counts as missed for each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyCount {
    /// The minute's beginning.
    pub minute: Timestamp,
    /// Which flavor.
    pub flavor: FlavorId,
    /// How many got one.
    pub given: u64,
    /// How many were told that none is free.
    pub missed: u64,
}

//! Explains: what is wanted, what is, what is being done since when, what is held back and why, what comes next and when; of
//! the pool, a host, a flavor, a cluster.
//!
//! Plain functions, from records and from what the reconciler told of its last passes. Where that came from is part of the
//! answer, so that nobody takes silence for rest.

mod cluster;
#[cfg(test)]
mod explain_test;
mod explanation;
mod flavor;
mod host;
mod pool;
mod told;

pub use cluster::explain_cluster;
pub use explanation::{Explanation, Filled, Point, Subject};
pub use flavor::explain_flavor;
pub use host::explain_host;
pub use pool::{PoolFacts, explain_pool};
pub use told::{Source, Told};

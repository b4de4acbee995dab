//! What v1 and v2 share: the envelope, where parameters are read from, and the cluster as the old services wrote it.

mod cluster;
mod envelope;
mod params;
#[cfg(test)]
mod params_test;
mod words;

pub use cluster::{BareCluster, OldCluster, shown_user};
pub use envelope::{Failure, ok, streamed};
pub use params::Params;
pub use words::{ended, held_or_new, idempotency_key, names_no_cluster, not_hers, too_many, user_id};

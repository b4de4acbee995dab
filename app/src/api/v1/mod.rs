//! PoolManager's own API of 2016: a bare cluster for an apply, the old envelope for the rest.

mod cluster_apply;
mod cluster_release;

pub use cluster_apply::cluster_apply;
pub use cluster_release::cluster_release;

//! What Cello's restserver spoke: everything in the old envelope.

mod cluster;
mod cluster_apply;
mod cluster_op;
mod cluster_release;
mod clusters;

pub use cluster::cluster;
pub use cluster_apply::cluster_apply;
pub use cluster_op::cluster_op;
pub use cluster_release::cluster_release;
pub use clusters::clusters;

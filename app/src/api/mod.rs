//! What goes over the wire: one folder a version, `old` for what v1 and v2 share.

pub mod health;
pub mod metrics;
pub mod old;
pub mod stray;
pub mod v1;
pub mod v2;

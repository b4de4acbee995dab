//! Published ports: who listens where.

mod shared;

pub use shared::SharedPorts;

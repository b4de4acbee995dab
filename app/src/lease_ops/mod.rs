//! What can be done with leases: the same operations under every version of the API.
//!
//! Each operation decides in a plain function and does its I/O around it. Each takes its caller, and treats what is not
//! hers as if it did not exist.

mod apply;
mod kind;
mod look;
mod release;
mod trouble;
mod wish;

pub use apply::{Ask, Given, apply};
pub use kind::{Wrong, choose};
pub use look::{clusters, first_clusters};
pub use release::{release_all, release_one};
pub use trouble::Trouble;
pub use wish::{Wished, wish};

//! What operators see, and the reconciler.
//!
//! [`routes`] is the whole route table. A page ([`pages`]) and its JSON ([`api`]) are two voices for one operation
//! ([`operations`]); [`access`] stands before all of them; `dress` words what was refused and adds the headers
//! that every answer carries. [`reconciler`] alone talks to Docker, but for the first look at a host that is added.

pub mod access;
pub mod api;
mod assets;
pub mod backup;
mod dress;
pub mod explain;
mod health;
mod input;
mod internal;
mod leader_link;
pub mod live;
pub mod operations;
pub mod pages;
mod pool_check;
mod problem;
pub mod reconciler;
pub mod routes;
pub mod seal;
mod server;

pub use pool_check::check_pool;
pub use server::{Parts, State, build};

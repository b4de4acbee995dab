//! What operators see, and the reconciler.
//!
//! [`routes`] is the whole route table. A page ([`pages`]) and its JSON ([`api`]) are two voices for one operation
//! ([`operations`]); [`access`] stands before all of them; `dress` words what was refused and adds the headers
//! that every answer carries. [`reconciler`] alone changes anything on an engine; [`sampling`] and [`node_logs`]
//! look, and whoever adds a host looks at it first.

pub mod access;
pub mod api;
mod assets;
pub mod backup;
mod count;
pub mod curves;
mod dress;
pub mod explain;
mod health;
mod input;
mod internal;
mod leader_link;
pub mod live;
mod metrics;
pub mod node_logs;
pub mod operations;
pub mod pages;
mod pool_check;
mod problem;
mod problem_kind;
pub mod reconciler;
pub mod routes;
pub mod sampling;
pub mod seal;
mod seats;
mod server;
pub mod tally;

pub use pool_check::check_pool;
pub use server::{Parts, State, build};

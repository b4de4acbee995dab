//! What users call: apply for a network, release it, look at it, start and stop its nodes.
//!
//! Talks to the store and rings admin's doorbell; holds no Docker credentials and links no Docker client, so that
//! what the internet can reach cannot reach the machines.

mod api;
mod callers;
mod changes;
mod count;
mod demand;
mod doorbell;
mod guard;
pub mod health_check;
mod host_book;
mod lease_ops;
mod meters;
mod problem;
mod routes;
mod server;
mod shared;

pub use server::{Parts, Server, Stopper, build};

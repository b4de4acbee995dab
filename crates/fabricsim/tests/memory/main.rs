//! Networks of peers in memory.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod ballots;
mod lossy;
mod network;
mod rest;
mod support;

//! The engine crate against a real Docker daemon, at `unix:///var/run/docker.sock`.
//!
//! Each test has a pool, names, ports and subnets of its own, so all run side by side and beside whatever else is on the
//! engine; what a test made is removed when its [`bench::Bench`] is dropped, also after a failure.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod bench;
mod crash;
mod foreign;
mod gather;
mod leaks;
mod nodes;
mod spec;
mod strangers;
mod unreachable;
mod updown;

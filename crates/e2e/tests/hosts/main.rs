//! What becomes of hosts: what operators want of them, what breaks on them and is seen, what is kept of what failed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is of use to who runs them")]

mod away;
mod deep;
mod detection;
mod evidence;
mod force;
mod pulling;
mod purposes;
mod stuck_network;
mod support;

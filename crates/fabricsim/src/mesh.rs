//! A network in memory: one per simulated Docker network.
//!
//! Lazy: nothing happens between two requests. Each request first lets every running peer look around.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Peer, Response, UnixNanos};

/// The peers on one network, and how each is: running, frozen, or not there.
#[derive(Debug, Default)]
pub struct Mesh {}

impl Mesh {
    /// The process of `peer` starts, at `ip`, reachable by `names` as well (container name, aliases).
    /// Whatever was at `ip` is gone. Volatile state of `peer` is dropped, as by [`Peer::restarted`].
    pub fn attach(&self, _ip: IpAddr, _names: &[String], _peer: Arc<Peer>) {}

    /// The process at `ip` ends.
    pub fn detach(&self, _ip: IpAddr) {}

    /// The process at `ip` is frozen: still listed by the others, answers nothing.
    pub fn pause(&self, _ip: IpAddr) {}

    /// The process at `ip` goes on.
    pub fn unpause(&self, _ip: IpAddr) {}

    /// A REST request to the peer at `ip`. `None`: nobody there, or frozen.
    pub fn rest(&self, _ip: IpAddr, _method: &str, _path: &str, _body: &[u8], _now: UnixNanos) -> Option<Response> {
        None
    }

    /// Lets every running peer look around, as time alone would.
    pub fn settle(&self, _now: UnixNanos) {}
}

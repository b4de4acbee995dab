//! One peer, as plain state.

use crate::{Network, PeerConfig, Response, UnixNanos};

/// One peer: its ledger, what waits to be ordered, whom it knows. No thread, no socket, no clock of its own.
///
/// Its ledger outlives [`Peer::restarted`], as a container's own layer outlives stop and start; a new `Peer` has an
/// empty one.
#[derive(Debug)]
pub struct Peer {
    config: PeerConfig,
}

impl Peer {
    /// A peer with an empty ledger (block 0 alone, stamped `now`).
    pub fn new(config: PeerConfig, _now: UnixNanos) -> Self {
        Self { config }
    }

    /// What it was told.
    pub fn config(&self) -> &PeerConfig {
        &self.config
    }

    /// Forgets what a process forgets when it ends: what waits to be ordered, who answered last.
    pub fn restarted(&self) {}

    /// Committed blocks, block 0 included.
    pub fn height(&self) -> u64 {
        1
    }

    /// Looks around once: discovers, catches up, orders what is due. [`Mesh`](crate::Mesh) does this by itself.
    pub fn poll(&self, _network: &dyn Network, _now: UnixNanos) {}

    /// Answers one REST request from what it holds now.
    pub fn rest(&self, _network: &dyn Network, _method: &str, _path: &str, _body: &[u8], _now: UnixNanos) -> Response {
        Response { status: 501, body: "{\"Error\":\"being built\"}\n".to_owned() }
    }
}

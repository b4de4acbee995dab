//! Published ports: who listens where, and what answers.

mod listening;
mod peer_port;
mod shared;

pub(crate) use listening::{AFTER_FAILURE, Closed, Listening, Open, Target, closing};
pub(crate) use peer_port::PeerPort;
pub use shared::SharedPorts;

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;

use crate::PortMode;

impl PortMode {
    /// Listens on one port of a host's address, until the answer is dropped.
    pub(crate) fn listen(&self, at: SocketAddrV4, target: Arc<dyn Target>) -> io::Result<Listening> {
        match self {
            Self::Exact => Listening::exact(at, target),
            Self::Shared(shared) => shared.listen(at, target),
        }
    }
}

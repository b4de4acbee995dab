//! How a peer reaches the others: the one thing that differs between a container and a simulated engine.

use crate::UnixNanos;
use crate::message::{Message, Reply};

/// Nobody answers there, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

/// What carries messages between peers.
///
/// Implementations never call back into the calling peer, and bound the time that a call takes.
pub trait Network {
    /// Hands `message` to the peer at `address` (`vp0:7051`, `10.98.1.4:7051`) and waits for its reply. `now` is the caller's.
    ///
    /// # Errors
    /// [`Unreachable`] if there is no peer, if it is frozen, or if it does not answer in time.
    fn call(&self, address: &str, message: Message, now: UnixNanos) -> Result<Reply, Unreachable>;

    /// Whether a connection to the peer at `address` stands. A frozen peer's does, a dead one's does not.
    fn is_connected(&self, address: &str) -> bool;
}

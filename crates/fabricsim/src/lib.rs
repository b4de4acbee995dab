//! A small stand-in for a Hyperledger Fabric 0.6 peer: the same REST, discovery between peers, and a toy ledger that all
//! peers of a network agree on.
//!
//! [`Peer`] is plain state without thread, socket or clock. Something else carries it: [`Mesh`] in memory, for hundreds
//! of thousands of peers in one process, or the binary of this package, one peer a container.

mod block;
mod config;
mod id;
mod known;
mod ledger;
mod mesh;
mod message;
mod network;
mod order;
mod peer;
mod poll;
mod rest;
pub mod server;
mod time;
mod world;

pub use config::{BadSetting, Consensus, PeerConfig, ServerConfig, environment};
pub use id::PeerId;
pub use ledger::{Journal, Record};
pub use mesh::Mesh;
pub use message::{Message, Reply};
pub use network::{Network, Unreachable};
pub use peer::Peer;
pub use rest::Response;
pub use time::UnixNanos;

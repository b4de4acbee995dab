//! A simulated Docker engine that speaks the real Docker Engine API over TCP or a Unix socket.
//!
//! Whoever talks to it by HTTP needs no change; tests hold a [`SimHost`] and break it on purpose through
//! [`Faults`]. It knows nothing of PoolManager's own packages: only of Docker, and of the stand-in peer that
//! answers on the published ports. `docs/simdocker.md` says how to start it and what differs from a real engine.

mod api;
mod clock;
mod control;
mod engine;
mod error;
mod faults;
mod host;
mod ids;
mod image;
mod intern;
mod journal;
mod options;
mod ports;
mod server;

pub use faults::{Fault, FaultId, FaultKind, FaultRule, Faults};
pub use host::{ContainerSnapshot, PublishedPort, SimHost};
pub use image::{Behaviour, PullOutcome, SimImage};
pub use journal::{Call, Journal, Outcome};
pub use options::{Latency, Listen, PortMode, SharedPorts, SimOptions, SimSwarm, Timing};

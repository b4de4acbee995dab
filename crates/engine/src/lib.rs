//! The few things that PoolManager asks of Docker, and the only package that names bollard.
//!
//! An [`Engine`] is one daemon. [`Engine::survey`] looks once at everything; [`Engine::up`] and [`Engine::down`] bring
//! one cluster there and away again, from wherever it stands; the rest concerns single nodes. Nothing here decides
//! what should run: that is the reconciler's. Every call has a deadline ([`deadline`]), and every
//! error is one that its caller can act on ([`EngineError`]).

mod call;
pub mod deadline;
mod down;
mod error;
mod error_map;
mod events;
mod foreign;
mod gather;
mod info;
mod labels;
mod log_lines;
mod logs;
mod nodes;
mod raw;
mod stats;
mod survey;
#[cfg(test)]
mod testing;
mod tls;
mod up;

pub use call::Listener;
pub use down::{Removed, Stranger};
pub use error::EngineError;
pub use events::{EngineEvent, EventKind, EventStream};
pub use foreign::{Foreign, ForeignContainer, ForeignNetwork, PublishedPort};
pub use info::{Engine, EngineInfo};
pub use labels::Ownership;
pub use logs::{LogFollow, LogLine, LogStream};
pub use stats::Stats;
pub use survey::{ContainerHealth, FoundCluster, FoundContainer, FoundNetwork, Survey};
pub use tls::{BadPem, Credentials, Part, Pem};
pub use up::{Progress, StartSample, UpLimits};

/// Asked before each call to Docker, reading or changing; an error (usually [`EngineError::Fenced`]) ends the work at
/// once. The reconciler's lock is checked here, so that a former leader stops in the middle.
pub type Fence<'a> = &'a (dyn Fn() -> Result<(), EngineError> + Send + Sync);

/// Told what is being done, as it begins. Must not block.
pub type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);

//! One Docker daemon: connecting to it, and what it says of itself.

use common::model::{DaemonUrl, HostKind};

use crate::EngineError;

/// One Docker daemon. Cheap to clone; holds no connection between calls.
#[derive(Clone, Debug)]
pub struct Engine {
    url: DaemonUrl,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// The engine's own id, unique in the world.
    pub id: String,
    /// The machine's name.
    pub name: String,
    /// `20.10.24`
    pub version: String,
    /// `1.41`
    pub api_version: String,
    /// Processors.
    pub cpus: u32,
    /// Bytes.
    pub memory: u64,
    /// Single engine or swarm.
    pub kind: HostKind,
    /// Containers there, running or not, whoever's.
    pub containers: u32,
}

impl Engine {
    /// Reaches the daemon and agrees on a version of the API with it.
    pub async fn connect(url: &DaemonUrl) -> Result<Engine, EngineError> {
        Ok(Engine { url: url.clone() })
    }

    /// Where it is.
    pub fn url(&self) -> &DaemonUrl {
        &self.url
    }

    /// What it says of itself.
    pub async fn info(&self) -> Result<EngineInfo, EngineError> {
        Err(EngineError::Fenced)
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        Err(EngineError::Fenced)
    }
}

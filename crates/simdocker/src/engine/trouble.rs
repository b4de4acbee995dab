//! Trouble on demand: a check that changes its mind, a disk that is full.

use super::container::Life;
use super::{Engine, State};
use crate::clock;
use crate::error::{ApiError, ApiResult};

/// What a disk is needed for, and so what an engine says when it is full.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need<'a> {
    /// A container's first layer.
    Container(&'a str),
    /// A container's start.
    Start,
    /// A volume's folder.
    Volume(&'a str),
    /// A network's record.
    Network,
}

impl Engine {
    /// The check of a running container changes its mind, or says the same again. False if it has none, or does not run.
    pub(crate) fn set_health(&self, wanted: &str, healthy: bool) -> bool {
        let mut state = self.state();
        let Ok(id) = state.find(wanted) else { return false };
        let Ok(container) = state.container_mut(&id) else { return false };
        if !matches!(container.life, Life::Running(_)) {
            return false;
        }
        let Some(health) = &mut container.health else { return false };
        health.checked_at = Some(clock::now());
        health.status = if healthy { "healthy" } else { "unhealthy" };
        health.failing_streak = if healthy { 0 } else { health.failing_streak.max(2) + 1 };
        let action = format!("health_status: {}", health.status);
        self.events.container(container, &action, Vec::new());
        drop(state);
        self.touch();
        true
    }

    /// From now on nothing that needs disk works, or everything does again.
    pub(crate) fn set_disk_full(&self, full: bool) {
        self.state().disk_full = full;
    }
}

impl State {
    /// Refuses, in the words that engines are known for, what needs disk when there is none.
    pub(super) fn needs_disk(&self, need: Need<'_>) -> ApiResult<()> {
        if !self.disk_full {
            return Ok(());
        }
        const ROOT: &str = "/var/lib/docker";
        let what = match need {
            Need::Container(id) => format!("mkdir {ROOT}/overlay2/{id}-init"),
            Need::Start => {
                let file = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";
                let message = format!("error creating temporary lease: write {file}: no space left on device: unknown");
                return Err(ApiError::broken(message));
            }
            Need::Volume(name) => format!(
                "create {name}: error while creating volume path '{ROOT}/volumes/{name}/_data': mkdir {ROOT}/volumes/{name}"
            ),
            Need::Network => {
                let store = "failed to update store for object type *bridge.networkConfiguration";
                format!("{store}: write {ROOT}/network/files/local-kv.db")
            }
        };
        Err(ApiError::broken(format!("{what}: no space left on device")))
    }
}

//! Removing a container.

use super::death::Death;
use super::{Engine, State};
use crate::error::{ApiError, ApiResult};
use crate::ids::Id;

impl Engine {
    /// Removes a container; a running one only by force; its anonymous volumes only if asked.
    pub(crate) fn remove_container(&self, wanted: &str, with_volumes: bool, force: bool) -> ApiResult<()> {
        let mut state = self.state();
        let id = state.find(wanted)?;
        let container = state.container_mut(&id)?;
        if container.counts_as_running() {
            if !force {
                let name = container.state_name();
                let first = if name == "paused" { "Unpause and then stop" } else { "Stop" };
                return Err(ApiError::conflict(format!(
                    "You cannot remove a {name} container {id}. {first} the container before attempting removal or force remove"
                )));
            }
            container.stopped_by_hand = true;
            if container.run().is_some() {
                self.events.container(container, "kill", vec![("signal", "9".to_owned())]);
            }
            self.die(&mut state, &id, 137, Death::ByHand);
        }
        self.destroy(&mut state, &id, with_volumes);
        self.touch();
        Ok(())
    }

    /// Takes away a container that does not run.
    pub(super) fn destroy(&self, state: &mut State, id: &Id, with_volumes: bool) {
        let Some(container) = state.containers.shift_remove(id) else { return };
        state.names.remove(&container.name);
        self.events.container(&container, "destroy", Vec::new());
        if with_volumes {
            for mount in container.mounts.iter().filter(|mount| mount.anonymous) {
                if state.users_of_volume(&mount.name).is_empty() && state.volumes.remove(&mount.name).is_some() {
                    self.events.volume(&mount.name, "destroy", Vec::new());
                }
            }
        }
    }
}

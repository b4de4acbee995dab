//! Volumes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::labels::Labels;
use super::trouble::Need;
use super::{Engine, State};
use crate::clock::{self, Moment};
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};

/// One volume.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) created: Moment,
    /// `None` and empty are shown differently, as the real engine does.
    pub(crate) labels: Option<Labels>,
    pub(crate) options: Option<BTreeMap<String, String>>,
}

/// The body of a create call.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct VolumeRequest {
    pub(crate) name: Option<String>,
    pub(crate) driver: Option<String>,
    pub(crate) labels: Option<Labels>,
    pub(crate) driver_opts: Option<BTreeMap<String, String>>,
}

impl Engine {
    /// Makes a volume, or gives the one of that name.
    pub(crate) fn create_volume(&self, request: VolumeRequest) -> ApiResult<Volume> {
        let name = request.name.filter(|name| !name.is_empty()).unwrap_or_else(|| ids::fresh().to_string());
        check_name(&name)?;
        if let Some(driver) = request.driver.filter(|driver| !matches!(driver.as_str(), "" | "local" | "default")) {
            return Err(ApiError::missing(format!(
                "create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found"
            )));
        }
        let mut state = self.state();
        if !state.volumes.contains_key(&name) {
            state.needs_disk(Need::Volume(&name))?;
        }
        Ok(self.volume(&mut state, &name, request.labels, request.driver_opts))
    }

    /// The volume of that name, made if it is not there.
    pub(super) fn volume(
        &self,
        state: &mut State,
        name: &str,
        labels: Option<Labels>,
        options: Option<BTreeMap<String, String>>,
    ) -> Volume {
        if let Some(volume) = state.volumes.get(name) {
            return volume.clone();
        }
        let volume = Volume { name: name.to_owned(), created: clock::now(), labels, options };
        state.volumes.insert(name.to_owned(), volume.clone());
        self.events.volume(name, "create", Vec::new());
        volume
    }

    /// Removes a volume that no container has.
    pub(crate) fn remove_volume(&self, name: &str, force: bool) -> ApiResult<()> {
        let mut state = self.state();
        if !state.volumes.contains_key(name) {
            return if force { Ok(()) } else { Err(ApiError::missing(format!("get {name}: no such volume"))) };
        }
        let users = state.users_of_volume(name);
        if !users.is_empty() {
            let message = format!("remove {name}: volume is in use - [{}]", users.join(", "));
            return Err(ApiError::conflict(message));
        }
        state.volumes.remove(name);
        self.events.volume(name, "destroy", Vec::new());
        Ok(())
    }
}

impl State {
    /// Ids of the containers that have a volume, whether they run or not.
    pub(crate) fn users_of_volume(&self, name: &str) -> Vec<Id> {
        let has = |mounts: &[super::container::Mount]| mounts.iter().any(|mount| mount.name == name);
        self.containers
            .values()
            .filter(|container| has(&container.mounts))
            .map(|container| container.id.clone())
            .collect()
    }
}

/// Refuses what cannot be a volume's name.
pub(super) fn check_name(name: &str) -> ApiResult<()> {
    let mut letters = name.chars();
    let starts_well = letters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    if starts_well && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) && name.len() > 1 {
        return Ok(());
    }
    Err(ApiError::bad(format!(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )))
}

//! What the simulated engine holds and how it changes. No HTTP here: [`crate::api`] asks, these answer.
//!
//! All state is behind one lock that is never held across an await; everything that takes time is a timer that
//! comes back, looks whether the container is still in the life (`generation`) that it was set for, and acts.

mod chaincode;
pub(crate) mod container;
mod create;
mod death;
pub(crate) mod events;
mod health;
pub(crate) mod image;
mod ipam;
pub(crate) mod labels;
mod launch;
pub(crate) mod logs;
mod member;
pub(crate) mod network;
mod process;
pub(crate) use process::Process;
mod presence;
mod remove;
mod run;
pub(crate) use run::WaitFor;
pub(crate) mod spec;
mod trouble;
pub(crate) mod usage;
pub(crate) mod volume;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use indexmap::IndexMap;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};
use crate::{Latency, SimOptions};

use container::Container;
use events::Events;
use image::Images;
use network::Network;
use volume::Volume;

/// A simulated engine.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) options: SimOptions,
    /// The engine's own id, as `info` shows it.
    pub(crate) id: String,
    pub(crate) events: Events,
    pub(crate) latency: Mutex<Latency>,
    state: Mutex<State>,
    /// Counts changes; whoever waits for one (wait, logs, connections) looks again.
    changed: watch::Sender<u64>,
    /// For timers, which must not keep the engine alive.
    me: Weak<Engine>,
    /// Where timers run, whoever sets them.
    runtime: Handle,
}

/// What an engine holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// In the order they were made.
    pub(crate) containers: IndexMap<Id, Container>,
    /// Container names, which are unique.
    pub(crate) names: HashMap<Arc<str>, Id>,
    pub(crate) networks: IndexMap<Id, Network>,
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) images: Images,
    /// Whether the host is off the network: nothing is listened on.
    pub(crate) is_down: bool,
    /// Whether nothing more can be written.
    pub(crate) disk_full: bool,
}

impl Engine {
    /// An engine with its images and the networks that every engine has. Called inside a runtime, where its timers run.
    pub(crate) fn new(options: SimOptions) -> Arc<Self> {
        let id = ids::engine(&format!("{}/{}", options.name, ids::fresh()));
        let state = State { networks: network::predefined(), images: Images::of(&options.images), ..State::default() };
        Arc::new_cyclic(|me| Self {
            id,
            events: Events::default(),
            latency: Mutex::new(options.latency),
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            me: me.clone(),
            runtime: Handle::current(),
            options,
        })
    }

    /// The state, for as long as no await comes between.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait for a change.
    pub(crate) fn touch(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Does something later, unless the engine is gone by then.
    pub(crate) fn later(&self, after: std::time::Duration, act: impl FnOnce(&Engine) + Send + 'static) {
        let me = self.me.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(after).await;
            if let Some(engine) = me.upgrade() {
                act(&engine);
            }
        });
    }
}

impl State {
    /// A container by id, name or unambiguous beginning of an id.
    pub(crate) fn find(&self, wanted: &str) -> ApiResult<Id> {
        let name = wanted.strip_prefix('/').unwrap_or(wanted);
        if let Some((id, _)) = self.containers.get_key_value(wanted) {
            return Ok(id.clone());
        }
        if let Some(id) = self.names.get(name) {
            return Ok(id.clone());
        }
        let none = || ApiError::missing(format!("No such container: {wanted}"));
        if wanted.is_empty() {
            return Err(none());
        }
        let mut matching = self.containers.keys().filter(|id| id.starts_with(wanted));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id.clone()),
            (Some(_), Some(_)) => Err(ApiError::bad(format!("Multiple IDs found with provided prefix: {wanted}"))),
            (None, _) => Err(none()),
        }
    }

    /// A container that [`Self::find`] found under the same lock.
    pub(crate) fn container(&self, id: &str) -> ApiResult<&Container> {
        self.containers.get(id).ok_or_else(|| ApiError::missing(format!("No such container: {id}")))
    }

    /// The same, to change it.
    pub(crate) fn container_mut(&mut self, id: &str) -> ApiResult<&mut Container> {
        self.containers.get_mut(id).ok_or_else(|| ApiError::missing(format!("No such container: {id}")))
    }
}

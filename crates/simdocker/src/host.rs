//! A running simulated host, as a test or the binary holds it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::{Faults, Journal, Latency, SimOptions};

/// A running simulated host. Dropping it ends it.
#[derive(Debug)]
pub struct SimHost {
    options: SimOptions,
    faults: Faults,
    journal: Journal,
}

/// A container as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerSnapshot {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the leading slash.
    pub name: String,
    /// The reference it was made with.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `created`, `running`, `paused`, `restarting`, `exited`.
    pub state: String,
    /// Of its last end; 0 before.
    pub exit_code: i64,
    /// Restarts by policy since it was last started by a call.
    pub restart_count: u64,
    /// Network name to its address there; empty while it does not run.
    pub addresses: BTreeMap<String, Ipv4Addr>,
    /// What it publishes right now.
    pub ports: Vec<PublishedPort>,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedPort {
    /// On the host.
    pub host_port: u16,
    /// In the container.
    pub container_port: u16,
}

impl SimHost {
    /// Starts a host and returns once it answers.
    ///
    /// # Errors
    /// The address or socket cannot be listened on.
    pub async fn start(options: SimOptions) -> anyhow::Result<Self> {
        Ok(Self { options, faults: Faults::default(), journal: Journal::default() })
    }

    /// The URL to add it by: `tcp://127.x.y.z:port` or `unix:///path`.
    pub fn url(&self) -> String {
        String::new()
    }

    /// The host's own address, where published ports answer.
    pub fn address(&self) -> Ipv4Addr {
        self.options.address
    }

    /// What goes wrong with calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What it was asked.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How slow every call is, from now on.
    pub fn set_latency(&self, _latency: Latency) {}

    /// All containers, in the order they were made.
    pub fn containers(&self) -> Vec<ContainerSnapshot> {
        Vec::new()
    }

    /// One container, by id, unambiguous beginning of an id, or name.
    pub fn container(&self, _id_or_name: &str) -> Option<ContainerSnapshot> {
        None
    }

    /// Names of all networks but the three that every engine has.
    pub fn networks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Names of all volumes.
    pub fn volumes(&self) -> Vec<String> {
        Vec::new()
    }

    /// References of all images.
    pub fn images(&self) -> Vec<String> {
        Vec::new()
    }

    /// The process in a running container ends with this code by itself: the restart policy decides what follows.
    /// False if it does not run.
    pub fn crash_process(&self, _id_or_name: &str, _exit_code: i64) -> bool {
        false
    }

    /// The host is gone from the network: its API's listener and those of its published ports are closed, and so
    /// are all connections. Containers keep their state.
    pub fn go_down(&self) {}

    /// The host is back, on the same address and ports.
    ///
    /// # Errors
    /// Something else took the address or a port meanwhile.
    pub async fn come_up(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Ends it and waits until its listeners are closed.
    pub async fn shutdown(self) {}
}

//! A running simulated host, as a test or the binary holds it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::bail;
use axum::body::to_bytes;
use hyper::Uri;
use serde::Serialize;

use crate::api::{self, Call};
use crate::engine::Engine;
use crate::engine::container::Container;
use crate::server::{ApiListener, Bound};
use crate::{Faults, Journal, Latency, SimOptions};

/// A running simulated host. Dropping it ends it.
#[derive(Debug)]
pub struct SimHost(Arc<Shared>);

/// What a host's handle and its connections have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    listener: Mutex<Option<ApiListener>>,
    bound: Mutex<Bound>,
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
    /// Whether its last run ended for want of memory.
    pub oom_killed: bool,
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
    /// The address or socket cannot be listened on, or is not a loopback address.
    pub async fn start(options: SimOptions) -> anyhow::Result<Self> {
        if !options.address.is_loopback() {
            bail!("a simulated host's address is one of 127.0.0.0/8, not {}", options.address);
        }
        let bound = Bound::wanted(&options)?;
        let shared = Arc::new(Shared {
            engine: Engine::new(options),
            faults: Faults::default(),
            journal: Journal::default(),
            listener: Mutex::new(None),
            bound: Mutex::new(bound),
        });
        shared.listen()?;
        Ok(Self(shared))
    }

    /// The URL to add it by: `tcp://127.x.y.z:port` or `unix:///path`.
    pub fn url(&self) -> String {
        lock(&self.0.bound).url()
    }

    /// The host's own address, where published ports answer.
    pub fn address(&self) -> Ipv4Addr {
        self.0.engine.options.address
    }

    /// The engine's own id, as `info` has it.
    pub fn engine_id(&self) -> &str {
        &self.0.engine.id
    }

    /// What goes wrong with calls.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// What it was asked.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// How slow every call is, from now on.
    pub fn set_latency(&self, latency: Latency) {
        self.0.set_latency(latency);
    }

    /// All containers, in the order they were made.
    pub fn containers(&self) -> Vec<ContainerSnapshot> {
        snapshots(&self.0.engine)
    }

    /// One container, by id, unambiguous beginning of an id, or name.
    pub fn container(&self, id_or_name: &str) -> Option<ContainerSnapshot> {
        let state = self.0.engine.state();
        let id = state.find(id_or_name).ok()?;
        state.containers.get(&id).map(snapshot)
    }

    /// Names of all networks but the three that every engine has.
    pub fn networks(&self) -> Vec<String> {
        let state = self.0.engine.state();
        let own = state.networks.values().filter(|network| !network.is_predefined());
        own.map(|network| network.name.clone()).collect()
    }

    /// Names of all volumes.
    pub fn volumes(&self) -> Vec<String> {
        self.0.engine.state().volumes.keys().cloned().collect()
    }

    /// References of all images.
    pub fn images(&self) -> Vec<String> {
        self.0.engine.state().images.present.iter().flat_map(|image| image.tags.clone()).collect()
    }

    /// Carries out an API call without a connection, past faults, latency and journal: for filling many hosts quickly.
    /// Gives the status and the body. Not for calls whose answer is a stream without end.
    pub async fn call(&self, method: &str, path_and_query: &str, body: &str) -> (u16, String) {
        let uri: Uri = path_and_query.parse().unwrap_or_default();
        let call = Call::new(method, uri.path(), &uri, body.to_owned());
        let (head, body) = api::answer(&self.0.engine, &call).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        (head.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
    }

    /// The process in a running container ends with this code by itself: the restart policy decides what follows.
    /// False if it does not run.
    pub fn crash_process(&self, id_or_name: &str, exit_code: i64) -> bool {
        self.0.engine.crash(id_or_name, exit_code)
    }

    /// The kernel kills the process in a running container for want of memory. False if it does not run.
    pub fn run_out_of_memory(&self, id_or_name: &str) -> bool {
        self.0.engine.oom(id_or_name)
    }

    /// A container prints a line on its standard output. False if it does not run.
    pub fn print(&self, id_or_name: &str, line: &str) -> bool {
        self.0.engine.print(id_or_name, line)
    }

    /// A running container's own check says so from now on, until it is started again. False if it has none, or does not run.
    pub fn set_health(&self, id_or_name: &str, healthy: bool) -> bool {
        self.0.engine.set_health(id_or_name, healthy)
    }

    /// A container's process ends by itself so long from now, or after its next start if it does not run.
    pub fn doom(&self, id_or_name: &str, after: Duration, exit_code: i64) {
        self.0.engine.doom(id_or_name, after, exit_code);
    }

    /// As `docker kill` from outside: it counts as a stop by hand. False if it does not run.
    pub fn kill(&self, id_or_name: &str) -> bool {
        self.0.engine.kill(id_or_name, None).is_ok()
    }

    /// As `docker pause` from outside. False if it does not run.
    pub fn pause(&self, id_or_name: &str) -> bool {
        self.0.engine.pause(id_or_name).is_ok()
    }

    /// As `docker unpause` from outside. False if it is not paused.
    pub fn unpause(&self, id_or_name: &str) -> bool {
        self.0.engine.unpause(id_or_name).is_ok()
    }

    /// Whether the disk is full: nothing can be made, pulled or started then; what runs goes on, and what is there can go.
    pub fn set_disk_full(&self, full: bool) {
        self.0.engine.set_disk_full(full);
    }

    /// The host is gone from the network: its API's listener and those of its published ports are closed, and so
    /// are all connections. Containers keep their state.
    pub fn go_down(&self) {
        self.0.go_down();
    }

    /// The host is back, on the same address and ports.
    ///
    /// # Errors
    /// Something else took the address or a port meanwhile.
    pub async fn come_up(&self) -> anyhow::Result<()> {
        self.0.come_up()
    }

    /// Ends it: on return nothing is listened on any more.
    pub async fn shutdown(self) {
        drop(self);
        // Lets the connections' tasks see that they are closed.
        tokio::task::yield_now().await;
    }
}

impl Drop for SimHost {
    fn drop(&mut self) {
        lock(&self.0.listener).take();
        self.0.engine.close();
    }
}

impl Shared {
    fn listen(self: &Arc<Self>) -> anyhow::Result<()> {
        let wanted = lock(&self.bound).clone();
        let (bound, listener) = wanted.listen(&self.engine.options, Arc::downgrade(self))?;
        *lock(&self.bound) = bound;
        *lock(&self.listener) = Some(listener);
        Ok(())
    }

    pub(crate) fn set_latency(&self, latency: Latency) {
        *lock(&self.engine.latency) = latency;
    }

    pub(crate) fn go_down(&self) {
        lock(&self.listener).take();
        self.engine.unlisten();
    }

    pub(crate) fn come_up(self: &Arc<Self>) -> anyhow::Result<()> {
        self.engine.relisten()?;
        self.listen()
    }
}

/// All containers in brief.
pub(crate) fn snapshots(engine: &Engine) -> Vec<ContainerSnapshot> {
    engine.state().containers.values().map(snapshot).collect()
}

fn snapshot(container: &Container) -> ContainerSnapshot {
    let published = container.run().map(|run| {
        run.published.iter().map(|p| PublishedPort { host_port: p.host_port, container_port: p.container_port })
    });
    ContainerSnapshot {
        id: container.id.to_string(),
        name: container.name.to_string(),
        image: container.image.to_string(),
        labels: container.spec.body.labels.to_map(),
        state: container.state_name().to_owned(),
        exit_code: container.exit_code,
        oom_killed: container.oom_killed,
        restart_count: container.restart_count,
        addresses: container.addresses().map(|(name, ip)| (name.to_owned(), ip)).collect(),
        ports: published.into_iter().flatten().collect(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

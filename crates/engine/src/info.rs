//! One Docker daemon: connecting to it, and what it says of itself.

use std::sync::Arc;

use bollard::models::{LocalNodeState, SystemInfo};
use bollard::{API_DEFAULT_VERSION, Docker};
use common::clock::Pace;
use common::model::{DaemonUrl, HostKind};

use crate::call::Listener;
use crate::error_map::{self, Step};
use crate::{Credentials, EngineError, deadline};

/// One Docker daemon. Cheap to clone; holds no connection between calls, so it outlives the daemon's restarts.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) docker: Docker,
    pub(crate) pace: Pace,
    pub(crate) listener: Option<Listener>,
    url: Arc<DaemonUrl>,
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
    /// `1.41`: what it and we both speak.
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
        Self::connect_at(url, Pace::ORDINARY).await
    }

    /// The same, with every deadline and pause as long as this pace makes it.
    pub async fn connect_at(url: &DaemonUrl, pace: Pace) -> Result<Engine, EngineError> {
        Self::connect_as(url, None, pace).await
    }

    /// The same over TLS, if there are credentials. Without any, TCP is plain.
    pub async fn connect_as(
        url: &DaemonUrl,
        credentials: Option<&Credentials>,
        pace: Pace,
    ) -> Result<Engine, EngineError> {
        let step = Step("connecting to", "the daemon");
        let docker = match (url, credentials) {
            (DaemonUrl::Tcp { .. }, Some(credentials)) => credentials.docker(url),
            (DaemonUrl::Unix(path), _) => {
                Docker::connect_with_unix(&path.to_string_lossy(), deadline::CLIENT_SECONDS, API_DEFAULT_VERSION)
            }
            (DaemonUrl::Tcp { .. }, None) => {
                Docker::connect_with_http(&url.to_string(), deadline::CLIENT_SECONDS, API_DEFAULT_VERSION)
            }
        };
        let docker = docker.map_err(|error| error_map::explain(url, step, deadline::CONNECT, error))?;
        let engine = Engine { docker, pace, listener: None, url: Arc::new(url.clone()) };
        let negotiated = engine.docker.clone().negotiate_version();
        let docker = engine.call(step, deadline::CONNECT, negotiated).await.map_err(|error| no_engine(url, error))?;
        Ok(Engine { docker, ..engine })
    }

    /// Where it is.
    pub fn url(&self) -> &DaemonUrl {
        &self.url
    }

    /// What it says of itself. Answers on hosts that can make nothing, so it proves little.
    pub async fn info(&self) -> Result<EngineInfo, EngineError> {
        let info = self.raw_info().await?;
        Ok(EngineInfo {
            kind: kind_of(&info),
            id: info.id.unwrap_or_default(),
            name: info.name.unwrap_or_default(),
            version: info.server_version.unwrap_or_default(),
            api_version: self.docker.client_version().to_string(),
            cpus: u32::try_from(info.ncpu.unwrap_or(0)).unwrap_or(0),
            memory: u64::try_from(info.mem_total.unwrap_or(0)).unwrap_or(0),
            containers: u32::try_from(info.containers.unwrap_or(0)).unwrap_or(0),
        })
    }

    pub(crate) async fn raw_info(&self) -> Result<SystemInfo, EngineError> {
        self.call(Step("asking about", "the daemon"), deadline::LOOK, self.docker.info()).await
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.call(Step("pinging", "the daemon"), deadline::PING, self.docker.ping()).await.map(drop)
    }

    /// Refuses what is for single engines only: making a cluster. What is there already is looked after anywhere.
    pub(crate) async fn must_be_single(&self) -> Result<(), EngineError> {
        match kind_of(&self.raw_info().await?) {
            HostKind::Single => Ok(()),
            HostKind::Swarm => Err(EngineError::Refused {
                what: "a cluster on a swarm".to_owned(),
                status: 0,
                message: "this host is part of a swarm, and clusters can be made on single engines only so far"
                    .to_owned(),
            }),
        }
    }
}

/// Every engine tells its version; whatever has no such page, or another one there, is something else: a web server, say.
fn no_engine(url: &DaemonUrl, error: EngineError) -> EngineError {
    match error {
        EngineError::Gone { .. } | EngineError::Refused { status: 0, .. } => EngineError::Unreachable {
            url: url.to_string(),
            reason: "what answers there is no Docker engine".to_owned(),
        },
        other => other,
    }
}

/// A node that belongs to a swarm, or did until its manager got lost, counts as one.
fn kind_of(info: &SystemInfo) -> HostKind {
    match info.swarm.as_ref().and_then(|swarm| swarm.local_node_state) {
        None | Some(LocalNodeState::EMPTY | LocalNodeState::INACTIVE) => HostKind::Single,
        Some(LocalNodeState::PENDING | LocalNodeState::ACTIVE | LocalNodeState::ERROR | LocalNodeState::LOCKED) => {
            HostKind::Swarm
        }
    }
}

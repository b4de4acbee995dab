//! One container, as the engine keeps it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::health::Health;
use super::logs::Logs;
use super::process::Process;
use super::spec::{EndpointRequest, Spec};
use crate::clock::Moment;
use crate::ids::{self, Id};
use crate::image::Behaviour;
use crate::ports::Listening;

/// One container.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: Id,
    /// Without the leading slash.
    pub(crate) name: Arc<str>,
    pub(crate) created: Moment,
    /// The reference it was made with.
    pub(crate) image: Arc<str>,
    pub(crate) image_id: Arc<str>,
    pub(crate) behaviour: Behaviour,
    pub(crate) spec: Spec,
    pub(crate) life: Life,
    /// Counts starts, so that a timer knows whether it is still meant.
    pub(crate) generation: u64,
    pub(crate) started_at: Option<Moment>,
    pub(crate) finished_at: Option<Moment>,
    pub(crate) exit_code: i64,
    /// Whether its last run ended for want of memory.
    pub(crate) oom_killed: bool,
    /// Why the last start failed.
    pub(crate) error: String,
    pub(crate) restart_count: u64,
    /// Restarts one after another without a good run between; the delay doubles with each.
    pub(crate) streak: u32,
    /// Somebody asked it to end, so the restart policy rests.
    pub(crate) stopped_by_hand: bool,
    /// Network name to how it is there.
    pub(crate) endpoints: IndexMap<String, Endpoint>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) logs: Logs,
    pub(crate) health: Option<Health>,
    /// A peer's ledger, which outlives stop and start.
    pub(crate) peer: Option<Arc<fabricsim::Peer>>,
    /// A fault: its next run ends after this long with this code.
    pub(crate) die_after: Option<(Duration, i64)>,
    /// Whose chaincode it is.
    pub(crate) parent: Option<Id>,
}

/// Where it is in its life.
#[derive(Debug)]
pub(crate) enum Life {
    /// Made, never started (or every start failed).
    Created,
    /// Its process runs.
    Running(Run),
    /// Its process is frozen.
    Paused(Run),
    /// Its process died; the engine will start it again.
    Restarting,
    /// Its process ended.
    Exited,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) pid: u32,
    pub(crate) process: Arc<Process>,
    pub(crate) published: Vec<Published>,
}

/// A port that is published now.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) container_port: u16,
    pub(crate) protocol: &'static str,
    /// As it was asked for; unspecified is everywhere.
    pub(crate) host_ip: IpAddr,
    pub(crate) host_port: u16,
    /// Dropping it closes the port. `None` while the host is down, and for UDP.
    pub(crate) listening: Option<Listening>,
}

/// A container on a network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    pub(crate) request: EndpointRequest,
    /// The network that it was connected to by a call, which may share its name with another.
    pub(crate) pinned: Option<Id>,
    /// Known once it was started there.
    pub(crate) network: Option<Id>,
    /// While it runs.
    pub(crate) live: Option<LiveEndpoint>,
}

/// A running container on a network.
#[derive(Clone, Debug)]
pub(crate) struct LiveEndpoint {
    pub(crate) id: Id,
    pub(crate) ip: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) gateway: Ipv4Addr,
}

/// A mount.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    /// `volume`, `bind`, `tmpfs`.
    pub(crate) kind: String,
    /// The volume's name; empty for others.
    pub(crate) name: String,
    /// A path of the host, for `bind`.
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) mode: &'static str,
    pub(crate) writable: bool,
    /// It goes with its container if that is removed with its volumes.
    pub(crate) anonymous: bool,
}

impl Container {
    /// `created`, `running`, `paused`, `restarting`, `exited`.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.life {
            Life::Created => "created",
            Life::Running(_) => "running",
            Life::Paused(_) => "paused",
            Life::Restarting => "restarting",
            Life::Exited => "exited",
        }
    }

    /// What the engine calls running: also while paused or about to be started again.
    pub(crate) fn counts_as_running(&self) -> bool {
        matches!(self.life, Life::Running(_) | Life::Paused(_) | Life::Restarting)
    }

    /// The process, if there is one.
    pub(crate) fn run(&self) -> Option<&Run> {
        match &self.life {
            Life::Running(run) | Life::Paused(run) => Some(run),
            Life::Created | Life::Restarting | Life::Exited => None,
        }
    }

    /// The id of its place on the host's networks, another with each start; `None` before the first.
    pub(crate) fn sandbox(&self) -> Option<String> {
        (self.generation > 0).then(|| ids::of(&format!("{} {}", self.id, self.generation)))
    }

    /// Addresses, with the names of their networks.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (&str, Ipv4Addr)> {
        self.endpoints.iter().filter_map(|(name, endpoint)| Some((name.as_str(), endpoint.live.as_ref()?.ip)))
    }
}

impl LiveEndpoint {
    /// The MAC address that Docker derives from the IP address.
    pub(crate) fn mac(&self) -> String {
        let [a, b, c, d] = self.ip.octets();
        format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
    }
}

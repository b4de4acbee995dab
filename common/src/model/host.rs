//! A Docker engine that clusters run on.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::host_purpose::HostPurpose;
use super::host_tls::HostTls;
use super::{DaemonUrl, FlavorShare, HostId, HostName, InvalidText, SlotLayout, Timestamp};

/// The most clusters that a host may be set to hold, as the seed has it. Ports and subnets may allow fewer.
pub const MAX_CAPACITY: u16 = 1000;

/// What a host is: what operators chose, and what admin has seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its id, for ever.
    pub id: HostId,
    /// Counts every change; a write that was decided on an older one is refused.
    pub version: u64,
    /// What operators chose.
    pub settings: HostSettings,
    /// The engine's own id, learnt when the host was added; unique among hosts.
    pub engine_id: String,
    /// Single engine or swarm, as the engine says of itself.
    pub kind: HostKind,
    /// What operators want of it as a whole.
    pub purpose: HostPurpose,
    /// Failures before this count no more: an operator asked to try again what was held back.
    #[serde(default)]
    pub try_again: Option<Timestamp>,
    /// What is shown to its daemon over TLS; `None`: without TLS.
    #[serde(default)]
    pub tls: Option<HostTls>,
    /// What admin last saw.
    pub contact: Contact,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What operators choose about a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSettings {
    /// Unique among hosts.
    pub name: HostName,
    /// How admin reaches Docker.
    pub daemon_url: DaemonUrl,
    /// How users reach its clusters: an IP address or a DNS name, without a port.
    pub address: String,
    /// Where clusters' ports are published on the host; 0.0.0.0 is everywhere.
    pub bind_address: IpAddr,
    /// How many clusters it may hold, counting those being made and removed.
    pub capacity: u16,
    /// How talkative the peers are.
    pub log_level: LogLevel,
    /// Where the peers' logs go.
    pub log_target: LogTarget,
    /// Whether its free clusters are given out and new ones are made.
    pub schedulable: bool,
    /// Whether it is kept at capacity.
    pub autofill: bool,
    /// Which flavors it is filled with; empty: the pool's mix.
    #[serde(default)]
    pub mix: Vec<FlavorShare>,
    /// The Docker endpoint that peers may use to start chaincode. Hands the host to its tenants: trusted tenants only.
    pub chaincode_endpoint: Option<String>,
}

/// Single engine or swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostKind {
    /// One Docker engine.
    Single,
    /// A Docker Swarm, by one of its managers.
    Swarm,
}

/// What admin last saw of a host. Written now and then, apart from [`Host::version`]; at once when the state changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Reachable or not.
    pub state: HostState,
    /// When its engine last answered.
    pub last_answer: Timestamp,
    /// Engine version, `20.10.24`.
    pub engine_version: String,
    /// Processors of the host.
    pub cpus: u32,
    /// Memory of the host, in bytes.
    pub memory: u64,
    /// When a cluster was last made on it, from begin to proof. That its engine answers proves less.
    #[serde(default)]
    pub made_at: Option<Timestamp>,
}

/// Reachable or not, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HostState {
    /// It answers.
    Active {
        /// Since then.
        since: Timestamp,
    },
    /// It does not answer; its free clusters are not given out, and nothing about it is forgotten.
    Inactive {
        /// Since then.
        since: Timestamp,
        /// In the words of the failed call.
        why: String,
    },
}

impl HostState {
    /// Whether it answers.
    pub fn is_active(&self) -> bool {
        matches!(self, HostState::Active { .. })
    }
}

/// How talkative the peers of a host's clusters are: Fabric's own words, lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// The usual.
    #[default]
    Info,
    /// Between info and warning.
    Notice,
    /// Warnings and worse.
    Warning,
    /// Errors and worse.
    Error,
    /// Only what ends a peer.
    Critical,
}

impl LogLevel {
    /// All of them, most talkative first.
    pub const ALL: [LogLevel; 6] =
        [LogLevel::Debug, LogLevel::Info, LogLevel::Notice, LogLevel::Warning, LogLevel::Error, LogLevel::Critical];

    /// The word, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Notice => "notice",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
            LogLevel::Critical => "critical",
        }
    }

    /// Takes a word in either case.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let text = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| InvalidText("must be one of debug, info, notice, warning, error, critical".into()))
    }
}

/// Where the containers' logs go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LogTarget {
    /// Files on the host, rotated.
    Local,
    /// A syslog server.
    Syslog {
        /// `tcp://host:port` or `udp://host:port`.
        server: String,
    },
}

impl HostSettings {
    /// Whether ports published by both would be the same ports. Loopback and wildcard say nothing about which machine, so the
    /// address that users are told decides.
    pub fn meets(&self, other: &HostSettings) -> bool {
        let (a, b) = (self.bind_address, other.bind_address);
        self.address == other.address && (a == b || a.is_unspecified() || b.is_unspecified())
    }

    /// Refuses a capacity that ports and subnets do not allow, or that is below what runs.
    pub fn check_capacity(capacity: u16, layout: &SlotLayout, clusters_now: usize) -> Result<u16, InvalidText> {
        if capacity > MAX_CAPACITY {
            return Err(InvalidText(format!("may be 0 to {MAX_CAPACITY}")));
        }
        if capacity > layout.slots() {
            return Err(InvalidText(format!(
                "may be at most {}: that many blocks of {} ports fit between {} and {}, each with a subnet of {}",
                layout.slots(),
                layout.ports_per_slot,
                layout.first_port,
                layout.end_port,
                layout.subnets.0
            )));
        }
        if usize::from(capacity) < clusters_now {
            return Err(InvalidText(format!("is below the {clusters_now} clusters that the host has now")));
        }
        Ok(capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_beyond_the_ports_is_refused_with_the_number() {
        let layout = SlotLayout::default();
        assert!(HostSettings::check_capacity(257, &layout, 0).is_ok());
        assert!(HostSettings::check_capacity(258, &layout, 0).expect_err("too many").0.contains("257"));
        assert!(HostSettings::check_capacity(2, &layout, 3).expect_err("too few").0.contains("3 clusters"));
    }
}

//! A Docker engine that clusters run on.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{HostId, HostName, InvalidText, SlotLayout, Timestamp};

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
    /// Whether operators still want it.
    pub purpose: HostPurpose,
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

/// Whether operators still want a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum HostPurpose {
    /// It serves the pool.
    Serve,
    /// It is being deleted: its clusters go first, then its record.
    Leave {
        /// When an operator asked.
        since: Timestamp,
        /// Who.
        asked_by: String,
    },
}

/// What admin last saw of a host. Written at most once in ten seconds, apart from [`Host::version`].
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

/// How to reach a Docker daemon: `unix:///path` or `tcp://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DaemonUrl {
    /// A socket on admin's own machine.
    Unix(PathBuf),
    /// A daemon over TCP.
    Tcp {
        /// Name or address; an IPv6 address without its brackets.
        host: String,
        /// 2375 by custom.
        port: u16,
    },
}

impl DaemonUrl {
    /// Takes `unix:///path`, `tcp://host:port`, or `host:port`, which old clients wrote.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let refuse =
            |why: &str| Err(InvalidText(format!("{why}; write unix:///var/run/docker.sock or tcp://HOST:2375")));
        if text.len() > 256 {
            return refuse("may have at most 256 characters");
        }
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') && path.len() > 1 && !path.chars().any(char::is_control) {
                Ok(DaemonUrl::Unix(PathBuf::from(path)))
            } else {
                refuse("needs an absolute path after unix://")
            };
        }
        let rest = match text.split_once("://") {
            None => text,
            Some(("tcp", rest)) => rest,
            Some((scheme, _)) => return refuse(&format!("has the scheme {scheme:?}, which is not spoken here")),
        };
        let Ok(url) = url::Url::parse(&format!("tcp://{rest}")) else {
            return refuse("is not a URL");
        };
        let plain = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return refuse("may have a host and a port only");
        }
        match (url.host_str(), url.port()) {
            (Some(host), Some(port)) if !host.is_empty() && port != 0 && is_host(host) => {
                Ok(DaemonUrl::Tcp { host: host.trim_matches(['[', ']']).to_owned(), port })
            }
            (Some(host), None) if !host.is_empty() => refuse("needs a port"),
            _ => refuse("needs a host"),
        }
    }

    /// The host part, which is also how users reach clusters when a host has no address of its own.
    pub fn host(&self) -> Option<&str> {
        match self {
            DaemonUrl::Unix(_) => None,
            DaemonUrl::Tcp { host, .. } => Some(host),
        }
    }
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// Takes how users reach a host's clusters: an IP address or a DNS name, no port, at most 253 characters.
pub fn parse_address(text: &str) -> Result<String, InvalidText> {
    let ok = text.parse::<IpAddr>().is_ok() || (is_host(text) && !text.is_empty() && text.len() <= 253);
    if ok {
        Ok(text.to_owned())
    } else {
        Err(InvalidText("must be an IP address or a DNS name, without a port".into()))
    }
}

impl fmt::Display for DaemonUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DaemonUrl::Unix(path) => write!(f, "unix://{}", path.display()),
            DaemonUrl::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            DaemonUrl::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl From<DaemonUrl> for String {
    fn from(url: DaemonUrl) -> String {
        url.to_string()
    }
}

impl TryFrom<String> for DaemonUrl {
    type Error = InvalidText;
    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::parse(&text)
    }
}

impl HostSettings {
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

impl Host {
    /// Whether new clusters may be made here and free ones given out, as far as operators are concerned.
    pub fn serves(&self) -> bool {
        self.settings.schedulable && self.purpose == HostPurpose::Serve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemon_urls_of_both_kinds_are_read() {
        for (text, shown) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("tcp://node-1.example:2375/", "tcp://node-1.example:2375"),
            ("tcp://[::1]:2375", "tcp://[::1]:2375"),
        ] {
            assert_eq!(DaemonUrl::parse(text).map(|u| u.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_daemon_url_is_refused_with_the_way_to_write_it() {
        for text in [
            "",
            "unix://",
            "unix://x",
            "http://a:1",
            "tcp://a",
            "tcp://:1",
            "tcp://a:99999",
            "tcp://u:p@a:1",
            "tcp://a:1/x",
            "tcp://a b:1",
        ] {
            let refusal = DaemonUrl::parse(text).expect_err(text).0;
            assert!(refusal.contains("tcp://HOST:2375"), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_capacity_beyond_the_ports_is_refused_with_the_number() {
        let layout = SlotLayout::default();
        assert!(HostSettings::check_capacity(257, &layout, 0).is_ok());
        assert!(HostSettings::check_capacity(258, &layout, 0).expect_err("too many").0.contains("257"));
        assert!(HostSettings::check_capacity(2, &layout, 3).expect_err("too few").0.contains("3 clusters"));
    }
}

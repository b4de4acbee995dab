//! What a peer is told by its environment, by the names that Fabric 0.6 gives its settings.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::server::{Addresses, Level, Log};

/// The port that peers speak to each other on, in a container.
pub const PEER_PORT: u16 = 7051;

/// Networks are small; this bounds what a wrong number can cost.
const MAX_PEERS: u32 = 64;

/// How transactions become blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// Every peer that runs may commit, whoever else is there.
    Noops,
    /// A block needs `n - f` peers.
    Pbft {
        /// Peers in the network.
        n: u32,
        /// Peers that may be away.
        f: u32,
    },
}

impl Consensus {
    /// Peers that must hold a block before it is committed.
    pub fn quorum(&self) -> usize {
        match self {
            Self::Noops => 1,
            Self::Pbft { n, f } => (n - f) as usize,
        }
    }
}

/// What one peer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// `CORE_PEER_ID`.
    pub id: String,
    /// `CORE_PEER_NETWORKID`. Peers of another network are not listened to.
    pub network_id: String,
    /// `CORE_PEER_DISCOVERY_ROOTNODE`, empty for the root itself.
    pub root: Option<String>,
    /// `CORE_PEER_ADDRESS`, unless `CORE_PEER_ADDRESSAUTODETECT` is true: where the others reach this peer.
    pub address: Option<String>,
    /// `CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN` and what belongs to it.
    pub consensus: Consensus,
    /// Transactions in a block at most.
    pub batch: usize,
    /// How long a transaction waits for others to fill its block.
    pub batch_wait: Duration,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The variable's name.
    pub name: &'static str,
    /// What it holds.
    pub value: String,
    /// What it may hold.
    pub allowed: &'static str,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {:?}; allowed: {}", self.name, self.value, self.allowed)
    }
}

impl std::error::Error for BadSetting {}

impl PeerConfig {
    /// Reads the variables of one container, in upper or lower case. What it does not know is left alone, as Fabric does.
    ///
    /// # Errors
    /// [`BadSetting`] names the variable and what it may hold.
    pub fn from_env<K, V>(vars: impl IntoIterator<Item = (K, V)>) -> Result<Self, BadSetting>
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        let vars = Vars::new(vars);
        let (consensus, batch, batch_wait) = consensus(&vars)?;
        Ok(Self {
            id: name(&vars, "CORE_PEER_ID", "vp0")?,
            network_id: name(&vars, "CORE_PEER_NETWORKID", "dev")?,
            root: vars.text("CORE_PEER_DISCOVERY_ROOTNODE").map(str::to_owned),
            address: if vars.is_true("CORE_PEER_ADDRESSAUTODETECT")? {
                None
            } else {
                vars.text("CORE_PEER_ADDRESS").map(str::to_owned)
            },
            consensus,
            batch,
            batch_wait,
        })
    }
}

/// What the process around a peer is told.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens.
    pub addresses: Addresses,
    /// `CORE_PEER_FILESYSTEMPATH`: where the ledger is kept.
    pub folder: PathBuf,
    /// `CORE_LOGGING_LEVEL`.
    pub log: Log,
}

impl ServerConfig {
    /// Reads the variables of one container, as [`PeerConfig::from_env`] does.
    ///
    /// # Errors
    /// [`BadSetting`] names the variable and what it may hold.
    pub fn from_env<K, V>(vars: impl IntoIterator<Item = (K, V)>) -> Result<Self, BadSetting>
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        let vars = Vars::new(vars);
        let addresses = Addresses {
            rest: vars.address("CORE_REST_ADDRESS", 7050)?,
            peer: vars.address("CORE_PEER_LISTENADDRESS", PEER_PORT)?,
            cli: vars.address("CORE_CLI_ADDRESS", 7052)?,
            events: vars.address("CORE_PEER_VALIDATOR_EVENTS_ADDRESS", 7053)?,
        };
        let folder = vars.text("CORE_PEER_FILESYSTEMPATH").unwrap_or("/var/hyperledger/production").into();
        Ok(Self { addresses, folder, log: Log(vars.level("CORE_LOGGING_LEVEL")?) })
    }
}

/// The variables of this process. Those that are not text cannot be settings of ours.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn consensus(vars: &Vars) -> Result<(Consensus, usize, Duration), BadSetting> {
    const PLUGIN: &str = "CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN";
    const N: &str = "CORE_PBFT_GENERAL_N";
    const F: &str = "CORE_PBFT_GENERAL_F";
    const MODE: &str = "CORE_PBFT_GENERAL_MODE";
    match vars.text(PLUGIN).unwrap_or("noops").to_ascii_lowercase().as_str() {
        "noops" => {
            let batch = vars.number("CORE_NOOPS_BLOCK_SIZE", 500, 1..=10_000)?;
            // `wait` is the older name of `timeout`.
            let older = vars.time("CORE_NOOPS_BLOCK_WAIT", Duration::from_secs(1))?;
            Ok((Consensus::Noops, batch as usize, vars.time("CORE_NOOPS_BLOCK_TIMEOUT", older)?))
        }
        "pbft" => {
            let n = vars.number(N, 4, 1..=MAX_PEERS)?;
            let most = (n - 1) / 3;
            let f = vars.number(F, most, 0..=MAX_PEERS)?;
            if f > most {
                return Err(vars.bad(F, "at most a third of CORE_PBFT_GENERAL_N less one"));
            }
            let consensus = Consensus::Pbft { n, f };
            match vars.text(MODE).unwrap_or("batch") {
                "batch" => {
                    let batch = vars.number("CORE_PBFT_GENERAL_BATCHSIZE", 500, 1..=10_000)?;
                    let wait = vars.time("CORE_PBFT_GENERAL_TIMEOUT_BATCH", Duration::from_secs(1))?;
                    Ok((consensus, batch as usize, wait))
                }
                "classic" | "sieve" => Ok((consensus, 1, Duration::ZERO)),
                _ => Err(vars.bad(MODE, "batch, classic or sieve")),
            }
        }
        _ => Err(vars.bad(PLUGIN, "noops or pbft")),
    }
}

fn name(vars: &Vars, name: &'static str, default: &str) -> Result<String, BadSetting> {
    let value = vars.text(name).unwrap_or(default);
    if value.len() > 128 || value.chars().any(char::is_control) {
        return Err(vars.bad(name, "at most 128 characters, none of them a control character"));
    }
    Ok(value.to_owned())
}

struct Vars(BTreeMap<String, String>);

impl Vars {
    fn new<K: AsRef<str>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let upper = vars.into_iter().map(|(name, value)| (name.as_ref().to_ascii_uppercase(), value.into()));
        Self(upper.collect())
    }

    fn address(&self, name: &'static str, port: u16) -> Result<SocketAddr, BadSetting> {
        match self.text(name) {
            None => Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
            Some(text) => text.parse().map_err(|_| self.bad(name, "an IP address and a port, as 0.0.0.0:7050")),
        }
    }

    /// Fabric's levels; what comes before a colon or an equals sign (a module's own level) does not matter here.
    fn level(&self, name: &'static str) -> Result<Level, BadSetting> {
        let text = self.text(name).unwrap_or("info").to_ascii_lowercase();
        match text.rsplit([':', '=']).next().unwrap_or_default() {
            "critical" | "error" => Ok(Level::Error),
            "warning" | "warn" => Ok(Level::Warning),
            "notice" | "info" => Ok(Level::Info),
            "debug" => Ok(Level::Debug),
            _ => Err(self.bad(name, "critical, error, warning, notice, info or debug")),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn bad(&self, name: &'static str, allowed: &'static str) -> BadSetting {
        BadSetting { name, value: self.text(name).unwrap_or_default().to_owned(), allowed }
    }

    fn is_true(&self, name: &'static str) -> Result<bool, BadSetting> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(false),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err(self.bad(name, "true or false")),
        }
    }

    fn number(
        &self,
        name: &'static str,
        default: u32,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, BadSetting> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.bad(name, "a whole number in range"))
    }

    /// Seconds, or with a unit: `2`, `2s`, `500ms`.
    fn time(&self, name: &'static str, default: Duration) -> Result<Duration, BadSetting> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let (digits, millis) = match text.strip_suffix("ms") {
            Some(digits) => (digits, 1),
            None => (text.strip_suffix('s').unwrap_or(text), 1000),
        };
        let number: u64 = digits.parse().map_err(|_| self.bad(name, "seconds (2, 2s) or milliseconds (500ms)"))?;
        Ok(Duration::from_millis(number.saturating_mul(millis).min(60_000)))
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod config_test;

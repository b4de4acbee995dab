//! What the operators' service and its reconciler read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{CommonConfig, ConfigError, SealKeys, Secret, Source, TrustedProxies, parse};
use crate::model::{FlavorId, FlavorShare, LogLevel, SlotLayout, SubnetRange, check_username};
use crate::store::StoreTarget;

/// What the operators' service and its reconciler read.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// What app reads as well.
    pub common: CommonConfig,
    /// `ADMIN_BIND`: where it listens.
    pub bind: IpAddr,
    /// `ADMIN_PORT`; 0 is any free one.
    pub port: u16,
    /// `ADMIN_USERNAME`: the first operator's name.
    pub username: String,
    /// `ADMIN_PASSWORD`: the first operator's password; `None`: one is made and shown once.
    pub password: Option<Secret>,
    /// `ADMIN_INTERNAL_ADDRESS`, if it is set; see [`AdminConfig::internal_address_at`].
    pub internal_address: Option<String>,
    /// `LOG_LEVEL_CLUSTER`: how talkative the peers of new hosts' clusters are by default.
    pub cluster_log_level: LogLevel,
    /// `CLUSTER_FIRST_PORT`, `CLUSTER_PORTS_PER_SLOT`, `CLUSTER_END_PORT`, `CLUSTER_SUBNETS`
    pub layout: SlotLayout,
    /// `MAX_STARTS_PER_HOST`: the most container starts at once on one host.
    pub max_starts: usize,
    /// `POOL_MIX`
    pub pool_mix: PoolMix,
    /// `DEEP_PROBES`: whether free clusters are asked to commit a transaction now and then.
    pub deep_probes: bool,
    /// `SEAL_KEY`, `SEAL_KEY_OLD`: what credentials of hosts are sealed with.
    pub seal_keys: SealKeys,
    /// `TRUSTED_PROXIES`
    pub trusted_proxies: TrustedProxies,
}

/// Which flavors the pool is made of, and their shares; empty: all that ship, equally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolMix(pub Vec<FlavorShare>);

/// Weights are shares, so larger ones say nothing that smaller ones cannot.
const MAX_WEIGHT: u32 = 1000;

/// Ten full hosts' worth: a minimum beyond what the hosts hold is met as far as they do.
const MAX_MINIMUM: u32 = 10_000;

impl AdminConfig {
    /// Reads all of it, or says which variable is wrong.
    pub fn read(source: &Source) -> Result<AdminConfig, ConfigError> {
        Ok(AdminConfig {
            common: CommonConfig::read(source)?,
            bind: source.parsed("ADMIN_BIND", parse::bind)?.unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: source.parsed("ADMIN_PORT", parse::number(0..=u16::MAX))?.unwrap_or(8080),
            username: source
                .parsed("ADMIN_USERNAME", |text| check_username(text).map(|()| text.to_owned()).map_err(|why| why.0))?
                .unwrap_or_else(|| "admin".to_owned()),
            password: source.parsed("ADMIN_PASSWORD", password)?,
            internal_address: source.parsed("ADMIN_INTERNAL_ADDRESS", http_origin)?,
            cluster_log_level: source
                .parsed("LOG_LEVEL_CLUSTER", |text| LogLevel::parse(text).map_err(|refusal| refusal.0))?
                .unwrap_or_default(),
            layout: layout(source)?,
            max_starts: source.parsed("MAX_STARTS_PER_HOST", parse::number(1..=64))?.unwrap_or(8),
            pool_mix: source.parsed("POOL_MIX", PoolMix::parse)?.unwrap_or_default(),
            deep_probes: source.parsed("DEEP_PROBES", parse::truth)?.unwrap_or(false),
            seal_keys: SealKeys::read(source)?,
            trusted_proxies: source.parsed("TRUSTED_PROXIES", TrustedProxies::parse)?.unwrap_or_default(),
        })
    }

    /// Where app finds `/internal`: what is set, else the address that admin listens on. One that listens everywhere
    /// is told as loopback with SQLite, which is one machine's; with MongoDB by the machine's name, which is how containers
    /// find each other. Elsewhere that name must resolve, or `ADMIN_INTERNAL_ADDRESS` be set.
    pub fn internal_address_at(&self, bound: SocketAddr) -> String {
        if let Some(address) = &self.internal_address {
            return address.clone();
        }
        if let (true, StoreTarget::Mongo { .. }, Some(name)) =
            (bound.ip().is_unspecified(), &self.common.store, host_name())
        {
            return format!("http://{name}:{}", bound.port());
        }
        let ip = match bound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, bound.port()))
    }
}

/// This machine's name, if it can be part of a URL.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let ok = (1..=253).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    ok.then(|| name.to_owned())
}

fn password(text: &str) -> Result<Secret, String> {
    let ok = (12..=256).contains(&text.chars().count());
    if ok { Ok(Secret::new(text)) } else { Err("must have 12 to 256 characters".into()) }
}

fn http_origin(text: &str) -> Result<String, String> {
    let refuse = || "must be http://HOST:PORT, nothing after it".to_owned();
    let url = url::Url::parse(text).map_err(|_| refuse())?;
    let plain = url.scheme() == "http"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(text.trim_end_matches('/').to_owned()) } else { Err(refuse()) }
}

fn layout(source: &Source) -> Result<SlotLayout, ConfigError> {
    let usual = SlotLayout::default();
    let first_port = source.parsed("CLUSTER_FIRST_PORT", parse::number(1024..=65535))?.unwrap_or(usual.first_port);
    let ports_per_slot =
        source.parsed("CLUSTER_PORTS_PER_SLOT", parse::number(10..=1000))?.unwrap_or(usual.ports_per_slot);
    let end_port = source.parsed("CLUSTER_END_PORT", parse::number(1025..=65535))?.unwrap_or(usual.end_port);
    let subnets = source.parsed("CLUSTER_SUBNETS", subnets)?.unwrap_or(usual.subnets);
    let layout = SlotLayout { first_port, ports_per_slot, end_port, subnets };
    if layout.slots() == 0 {
        return Err(source.refuse(
            "CLUSTER_END_PORT",
            &format!("({end_port}) must leave room for a block of {ports_per_slot} ports from {first_port} on"),
        ));
    }
    Ok(layout)
}

fn subnets(text: &str) -> Result<SubnetRange, String> {
    let refuse = || "must be a private IPv4 range of at least a /24, such as 10.212.0.0/14".to_owned();
    let net: ipnet::Ipv4Net = text.parse().map_err(|_| refuse())?;
    let private = net.network().is_private() && net.broadcast().is_private();
    if private && (8..=24).contains(&net.prefix_len()) && net.addr() == net.network() {
        Ok(SubnetRange(net))
    } else {
        Err(refuse())
    }
}

impl PoolMix {
    /// Takes `FLAVOR=WEIGHT,FLAVOR=WEIGHT:MINIMUM`; a flavor without a weight has 1, one without a minimum 0.
    pub fn parse(text: &str) -> Result<PoolMix, String> {
        let refuse = |why: String| {
            format!(
                "must be FLAVOR=WEIGHT,... or FLAVOR=WEIGHT:MINIMUM,... with weights from 0 to {MAX_WEIGHT} and minimums of free ones from 0 to {MAX_MINIMUM}, such as fabric-0.6-pbft-batch-4=2:3,fabric-0.6-noops-4=1: {why}"
            )
        };
        let mut mix: Vec<FlavorShare> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (flavor, numbers) = part.split_once('=').unwrap_or((part, "1"));
            let (weight, minimum) = numbers.split_once(':').unwrap_or((numbers, "0"));
            let flavor = FlavorId::parse(flavor.trim()).map_err(|refusal| refuse(format!("{flavor:?} {refusal}")))?;
            let weight = parse::number(0..=MAX_WEIGHT)(weight.trim())
                .map_err(|_| refuse(format!("{weight:?} is not a weight")))?;
            let min_free = parse::number(0..=MAX_MINIMUM)(minimum.trim())
                .map_err(|_| refuse(format!("{minimum:?} is not a minimum")))?;
            if mix.iter().any(|share| share.flavor == flavor) {
                return Err(refuse(format!("{flavor} is there twice")));
            }
            mix.push(FlavorShare { flavor, weight, min_free });
        }
        if !mix.is_empty() && mix.iter().all(|share| share.weight == 0 && share.min_free == 0) {
            return Err(refuse("every weight is 0 and no minimum is asked for, so nothing would be made".into()));
        }
        Ok(PoolMix(mix))
    }

    /// Refuses a flavor that is not among those that there are: a misspelt one would leave the pool short without a word.
    pub fn check(&self, known: &[FlavorId]) -> Result<(), ConfigError> {
        let Some(unknown) = self.0.iter().map(|share| &share.flavor).find(|flavor| !known.contains(flavor)) else {
            return Ok(());
        };
        let known: Vec<&str> = known.iter().map(FlavorId::as_str).collect();
        Err(ConfigError(format!("POOL_MIX names {unknown}, which is no flavor; these are: {}", known.join(", "))))
    }
}

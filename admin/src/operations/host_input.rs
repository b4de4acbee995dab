//! The fields of a host as somebody gave them, and their parsing; pure. Every fault is found, not only the first.

use std::net::IpAddr;

use common::model::{DaemonUrl, FlavorId, Host, HostName, HostSettings, InvalidText, LogLevel, LogTarget, SlotLayout};

use super::{Fault, mix_text, parse_mix};

/// The fields of a host as texts, as a form has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostInput {
    /// What operators call it.
    pub name: String,
    /// How admin reaches Docker.
    pub daemon_url: String,
    /// How users reach its clusters; empty: the host of the daemon URL.
    pub address: String,
    /// Where ports are published; empty: everywhere.
    pub bind_address: String,
    /// How many clusters.
    pub capacity: String,
    /// How talkative the peers are.
    pub log_level: String,
    /// `local` or `syslog`.
    pub log_type: String,
    /// The syslog server.
    pub log_server: String,
    /// Whether it is given clusters and its clusters are given out.
    pub schedulable: bool,
    /// Whether it is kept full.
    pub autofill: bool,
    /// Which flavors it is filled with, `FLAVOR=WEIGHT:MIN_FREE, ...`; empty: the pool's mix.
    pub mix: String,
    /// What peers may start chaincode with; empty: none.
    pub chaincode_endpoint: String,
}

/// Where the containers' logs go, without the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogType {
    /// Files on the host.
    Local,
    /// A server.
    Syslog,
}

impl LogType {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            LogType::Local => "local",
            LogType::Syslog => "syslog",
        }
    }
}

impl HostInput {
    /// What the form for a new host begins with.
    pub fn blank(log_level: LogLevel) -> HostInput {
        HostInput {
            name: String::new(),
            daemon_url: String::new(),
            address: String::new(),
            bind_address: "0.0.0.0".into(),
            capacity: "5".into(),
            log_level: log_level.as_str().into(),
            log_type: LogType::Local.as_str().into(),
            log_server: String::new(),
            schedulable: true,
            autofill: true,
            mix: String::new(),
            chaincode_endpoint: String::new(),
        }
    }

    /// What the form for a host that is there begins with.
    pub fn of(host: &Host) -> HostInput {
        let settings = &host.settings;
        let (log_type, log_server) = match &settings.log_target {
            LogTarget::Local => (LogType::Local, String::new()),
            LogTarget::Syslog { server } => (LogType::Syslog, server.clone()),
        };
        HostInput {
            name: settings.name.to_string(),
            daemon_url: settings.daemon_url.to_string(),
            address: settings.address.clone(),
            bind_address: settings.bind_address.to_string(),
            capacity: settings.capacity.to_string(),
            log_level: settings.log_level.as_str().into(),
            log_type: log_type.as_str().into(),
            log_server,
            schedulable: settings.schedulable,
            autofill: settings.autofill,
            mix: mix_text(&settings.mix),
            chaincode_endpoint: settings.chaincode_endpoint.clone().unwrap_or_default(),
        }
    }

    /// The settings, or everything that is wrong with them, in the order of the form.
    pub fn parse(
        &self,
        layout: &SlotLayout,
        flavors: &[FlavorId],
        clusters_now: usize,
    ) -> Result<HostSettings, Vec<Fault>> {
        let mut faults = Vec::new();
        let name = take(&mut faults, "name", HostName::parse(&self.name));
        let daemon_url = take(&mut faults, "daemon_url", DaemonUrl::parse(&self.daemon_url));
        let address = match (self.address.as_str(), &daemon_url) {
            ("", None) => None,
            ("", Some(url)) => match url.host() {
                Some(host) => take(&mut faults, "address", common::model::parse_address(host)),
                None => {
                    let why = "is needed with unix://: the IP address or name by which users reach this machine";
                    faults.push(Fault::new("address", why));
                    None
                }
            },
            (text, _) => take(&mut faults, "address", common::model::parse_address(text)),
        };
        let bind_address = take(&mut faults, "bind_address", parse_bind(&self.bind_address));
        let capacity = take(&mut faults, "capacity", parse_capacity(&self.capacity, layout, clusters_now));
        let log_level = take(&mut faults, "log_level", LogLevel::parse(&self.log_level));
        let log_target = self.parse_log_target(&mut faults);
        let mix = take(&mut faults, "mix", parse_mix(&self.mix, flavors, capacity));
        let chaincode_endpoint = take(&mut faults, "chaincode_endpoint", parse_endpoint(&self.chaincode_endpoint));
        match (name, daemon_url, address, bind_address, capacity, log_level, log_target, mix, chaincode_endpoint) {
            (
                Some(name),
                Some(daemon_url),
                Some(address),
                Some(bind_address),
                Some(capacity),
                Some(log_level),
                Some(log_target),
                Some(mix),
                Some(chaincode_endpoint),
            ) => Ok(HostSettings {
                name,
                daemon_url,
                address,
                bind_address,
                capacity,
                log_level,
                log_target,
                schedulable: self.schedulable,
                autofill: self.autofill,
                mix,
                chaincode_endpoint,
            }),
            _ => Err(faults),
        }
    }

    fn parse_log_target(&self, faults: &mut Vec<Fault>) -> Option<LogTarget> {
        match self.log_type.as_str() {
            "local" if self.log_server.is_empty() => Some(LogTarget::Local),
            "local" => {
                faults.push(Fault::new("log_server", "is only for the log type syslog; leave it empty with local"));
                None
            }
            "syslog" => {
                let server = take(faults, "log_server", parse_log_server(&self.log_server))?;
                Some(LogTarget::Syslog { server })
            }
            _ => {
                faults.push(Fault::new("log_type", "must be local or syslog"));
                None
            }
        }
    }
}

fn take<T>(faults: &mut Vec<Fault>, field: &str, parsed: Result<T, InvalidText>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(InvalidText(reason)) => {
            faults.push(Fault::new(field, reason));
            None
        }
    }
}

fn parse_bind(text: &str) -> Result<IpAddr, InvalidText> {
    if text.is_empty() {
        return Ok(IpAddr::from([0, 0, 0, 0]));
    }
    let refuse = |why: &str| InvalidText(why.to_owned());
    let address: IpAddr =
        text.parse().map_err(|_| refuse("must be an IP address of the host, such as 0.0.0.0 for all of them"))?;
    if address.is_multicast() { Err(refuse("may not be a multicast address")) } else { Ok(address) }
}

fn parse_capacity(text: &str, layout: &SlotLayout, clusters_now: usize) -> Result<u16, InvalidText> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(InvalidText(format!("must be a whole number from 0 to {}", layout.slots())));
    }
    // What does not fit the type is beyond every limit, and is refused with the limit's own words.
    let capacity = text.parse().unwrap_or(u16::MAX);
    HostSettings::check_capacity(capacity, layout, clusters_now).map_err(|InvalidText(why)| {
        let hint =
            if usize::from(capacity) < clusters_now { "; turn \"keep filled\" off and delete some first" } else { "" };
        InvalidText(format!("{why}{hint}"))
    })
}

fn parse_log_server(text: &str) -> Result<String, InvalidText> {
    let refuse = || InvalidText("must be tcp://HOST:PORT or udp://HOST:PORT".into());
    let rest = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("udp://")).ok_or_else(refuse)?;
    // The same shape as a daemon's URL, so the same rules; the scheme is put back as it was.
    match DaemonUrl::parse(&format!("tcp://{rest}")) {
        Ok(url) => Ok(format!("{}{}", &text[..6], url.to_string().trim_start_matches("tcp://"))),
        Err(_) => Err(refuse()),
    }
}

/// Peers of Fabric take `unix:///path`, `tcp://HOST:PORT` and `http://HOST:PORT`.
fn parse_endpoint(text: &str) -> Result<Option<String>, InvalidText> {
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = || InvalidText("must be unix:///PATH, tcp://HOST:PORT or http://HOST:PORT, or empty for none".into());
    if text.starts_with("unix://") || text.starts_with("tcp://") {
        return DaemonUrl::parse(text).map(|url| Some(url.to_string())).map_err(|_| refuse());
    }
    let rest = text.strip_prefix("http://").ok_or_else(refuse)?;
    match DaemonUrl::parse(&format!("tcp://{rest}")) {
        Ok(url) => Ok(Some(url.to_string().replacen("tcp://", "http://", 1))),
        Err(_) => Err(refuse()),
    }
}

//! What a container was asked to be: the body of its create call, as far as the engine acts on it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::labels::Labels;
use crate::error::{ApiError, ApiResult};
use crate::intern::intern;

/// The parsed body, and what is shown of it.
#[derive(Debug)]
pub(crate) struct Spec {
    /// All of the body but [`APART`], as JSON: the same for most containers, so it is held once.
    rest: Arc<str>,
    pub(crate) body: Body,
}

/// The part of the body that the engine acts on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Body {
    #[serde(deserialize_with = "text")]
    pub(crate) image: Arc<str>,
    #[serde(deserialize_with = "words")]
    pub(crate) cmd: Option<Vec<String>>,
    #[serde(deserialize_with = "words")]
    pub(crate) entrypoint: Option<Vec<String>>,
    #[serde(deserialize_with = "texts")]
    pub(crate) env: Box<[Arc<str>]>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) labels: Labels,
    #[serde(deserialize_with = "texts_of_keys")]
    pub(crate) exposed_ports: Box<[Arc<str>]>,
    #[serde(deserialize_with = "keys")]
    pub(crate) volumes: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) tty: bool,
    pub(crate) healthcheck: Option<Healthcheck>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) host_config: HostConfig,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) networking_config: NetworkingConfig,
}

/// Container port to the places where it is published.
pub(crate) type Bindings = Box<[(Arc<str>, Box<[PortBinding]>)]>;

/// `HostConfig`, as far as the engine acts on it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct HostConfig {
    #[serde(deserialize_with = "text")]
    pub(crate) network_mode: Arc<str>,
    #[serde(deserialize_with = "bindings")]
    pub(crate) port_bindings: Bindings,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) restart_policy: RestartPolicy,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) auto_remove: bool,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) binds: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) mounts: Vec<MountRequest>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) memory: i64,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) memory_swap: i64,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) nano_cpus: i64,
    pub(crate) pids_limit: Option<i64>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) log_config: LogConfig,
}

/// Where a port is to be published.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PortBinding {
    #[serde(deserialize_with = "text")]
    pub(crate) host_ip: Arc<str>,
    #[serde(deserialize_with = "text")]
    pub(crate) host_port: Arc<str>,
}

/// When to start again.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RestartPolicy {
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) maximum_retry_count: u64,
}

/// An entry of `Mounts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct MountRequest {
    #[serde(rename = "Type", deserialize_with = "null_is_default")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) source: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) target: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) read_only: bool,
    /// For a volume that is not there and is made with the container.
    pub(crate) volume_options: Option<Box<VolumeOptions>>,
}

/// How a volume is made with a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct VolumeOptions {
    pub(crate) labels: Option<Labels>,
}

/// Where the output goes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "null_is_default")]
    pub(crate) driver: String,
}

/// The container's own check; times in nanoseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Healthcheck {
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) test: Vec<String>,
}

/// Networks to join at the start.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct NetworkingConfig {
    #[serde(deserialize_with = "pairs")]
    pub(crate) endpoints_config: Vec<(String, EndpointRequest)>,
}

/// How to join one network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointRequest {
    pub(crate) aliases: Option<Vec<String>>,
    #[serde(rename = "IPAMConfig")]
    pub(crate) ipam_config: Option<Value>,
}

impl EndpointRequest {
    /// The address that was asked for.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        self.ipam_config.as_ref()?.get("IPv4Address")?.as_str()?.parse().ok()
    }
}

impl Spec {
    /// Reads a create call's body; the errors are Docker's.
    pub(crate) fn parse(raw: &str) -> ApiResult<Self> {
        if raw.trim().is_empty() {
            return Err(ApiError::broken("EOF"));
        }
        let whole: Value = serde_json::from_str(raw)
            .map_err(|error| ApiError::broken(format!("invalid character in JSON: {error}")))?;
        let body = Body::deserialize(&whole);
        let body = body.map_err(|error| ApiError::bad(format!("json: cannot unmarshal: {error}")))?;
        Ok(Self { rest: intern(&rest_of(whole, &body)), body })
    }

    /// The body as it came, but for labels and networks, which are shown as they are.
    pub(crate) fn given(&self) -> Map<String, Value> {
        let mut given: Map<String, Value> = serde_json::from_str(&self.rest).unwrap_or_default();
        if !self.body.env.is_empty() {
            given.insert("Env".to_owned(), self.body.env.iter().map(|pair| Value::from(&**pair)).collect());
        }
        let host = given.entry("HostConfig").or_insert_with(|| Map::new().into());
        if let Some(host) = host.as_object_mut() {
            let config = &self.body.host_config;
            if !config.network_mode.is_empty() {
                host.insert("NetworkMode".to_owned(), (&*config.network_mode).into());
            }
            if !config.port_bindings.is_empty() {
                let bindings = config.port_bindings.iter().map(|(port, to)| (port.to_string(), json!(to)));
                host.insert("PortBindings".to_owned(), bindings.collect());
            }
        }
        given
    }

    /// The value of an environment variable that the container itself was given.
    pub(crate) fn env(&self, name: &str) -> Option<&str> {
        self.body.env.iter().rev().find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name)).map(|(_, v)| v)
    }

    /// The same as a number of milliseconds.
    pub(crate) fn env_millis(&self, name: &str) -> Option<Duration> {
        self.env(name)?.parse().ok().map(Duration::from_millis)
    }
}

/// `8080/tcp` or `8080`.
pub(crate) fn port_and_protocol(text: &str) -> ApiResult<(u16, &str)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let port = port.parse().map_err(|_| ApiError::bad(format!("invalid port specification: \"{text}\"")))?;
    Ok((port, protocol))
}

/// The address in a port binding; what cannot be read means everywhere, as for the real engine.
pub(crate) fn binding_ip(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// What [`Spec`] keeps beside the rest: of the body, and of its `HostConfig`.
const APART: ([&str; 3], [&str; 2]) = (["Env", "Labels", "NetworkingConfig"], ["NetworkMode", "PortBindings"]);

/// The body without what is kept beside it.
fn rest_of(whole: Value, body: &Body) -> String {
    let Value::Object(mut rest) = whole else { return String::new() };
    if !body.env.is_empty() {
        rest.remove(APART.0[0]);
    }
    rest.retain(|key, _| !APART.0[1..].contains(&key.as_str()));
    let config = &body.host_config;
    if let Some(Value::Object(host)) = rest.get_mut("HostConfig") {
        let empty = [config.network_mode.is_empty(), config.port_bindings.is_empty()];
        for (key, _) in APART.1.into_iter().zip(empty).filter(|(_, empty)| !empty) {
            host.remove(key);
        }
    }
    Value::Object(rest).to_string()
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    Ok(intern(&Option::<String>::deserialize(from)?.unwrap_or_default()))
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[Arc<str>]>, D::Error> {
    let all = Option::<Vec<String>>::deserialize(from)?.unwrap_or_default();
    Ok(all.iter().map(|text| intern(text)).collect())
}

fn texts_of_keys<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[Arc<str>]>, D::Error> {
    Ok(keys(from)?.iter().map(|text| intern(text)).collect())
}

fn bindings<'de, D: Deserializer<'de>>(from: D) -> Result<Bindings, D::Error> {
    let all: Vec<(String, Vec<PortBinding>)> = pairs(from)?;
    Ok(all.into_iter().map(|(port, to)| (intern(&port), to.into())).collect())
}

/// The names of a set, in order. A list, because a map of one costs half a kilobyte, and there may be 200,000 of each.
fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let set = Option::<BTreeMap<String, IgnoredAny>>::deserialize(from)?.unwrap_or_default();
    Ok(set.into_keys().collect())
}

/// The entries of a map, in order; what is null has the default. A list for the same reason.
fn pairs<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<Vec<(String, T)>, D::Error> {
    let map = Option::<BTreeMap<String, Option<T>>>::deserialize(from)?.unwrap_or_default();
    Ok(map.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// A command may be one text or a list.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Words>::deserialize(from)?.map(|words| match words {
        Words::One(text) => vec![text],
        Words::Many(list) => list,
    }))
}

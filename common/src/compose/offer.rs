//! What a compose file offers, from its `x-poolmanager` block: endpoints, probes, how long its making may take.

use std::collections::BTreeMap;
use std::time::Duration;

use super::at::At;
use super::{ComposeError, DeepProbe, HttpProbe, JsonExpect, Placement, PlannedEndpoint, Protocol, ServiceSpec, deep};

const SCHEMES: [&str; 3] = ["http", "grpc", "tcp"];

/// Fabric is up in seconds; five minutes leave room for an image that has to be pulled.
const CREATE_WITHIN: Duration = Duration::from_secs(300);
/// A peer that does not answer a request without work in three seconds is ill.
pub(super) const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The block, read.
pub(super) struct Offer {
    pub endpoints: BTreeMap<String, PlannedEndpoint>,
    pub probes: Vec<HttpProbe>,
    pub deep: Option<DeepProbe>,
    pub create_within: Duration,
    pub offspring_prefixes: Vec<String>,
}

/// Reads the block; `services` are those of the file.
pub(super) fn read(at: &At<'_>, services: &[ServiceSpec], placement: &Placement) -> Result<Offer, ComposeError> {
    at.only(&["endpoints", "probes", "deep", "create_within", "offspring_prefixes"])?;
    let listed = at.needed("endpoints")?;
    let mut endpoints = BTreeMap::new();
    for (name, at) in listed.entries()? {
        let word = name.len() <= 40 && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !word {
            return at.refuse("an endpoint's name may have 1 to 40 lower-case letters, digits, '-' and '_'");
        }
        endpoints.insert(name.to_owned(), endpoint(&at, services)?);
    }
    if endpoints.is_empty() {
        return listed.refuse("must have at least one endpoint: users could reach nothing");
    }
    let mut probes = Vec::new();
    if let Some(list) = at.field("probes") {
        for item in list.items()? {
            probes.push(probe(&item, &endpoints)?);
        }
    }
    let deep = at.field("deep").map(|at| deep::read(&at, &endpoints)).transpose()?;
    let mut offspring_prefixes = Vec::new();
    if let Some(list) = at.field("offspring_prefixes") {
        for item in list.items()? {
            let prefix = item.text()?;
            // Whatever begins so is removed with the cluster: a prefix that others share would take theirs.
            if !prefix.starts_with(placement.cluster.as_str()) {
                return item.refuse("must begin with {{ cluster_id }}, which no other cluster has");
            }
            offspring_prefixes.push(prefix);
        }
    }
    let create_within = at.field("create_within").map_or(Ok(CREATE_WITHIN), |at| positive(&at))?;
    Ok(Offer { endpoints, probes, deep, create_within, offspring_prefixes })
}

pub(super) fn positive(at: &At<'_>) -> Result<Duration, ComposeError> {
    let duration = at.duration()?;
    if duration.is_zero() { at.refuse("must be longer than nothing") } else { Ok(duration) }
}

fn endpoint(at: &At<'_>, services: &[ServiceSpec]) -> Result<PlannedEndpoint, ComposeError> {
    at.only(&["service", "port", "scheme"])?;
    let named = at.needed("service")?;
    let name = named.text()?;
    let Some(service) = services.iter().find(|service| service.node.as_str() == name) else {
        return named.refuse(format!("there is no service {name:?}"));
    };
    let wanted = at.needed("port")?;
    let container_port = wanted.whole()?;
    let published = service
        .ports
        .iter()
        .find(|port| i64::from(port.container_port) == container_port && port.protocol == Protocol::Tcp);
    let Some(port) = published else {
        return wanted.refuse(format!("{name} does not publish its port {container_port}"));
    };
    let scheme = at.needed("scheme")?;
    let text = scheme.text()?;
    if !SCHEMES.contains(&text.as_str()) {
        return scheme.refuse(format!("must be one of {}", SCHEMES.join(", ")));
    }
    Ok(PlannedEndpoint { node: service.node.clone(), scheme: text, port: port.host_port })
}

fn probe(at: &At<'_>, endpoints: &BTreeMap<String, PlannedEndpoint>) -> Result<HttpProbe, ComposeError> {
    at.only(&["endpoint", "path", "timeout", "expect"])?;
    let (endpoint, path) = target(at, endpoints)?;
    let mut expect = Vec::new();
    if let Some(list) = at.field("expect") {
        for item in list.items()? {
            expect.push(expectation(&item)?);
        }
    }
    let timeout = at.field("timeout").map_or(Ok(PROBE_TIMEOUT), |at| positive(&at))?;
    Ok(HttpProbe { endpoint, path, timeout, expect })
}

/// Where a request goes: an http endpoint and a path there.
pub(super) fn target(
    at: &At<'_>,
    endpoints: &BTreeMap<String, PlannedEndpoint>,
) -> Result<(String, String), ComposeError> {
    let named = at.needed("endpoint")?;
    let name = named.text()?;
    match endpoints.get(&name) {
        None => return named.refuse(format!("there is no endpoint {name:?}")),
        Some(endpoint) if endpoint.scheme != "http" => return named.refuse("is not an http endpoint"),
        Some(_) => {}
    }
    let path = at.needed("path")?;
    let text = path.text()?;
    if !text.starts_with('/') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return path.refuse("must begin with / and have no spaces");
    }
    Ok((name, text))
}

pub(super) fn pointer(at: &At<'_>) -> Result<String, ComposeError> {
    let pointer = at.text()?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return at.refuse("must be a JSON pointer: empty, or beginning with /");
    }
    Ok(pointer)
}

pub(super) fn expectation(at: &At<'_>) -> Result<JsonExpect, ComposeError> {
    const KINDS: &str = "must have one of length, at_least, equals";
    at.only(&["pointer", "length", "at_least", "equals"])?;
    let pointer = pointer(&at.needed("pointer")?)?;
    match (at.field("length"), at.field("at_least"), at.field("equals")) {
        (Some(length), None, None) => {
            let is = u64::try_from(length.whole()?).or_else(|_| length.refuse("must not be negative"))?;
            Ok(JsonExpect::Length { pointer, is })
        }
        (None, Some(value), None) => Ok(JsonExpect::AtLeast { pointer, value: value.number()? }),
        (None, None, Some(value)) => Ok(JsonExpect::Equals { pointer, value: value.value.clone() }),
        _ => at.refuse(KINDS),
    }
}

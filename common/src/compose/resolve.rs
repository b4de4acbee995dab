//! From a rendered, interpolated compose file to the project: checks what the file says as a whole.

use std::collections::BTreeMap;

use super::at::At;
use super::service::{self, Around};
use super::{ComposeError, NetworkSpec, Placement, Project, ServiceSpec, VolumeSpec, fields, names, offer, order};
use crate::model::{HostKind, NodeName};

/// Reads the whole file.
pub(super) fn project(file: &At<'_>, placement: &Placement) -> Result<Project, ComposeError> {
    fields::of_file(file)?;
    let listed = file.needed("services")?;
    let listed_services = listed.entries()?;
    if listed_services.is_empty() {
        return listed.refuse("must have at least one service");
    }
    let mut nodes = Vec::new();
    for (name, at) in &listed_services {
        let parsed = NodeName::parse(name);
        nodes.push(parsed.or_else(|why| at.refuse(format!("a service's name {why}")))?);
    }
    let volumes = volumes(file, &placement.project)?;
    let declared = networks(file, placement)?;
    let around = Around { placement, nodes: &nodes, networks: &declared, volumes: &volumes };
    let mut services = Vec::new();
    for (node, (_, at)) in nodes.iter().zip(&listed_services) {
        services.push(service::read(node, at, &around)?);
    }
    ports_once(&services)?;
    let networks = used_networks(declared, &services, placement)?;
    let services = order::by_dependency(services)?;
    let offer = offer::read(&file.needed("x-poolmanager")?, &services, placement)?;
    Ok(Project {
        name: placement.project.clone(),
        networks,
        volumes,
        services,
        endpoints: offer.endpoints,
        probes: offer.probes,
        deep_probe: offer.deep,
        create_within: offer.create_within,
        offspring_prefixes: offer.offspring_prefixes,
    })
}

/// Labels of the file. Those of Docker, Compose and ours are for the engine to set.
pub(super) fn labels(at: &At<'_>) -> Result<BTreeMap<String, String>, ComposeError> {
    let Some(labels) = at.field("labels") else { return Ok(BTreeMap::new()) };
    let mut all = BTreeMap::new();
    for (key, value) in service::pairs(&labels, "=")? {
        if key.starts_with("com.docker.") || key.contains("poolmanager") {
            return labels.refuse(format!("{key:?} is a label that clusters are found by; choose another"));
        }
        all.insert(key, value.unwrap_or_default());
    }
    Ok(all)
}

fn volumes(file: &At<'_>, project: &str) -> Result<Vec<VolumeSpec>, ComposeError> {
    let Some(listed) = file.field("volumes") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (key, at) in listed.entries()? {
        fields::of_volume(&at)?;
        object_key(key, &at)?;
        if let Some(driver) = at.field("driver")
            && driver.text()? != "local"
        {
            return driver.refuse("must be local: another keeps data outside of the host");
        }
        all.push(VolumeSpec { key: key.to_owned(), name: names::object(project, key), labels: labels(&at)? });
    }
    Ok(all)
}

fn networks(file: &At<'_>, placement: &Placement) -> Result<Vec<NetworkSpec>, ComposeError> {
    let Some(listed) = file.field("networks") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (key, at) in listed.entries()? {
        fields::of_network(&at)?;
        object_key(key, &at)?;
        let mut network = network(key, placement);
        if let Some(driver) = at.field("driver")
            && driver.text()? != network.driver
        {
            return driver.refuse(format!("must be {} on this kind of host; leave it out", network.driver));
        }
        network.internal = at.field("internal").map_or(Ok(false), |flag| flag.flag())?;
        network.labels = labels(&at)?;
        all.push(network);
    }
    Ok(all)
}

fn network(key: &str, placement: &Placement) -> NetworkSpec {
    let driver = match placement.kind {
        HostKind::Single => "bridge",
        HostKind::Swarm => "overlay",
    };
    NetworkSpec {
        key: key.to_owned(),
        name: names::object(&placement.project, key),
        driver: driver.to_owned(),
        subnet: None,
        internal: false,
        labels: BTreeMap::new(),
    }
}

/// Keys become parts of names on the engine.
fn object_key(key: &str, at: &At<'_>) -> Result<(), ComposeError> {
    let word = key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
    if word && key.len() <= 32 {
        return Ok(());
    }
    at.refuse("a name here may have 1 to 32 lower-case letters, digits, '-', '_' and '.'")
}

/// The networks of the file, and before them the one that services without networks share. The first gets the subnet.
fn used_networks(
    declared: Vec<NetworkSpec>,
    services: &[ServiceSpec],
    placement: &Placement,
) -> Result<Vec<NetworkSpec>, ComposeError> {
    let used = |key: &str| services.iter().any(|service| service.networks.contains_key(key));
    let mut all = Vec::new();
    if used(names::DEFAULT_NETWORK) && declared.iter().all(|network| network.key != names::DEFAULT_NETWORK) {
        all.push(network(names::DEFAULT_NETWORK, placement));
    }
    for network in declared {
        if !used(&network.key) {
            return Err(ComposeError::new(format!("networks.{}", network.key), "no service is on it; leave it out"));
        }
        all.push(network);
    }
    if let Some(first) = all.first_mut() {
        first.subnet = Some(placement.subnet);
    }
    Ok(all)
}

fn ports_once(services: &[ServiceSpec]) -> Result<(), ComposeError> {
    let mut taken = BTreeMap::new();
    for service in services {
        for port in &service.ports {
            let key = (port.host_port, port.protocol == super::Protocol::Udp);
            if let Some(other) = taken.insert(key, &service.node) {
                let message = format!("host port {} is published by {other} already", port.host_port);
                return Err(ComposeError::new(format!("services.{}.ports", service.node), message));
            }
        }
    }
    Ok(())
}

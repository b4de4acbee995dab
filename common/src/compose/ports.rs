//! Published ports: where the template wants them, held against the slot's block.

use super::at::At;
use super::{ComposeError, ContainerPort, Placement, Protocol};

/// The ports that a service publishes.
pub(super) fn read(service: &At<'_>, placement: &Placement) -> Result<Vec<ContainerPort>, ComposeError> {
    let Some(listed) = service.field("ports") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for item in listed.items()? {
        let wanted = if item.value.is_object() { vec![long(&item)?] } else { short(&item)? };
        for (host_port, container_port, protocol) in wanted {
            let block = placement.ports;
            if !block.contains(host_port) {
                let last = u32::from(block.first) + u32::from(block.count.saturating_sub(1));
                return item.refuse(format!(
                    "host port {host_port} is outside of the slot's block {}-{last}; write {{{{ port_base + N }}}}",
                    block.first
                ));
            }
            if container_port == 0 {
                return item.refuse("a container's port is 1 to 65535");
            }
            all.push(ContainerPort { host_ip: placement.bind_address, host_port, container_port, protocol });
        }
    }
    Ok(all)
}

const NO_HOST_PORT: &str = "names no host port, and one that the engine chooses is in nobody's block";
const HOST_IP: &str = "must not name an address: the host's bind address is taken";

/// `HOST:CONTAINER`, `HOST-HOST:CONTAINER-CONTAINER`, `.../udp`. Read here, because the compose-spec crate panics on
/// a range that goes down and on one of all ports.
fn short(at: &At<'_>) -> Result<Vec<(u16, u16, Protocol)>, ComposeError> {
    let text = at.text()?;
    let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let protocol = protocol_of(protocol, at)?;
    let Some((host, container)) = ports.rsplit_once(':') else { return at.refuse(NO_HOST_PORT) };
    if host.contains([':', '.']) {
        return at.refuse(HOST_IP);
    }
    if host.is_empty() {
        return at.refuse(NO_HOST_PORT);
    }
    let (Some(host), Some(container)) = (range(host), range(container)) else {
        return at.refuse("must be HOST:CONTAINER, ports or ranges of ports");
    };
    if host.len() != container.len() {
        return at.refuse("has ranges of different length");
    }
    Ok(host.zip(container).map(|(host, container)| (host, container, protocol)).collect())
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

fn protocol_of(text: &str, at: &At<'_>) -> Result<Protocol, ComposeError> {
    match text {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => at.refuse("must be tcp or udp"),
    }
}

fn long(at: &At<'_>) -> Result<(u16, u16, Protocol), ComposeError> {
    if let Some(address) = at.field("host_ip") {
        return address.refuse(HOST_IP);
    }
    at.only(&["target", "published", "protocol", "mode"])?;
    if let Some(mode) = at.field("mode")
        && mode.text()? != "host"
    {
        return mode.refuse("must be host: the port is on the machine that runs the container");
    }
    let protocol = at.field("protocol").map_or(Ok(Protocol::Tcp), |at| protocol_of(&at.text()?, &at))?;
    let number = |at: At<'_>| at.whole().and_then(|n| u16::try_from(n).or_else(|_| at.refuse("is no port")));
    let Some(published) = at.field("published") else { return at.refuse(NO_HOST_PORT) };
    Ok((number(published)?, number(at.needed("target")?)?, protocol))
}

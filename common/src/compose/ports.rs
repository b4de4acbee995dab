//! Published ports: where the template wants them, held against the slot's block.

use compose_spec::service::ports::{Protocol as SpecProtocol, ShortPort};

use super::at::{At, chain};
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

/// `HOST:CONTAINER`, `HOST-HOST:CONTAINER-CONTAINER`, `.../udp`.
fn short(at: &At<'_>) -> Result<Vec<(u16, u16, Protocol)>, ComposeError> {
    let text = at.text()?;
    // The crate overflows on a range of all ports; one that ends at the last is in no block anyway.
    if text.split([':', '/']).any(|part| part.ends_with("-65535")) {
        return at.refuse("a range may not end at 65535");
    }
    let port: ShortPort = text.parse().or_else(|error| at.refuse(chain(&error)))?;
    if port.host_ip.is_some() {
        return at.refuse(HOST_IP);
    }
    let protocol = match &port.protocol {
        None | Some(SpecProtocol::Tcp) => Protocol::Tcp,
        Some(SpecProtocol::Udp) => Protocol::Udp,
        Some(SpecProtocol::Other(_)) => return at.refuse("must be tcp or udp"),
    };
    let pair = |(host, container): (Option<u16>, u16)| match host {
        Some(host) => Ok((host, container, protocol)),
        None => at.refuse(NO_HOST_PORT),
    };
    port.ranges.into_iter().map(pair).collect()
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
    let protocol = match at.field("protocol").map(|at| at.text()).transpose()?.as_deref() {
        None | Some("tcp") => Protocol::Tcp,
        Some("udp") => Protocol::Udp,
        Some(_) => return at.refuse("protocol must be tcp or udp"),
    };
    let number = |at: At<'_>| at.whole().and_then(|n| u16::try_from(n).or_else(|_| at.refuse("is no port")));
    let Some(published) = at.field("published") else { return at.refuse(NO_HOST_PORT) };
    Ok((number(published)?, number(at.needed("target")?)?, protocol))
}

//! Where the others reach this peer, when it is not told (`CORE_PEER_ADDRESSAUTODETECT`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};

/// The address it listens on, if that is one; else that of its host name, which Docker writes into the container's
/// hosts file; else the one that packets would leave from.
pub fn seen_by_others(listening: SocketAddr) -> SocketAddr {
    if !listening.ip().is_unspecified() {
        return listening;
    }
    let ip = by_host_name().or_else(by_route).unwrap_or(Ipv4Addr::LOCALHOST.into());
    SocketAddr::new(ip, listening.port())
}

fn by_host_name() -> Option<IpAddr> {
    let name = std::fs::read_to_string("/etc/hostname").ok()?;
    let addresses = (name.trim(), 0).to_socket_addrs().ok()?;
    addresses.map(|address| address.ip()).find(|ip| ip.is_ipv4() && !ip.is_loopback())
}

fn by_route() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Sends nothing: it only makes the kernel choose. The address is one reserved for documentation.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

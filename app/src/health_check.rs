//! Asks a running server whether it is ready: what a container's own check runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};

/// Longer than `/readyz` itself may take.
const DEADLINE: Duration = Duration::from_secs(3);

/// `Ok` if the server that listens at this address is ready. One that listens everywhere is asked on loopback.
pub async fn health_check(listens: SocketAddr) -> anyhow::Result<()> {
    ensure!(listens.port() != 0, "APP_PORT is 0, so the port of the running server is not known here");
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}/readyz", SocketAddr::new(ip, listens.port()));
    let client = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().context("making a client")?;
    let answer = client.get(&url).send().await.with_context(|| format!("GET {url}"))?;
    ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(())
}

//! A thousand hosts with fifty clusters of four peers in one process, under the descriptor limit.

use std::sync::Arc;
use std::time::Instant;

use simdocker::{Listen, PortMode, SharedPorts, SimHost, SimOptions};

use crate::support::{listed, peer_body, port};

const HOSTS: usize = 1000;
const CLUSTERS: u16 = 50;
const PEERS: u16 = 4;
/// Processes are given 1024 descriptors by default.
const DESCRIPTORS: usize = 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_hosts_with_fifty_clusters_each_fit_under_the_descriptor_limit() {
    let start = Instant::now();
    let shared = SharedPorts::default();
    let (api, first) = free_ports();
    let mut hosts = Vec::new();
    for _ in 0..HOSTS {
        let options = SimOptions { ports: PortMode::Shared(shared.clone()), ..SimOptions::fresh() };
        hosts.push(Arc::new(SimHost::start(SimOptions { listen: Listen::Shared(api), ..options }).await.unwrap()));
    }
    let calls = Arc::new(calls(first));
    let parts: Vec<_> =
        hosts.chunks(HOSTS.div_ceil(4)).map(|some| tokio::spawn(fill(some.to_vec(), calls.clone()))).collect();
    for part in parts {
        part.await.unwrap();
    }
    let filled = start.elapsed();
    assert_eq!(shared.listeners(), usize::from(CLUSTERS * PEERS) + 1, "one for each port number and one for the API");
    // Other tests of this process have some, too.
    let used = descriptors();
    assert!(used < DESCRIPTORS, "{used} descriptors, {} MiB, filled in {filled:?}", resident_mib());
    // Any peer of any host answers, and knows its own three fellows.
    for host in hosts.iter().step_by(97) {
        assert_eq!(listed(host, first + 4 * 49 + 3).await, ["vp0", "vp1", "vp2", "vp3"]);
        let (status, _) = port(host, api, "/v1.41/_ping").await.unwrap();
        assert_eq!(status, 200);
    }
    let containers: usize = hosts.iter().map(|host| host.containers().len()).sum();
    assert_eq!(containers, HOSTS * usize::from(CLUSTERS * PEERS));
}

/// What fills one host, path and body; the same for all.
fn calls(first: u16) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for cluster in 0..CLUSTERS {
        let name = format!("h_{cluster}");
        let body = format!(r#"{{"Name":"{name}","IPAM":{{"Config":[{{"Subnet":"10.212.{cluster}.0/24"}}]}}}}"#);
        calls.push(("/networks/create".to_owned(), body));
        for number in 0..PEERS {
            let body = peer_body(&name, number, PEERS, first + cluster * PEERS + number).to_string();
            calls.push((format!("/containers/create?name={name}_vp{number}"), body));
            calls.push((format!("/containers/{name}_vp{number}/start"), String::new()));
        }
    }
    calls
}

async fn fill(hosts: Vec<Arc<SimHost>>, calls: Arc<Vec<(String, String)>>) {
    for host in &hosts {
        for (path, body) in calls.iter() {
            let (status, said) = host.call("POST", path, body).await;
            assert!(status < 300, "{path}: {status} {said}");
        }
    }
}

/// A port for the API, and the first of enough others below the kernel's ephemeral ones that nobody has.
fn free_ports() -> (u16, u16) {
    let needed = CLUSTERS * PEERS + 1;
    for first in (10_000..32_000 - needed).step_by(usize::from(needed)) {
        let all: Result<Vec<_>, _> =
            (first..first + needed).map(|port| std::net::TcpListener::bind(("0.0.0.0", port))).collect();
        if all.is_ok() {
            return (first, first + 1);
        }
    }
    panic!("no {needed} free ports in a row");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn hosts_that_share_a_port_are_told_apart_by_their_address() {
    let shared = SharedPorts::default();
    let (api, rest) = free_ports();
    let start = async || {
        let options = SimOptions { ports: PortMode::Shared(shared.clone()), ..SimOptions::fresh() };
        SimHost::start(SimOptions { listen: Listen::Shared(api), ..options }).await.unwrap()
    };
    let (one, two) = (start().await, start().await);
    for (host, peers) in [(&one, 2), (&two, 3)] {
        let body = r#"{"Name":"n","IPAM":{"Config":[{"Subnet":"10.1.1.0/24"}]}}"#;
        assert_eq!(host.call("POST", "/networks/create", body).await.0, 201);
        for number in 0..peers {
            let body = peer_body("n", number, peers, rest + number).to_string();
            assert_eq!(host.call("POST", &format!("/containers/create?name=n{number}"), &body).await.0, 201);
            assert_eq!(host.call("POST", &format!("/containers/n{number}/start"), "").await.0, 204);
        }
    }
    assert_eq!(listed(&one, rest).await.len(), 2);
    assert_eq!(listed(&two, rest).await.len(), 3);
    assert_eq!(one.call("POST", "/containers/n0/stop", "").await.0, 204);
    assert!(port(&one, rest, "/chain").await.is_err());
    assert!(port(&one, rest + 2, "/chain").await.is_err(), "published by the other host only");
    assert_eq!(port(&two, rest, "/chain").await.unwrap().0, 200);
    two.shutdown().await;
    one.shutdown().await;
    assert_eq!(shared.listeners(), 0);
}

//! Many hosts with fifty clusters of four peers each in one process: within the descriptor limit, and small.

use std::sync::Arc;
use std::time::Instant;

use simdocker::{Listen, PortMode, SharedPorts, SimHost, SimOptions};

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::{listed, peer_body, port};

/// A tenth of what was measured once (`docs/simdocker.md`); what one more host costs shows in these, too.
const HOSTS: usize = 100;
const CLUSTERS: u16 = 50;
const PEERS: u16 = 4;
/// Ports of one cluster: four of vp0, two of each other peer.
const PORTS: u16 = 10;
/// Processes are given 1024 descriptors by default.
const DESCRIPTORS: usize = 1024;
/// Resident for one host: 1.2 MiB and some room for what tests beside this one take.
const MOST_KIB: u64 = 1700;

#[tokio::test(flavor = "multi_thread")]
async fn more_hosts_with_fifty_clusters_each_need_little_memory_and_no_descriptors() {
    let (start, before) = (Instant::now(), resident_mib());
    let shared = SharedPorts::default();
    let (api, first) = free_ports();
    let mut hosts = Vec::new();
    for _ in 0..HOSTS {
        let options = SimOptions { ports: PortMode::Shared(shared.clone()), ..SimOptions::fresh() };
        hosts.push(Arc::new(SimHost::start(SimOptions { listen: Listen::Shared(api), ..options }).await.unwrap()));
    }
    let bodies = Arc::new((0..CLUSTERS).map(|number| cluster(number, first)).collect::<Vec<_>>());
    // One host first: from then on all port numbers are held, and no other program can take one.
    fill(hosts[..1].to_vec(), bodies.clone()).await;
    let fill_some = |some: &[Arc<SimHost>]| tokio::spawn(fill(some.to_vec(), bodies.clone()));
    let parts: Vec<_> = hosts[1..].chunks(HOSTS.div_ceil(4)).map(fill_some).collect();
    for part in parts {
        part.await.unwrap();
    }
    let filled = start.elapsed();
    assert_eq!(shared.listeners(), usize::from(CLUSTERS * PORTS) + 1, "one for each port number and one for the API");
    // Other tests of this process have some, too.
    let used = descriptors();
    assert!(used < DESCRIPTORS, "{used} descriptors, {} MiB, filled in {filled:?}", resident_mib());
    let of_each = (resident_mib() - before) * 1024 / (HOSTS as u64);
    assert!(of_each < MOST_KIB, "{of_each} KiB a host, filled in {filled:?}");
    // Any peer of any host answers, and knows its own three fellows.
    for host in hosts.iter().step_by(9) {
        assert_eq!(listed(host, first + PORTS * 49 + 8).await, ["vp0", "vp1", "vp2", "vp3"]);
        let (status, _) = port(host, api, "/v1.41/_ping").await.unwrap();
        assert_eq!(status, 200);
    }
    let containers: usize = hosts.iter().map(|host| host.containers().len()).sum();
    assert_eq!(containers, HOSTS * usize::from(CLUSTERS * PEERS));
}

/// Fills hosts with what PoolManager puts there: bodies of its size, in which ids differ from cluster to cluster.
async fn fill(hosts: Vec<Arc<SimHost>>, bodies: Arc<Vec<Cluster>>) {
    for host in &hosts {
        for (number, cluster) in bodies.iter().enumerate() {
            let id = format!("{:08x}{number:016x}", u32::from(host.address()));
            let name = format!("host-{}_{number}", &id[..8]);
            let body = cluster.network.replace(ID, &id).replace(NAME, &name);
            let (status, said) = host.call("POST", "/networks/create", &body).await;
            assert_eq!(status, 201, "{said}");
            let made: Value = serde_json::from_str(&said).unwrap();
            let network = made["Id"].as_str().unwrap();
            for (peer, body) in cluster.peers.iter().enumerate() {
                let body = body.replace(ID, &id).replace(NAME, &name).replace(NETWORK, network);
                let (status, said) =
                    host.call("POST", &format!("/containers/create?name={name}-vp{peer}-1"), &body).await;
                assert_eq!(status, 201, "{said}");
                let (status, said) = host.call("POST", &format!("/containers/{name}-vp{peer}-1/start"), "").await;
                assert_eq!(status, 204, "{said}");
            }
        }
    }
}

/// What is asked for one cluster, with words for what each has of its own.
struct Cluster {
    network: String,
    peers: Vec<String>,
}

const ID: &str = "THE-CLUSTER";
const NAME: &str = "THE-PROJECT";
const NETWORK: &str = "THE-NETWORK";

fn cluster(number: u16, first: u16) -> Cluster {
    let mut network = json!({"Name": format!("{NAME}_default")});
    network["IPAM"] = json!({"Config": [{"Subnet": format!("10.212.{number}.0/24")}]});
    network["Labels"] = json!(labels(number, "default"));
    let peers = (0..PEERS).map(|peer| whole_body(number, peer, first + number * PORTS).to_string());
    Cluster { network: network.to_string(), peers: peers.collect() }
}

fn labels(cluster: u16, service: &str) -> HashMap<String, String> {
    [
        ("org.poolmanager.pool", "65f0c1e2d3a4b5c6d7e8f900".to_owned()),
        ("org.poolmanager.cluster", ID.to_owned()),
        ("org.poolmanager.host", "65f0c1e2d3a4b5c6d7e8f901".to_owned()),
        ("org.poolmanager.slot", cluster.to_string()),
        ("org.poolmanager.flavor", "fabric-0.6-pbft-batch-4".to_owned()),
        (
            "org.poolmanager.flavor-digest",
            "7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a".to_owned(),
        ),
        ("com.docker.compose.project", NAME.to_owned()),
        ("com.docker.compose.version", "2.26.1".to_owned()),
        ("com.docker.compose.service", service.to_owned()),
        ("com.docker.compose.container-number", "1".to_owned()),
        ("com.docker.compose.oneoff", "False".to_owned()),
        ("com.docker.compose.config-hash", format!("{ID}{ID}{service:0>16}")),
        ("com.docker.compose.depends_on", "vp0:service_started:false".to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn whole_body(cluster: u16, number: u16, base: u16) -> Value {
    let service = format!("vp{number}");
    let mut body = peer_body(NETWORK, number, PEERS, base);
    let ports: Vec<(u16, u16)> = match number {
        0 => (0..4).map(|nth| (7050 + nth, base + nth)).collect(),
        _ => (0..2).map(|nth| (7050 + nth, base + 2 + 2 * number + nth)).collect(),
    };
    let env = body["Env"].as_array_mut().unwrap();
    env[1] = json!(format!("CORE_PEER_NETWORKID={ID}"));
    for more in ["CORE_LOGGING_LEVEL=info", "CORE_VM_ENDPOINT=", "CORE_PBFT_GENERAL_BATCHSIZE=2"] {
        env.push(json!(more));
    }
    env.push(json!(format!("CORE_VM_DOCKER_HOSTCONFIG_NETWORKMODE={NAME}_default")));
    body["Labels"] = json!(labels(cluster, &service));
    body["ExposedPorts"] = ports.iter().map(|(inside, _)| (format!("{inside}/tcp"), json!({}))).collect();
    let bindings = ports.iter().map(|(inside, outside)| {
        (format!("{inside}/tcp"), json!([{"HostIp": "0.0.0.0", "HostPort": outside.to_string()}]))
    });
    body["HostConfig"]["PortBindings"] = bindings.collect();
    let more = json!({
        "MemorySwap": 1 << 30, "NanoCpus": 500_000_000, "PidsLimit": 256, "Privileged": false, "ReadonlyRootfs": false,
        "SecurityOpt": ["no-new-privileges:true"], "Tmpfs": {}, "Init": false, "CapAdd": [], "Mounts": [],
        "CapDrop": ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    });
    body["HostConfig"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body["StopTimeout"] = json!(10);
    body
}

/// A port for the API, and the first of enough others below the kernel's ephemeral ones that nobody has.
fn free_ports() -> (u16, u16) {
    let needed = CLUSTERS * PORTS + 1;
    for _ in 0..100 {
        let first = rand::random_range(10_000..32_000 - needed);
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

//! The image of fabricsim on a real Docker engine: four containers on a network of their own, some killed, one frozen.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test, a panic is the report, and what was measured is shown"
)]

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, Ipam, IpamConfig, NetworkCreateRequest, NetworkingConfig,
    PortBinding,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};
use serde_json::{Value, json};

const IMAGE: &str = "poolmanager/fabricsim:0.6";
const PEERS: usize = 4;
const REST: &str = "7050/tcp";

#[tokio::test(flavor = "multi_thread")]
async fn four_containers_are_a_network() {
    let docker = engine().await;
    build_image();
    let network = Network::create(docker).await;
    // In a task of its own, so that whatever it finds, what was made is removed.
    let story = tokio::spawn(tell(network.clone())).await;
    network.remove().await;
    if let Err(failed) = story {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn tell(net: Network) {
    let begun = Instant::now();
    for n in 0..PEERS {
        net.create_peer(n).await;
        net.start(n).await;
    }
    let started = begun.elapsed();
    wait_until("vp0 lists all", 4, || net.listed(0)).await;
    let listed = begun.elapsed();
    for n in 0..PEERS {
        wait_until("every peer lists all", 4, || net.listed(n)).await;
    }
    println!("all started after {started:?}, listed by vp0 after {listed:?}, by all after {:?}", begun.elapsed());
    let peers = net.get(2, "/network/peers").await.unwrap();
    assert_eq!(peers["peers"][3]["ID"]["name"], "vp2", "the asked one is last");
    assert!(peers["peers"][0]["address"].as_str().unwrap().starts_with(&net.prefix), "{peers}");
    for port in ["7051/tcp", "7052/tcp", "7053/tcp"] {
        let address = net.published(0, port).await.unwrap();
        tokio::net::TcpStream::connect(&address).await.unwrap_or_else(|error| panic!("{port} at {address}: {error}"));
    }
    println!("memory of vp0: {} KiB", net.memory(0).await / 1024);

    net.invoke(1).await;
    for n in 0..PEERS {
        wait_until("the height grows on every peer", 2, || net.height(n)).await;
    }

    net.docker.kill_container(&net.name(3), None::<KillContainerOptions>).await.unwrap();
    let stopping = Instant::now();
    net.stop(2).await;
    assert!(stopping.elapsed() < Duration::from_secs(5), "SIGTERM ends it at once: {:?}", stopping.elapsed());
    wait_until("the two are not listed", 2, || net.listed(0)).await;
    net.invoke(0).await;
    // What waits for a batch goes after a second; a block that could be made would be there after three.
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        assert_eq!(net.height(0).await, 2, "without quorum the height stands still");
        tokio::task::yield_now().await;
    }

    net.start(3).await;
    for n in [0, 1, 3] {
        wait_until("one returned: what waited is committed", 3, || net.height(n)).await;
    }
    net.start(2).await;
    wait_until("the other kept its ledger and caught up", 3, || net.height(2)).await;
    let chains = [net.get(0, "/chain").await, net.get(2, "/chain").await];
    assert!(chains[0].is_some() && chains[0] == chains[1], "{chains:?}");

    wait_until("all are listed again", 4, || net.listed(0)).await;
    net.docker.pause_container(&net.name(0)).await.unwrap();
    net.invoke(1).await;
    wait_until("three of four commit, whoever is frozen", 4, || net.height(1)).await;
    assert_eq!(net.listed(1).await, 4, "a frozen peer is listed");
    assert_eq!(net.get(0, "/chain").await, None, "and does not answer");
    net.docker.unpause_container(&net.name(0)).await.unwrap();
    wait_until("it goes on and catches up", 4, || net.height(0)).await;

    net.remove_peer(3).await;
    net.create_peer(3).await;
    net.start(3).await;
    wait_until("made anew it begins with an empty ledger and catches up", 4, || net.height(3)).await;
}

async fn engine() -> Docker {
    let docker = Docker::connect_with_defaults().map_err(anyhow::Error::from);
    let answer = match &docker {
        Ok(docker) => docker.ping().await.map_err(anyhow::Error::from).map(|_| ()),
        Err(error) => Err(anyhow::anyhow!("{error}")),
    };
    if let Err(error) = answer {
        panic!("no Docker engine answers ({error}); ./scripts/real-parts.sh installs and starts one");
    }
    docker.unwrap()
}

/// Does nothing if the image is there, made from the same sources.
fn build_image() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new(root.join("scripts/build-fabricsim-image.sh")).arg(IMAGE).status().unwrap();
    assert!(status.success(), "scripts/build-fabricsim-image.sh: {status}");
}

async fn wait_until<T, F>(what: &str, wanted: T, mut see: impl FnMut() -> F)
where
    T: PartialEq + Debug,
    F: Future<Output = T>,
{
    let begun = Instant::now();
    loop {
        let seen = see().await;
        if seen == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: wanted {wanted:?}, last saw {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A network on the engine, and its four peers.
#[derive(Clone)]
struct Network {
    docker: Docker,
    http: reqwest::Client,
    /// Unique; the network's name and id of the peers' network.
    id: String,
    /// The engine's own id.
    engine_id: String,
    /// What its addresses begin with.
    prefix: String,
}

impl Network {
    async fn create(docker: Docker) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
        let id = format!("fabricsim-{}", uuid::Uuid::new_v4().simple());
        let mut last = None;
        for _ in 0..50 {
            let prefix = format!("10.98.{}.", rand::random::<u8>());
            let ipam = IpamConfig { subnet: Some(format!("{prefix}0/24")), ..Default::default() };
            let request = NetworkCreateRequest {
                name: id.clone(),
                ipam: Some(Ipam { config: Some(vec![ipam]), ..Default::default() }),
                ..Default::default()
            };
            match docker.create_network(request).await {
                Ok(made) => return Self { docker, http, id, engine_id: made.id, prefix },
                // Somebody else's subnet.
                Err(error) => last = Some(error),
            }
        }
        panic!("no subnet of 10.98.0.0/16 is free: {last:?}");
    }

    fn name(&self, n: usize) -> String {
        format!("{}-vp{n}", self.id)
    }

    async fn create_peer(&self, n: usize) {
        let root = if n == 0 { "" } else { "vp0:7051" };
        let env = [
            "CORE_PEER_ADDRESSAUTODETECT=true".to_owned(),
            format!("CORE_PEER_ID=vp{n}"),
            format!("CORE_PEER_NETWORKID={}", self.id),
            format!("CORE_PEER_DISCOVERY_ROOTNODE={root}"),
            "CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN=pbft".to_owned(),
            "CORE_PBFT_GENERAL_MODE=batch".to_owned(),
            format!("CORE_PBFT_GENERAL_N={PEERS}"),
            "CORE_PBFT_GENERAL_BATCHSIZE=2".to_owned(),
        ];
        let ports = [REST, "7051/tcp", "7052/tcp", "7053/tcp"];
        let any = || vec![PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some("0".to_owned()) }];
        let aliases = EndpointSettings { aliases: Some(vec![format!("vp{n}")]), ..Default::default() };
        let body = ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            cmd: Some(["peer", "node", "start"].map(str::to_owned).to_vec()),
            env: Some(env.to_vec()),
            exposed_ports: Some(ports.map(str::to_owned).to_vec()),
            host_config: Some(HostConfig {
                port_bindings: Some(ports.map(|port| (port.to_owned(), Some(any()))).into_iter().collect()),
                network_mode: Some(self.id.clone()),
                memory: Some(64 << 20),
                pids_limit: Some(512),
                cap_drop: Some(vec!["ALL".to_owned()]),
                security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
                ..Default::default()
            }),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([(self.id.clone(), aliases)])),
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&self.name(n)).build();
        self.docker.create_container(Some(options), body).await.unwrap();
    }

    async fn start(&self, n: usize) {
        self.docker.start_container(&self.name(n), None::<StartContainerOptions>).await.unwrap();
    }

    async fn stop(&self, n: usize) {
        let options = StopContainerOptionsBuilder::default().t(20).build();
        self.docker.stop_container(&self.name(n), Some(options)).await.unwrap();
    }

    async fn remove_peer(&self, n: usize) {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        self.docker.remove_container(&self.name(n), Some(options)).await.unwrap();
    }

    /// Removes all of it; what is not there is fine.
    async fn remove(&self) {
        for n in 0..PEERS {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let _absent = self.docker.remove_container(&self.name(n), Some(options)).await;
        }
        self.docker.remove_network(&self.engine_id).await.unwrap();
    }

    /// Where a port of a peer is published now: each start chooses anew.
    async fn published(&self, n: usize, port: &str) -> Option<String> {
        let container = self.docker.inspect_container(&self.name(n), None).await.unwrap();
        let ports = container.network_settings?.ports?;
        let binding = ports.get(port)?.as_ref()?.first()?.clone();
        Some(format!("127.0.0.1:{}", binding.host_port?))
    }

    async fn get(&self, n: usize, path: &str) -> Option<Value> {
        let address = self.published(n, REST).await?;
        self.http.get(format!("http://{address}{path}")).send().await.ok()?.json().await.ok()
    }

    async fn height(&self, n: usize) -> u64 {
        self.get(n, "/chain").await.and_then(|chain| chain["height"].as_u64()).unwrap_or_default()
    }

    async fn listed(&self, n: usize) -> usize {
        self.get(n, "/network/peers").await.and_then(|list| Some(list["peers"].as_array()?.len())).unwrap_or_default()
    }

    async fn invoke(&self, n: usize) {
        let address = self.published(n, REST).await.unwrap();
        let body = json!({"jsonrpc": "2.0", "method": "invoke", "id": 1,
            "params": {"type": 1, "chaincodeID": {"name": "none"}, "ctorMsg": {"args": ["f"]}}});
        let answer = self.http.post(format!("http://{address}/chaincode")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["result"]["status"], "OK", "{answer}");
    }

    /// Bytes, as the engine counts them.
    async fn memory(&self, n: usize) -> u64 {
        use futures_util::StreamExt;
        let options = bollard::query_parameters::StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let stats = self.docker.stats(&self.name(n), Some(options)).next().await.unwrap().unwrap();
        stats.memory_stats.and_then(|memory| memory.usage).unwrap_or_default()
    }
}

//! A network of peers in memory whose clock the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use fabricsim::{Mesh, Peer, PeerConfig, Response, UnixNanos};
use serde_json::{Value, json};

/// Peers `vp0`.. at `10.0.0.2`..
pub struct Town {
    pub mesh: Mesh,
    pub peers: Vec<Arc<Peer>>,
    pub now: UnixNanos,
}

pub fn ip(n: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2 + n as u8))
}

pub fn config(n: usize, size: usize, plugin: &str) -> PeerConfig {
    let root = if n == 0 { "" } else { "vp0:7051" };
    PeerConfig::from_env([
        ("CORE_PEER_ADDRESSAUTODETECT", "true".to_owned()),
        ("core_peer_id", format!("vp{n}")),
        ("CORE_PEER_NETWORKID", "town".to_owned()),
        ("CORE_PEER_DISCOVERY_ROOTNODE", root.to_owned()),
        ("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN", plugin.to_owned()),
        ("CORE_PBFT_GENERAL_N", size.to_string()),
        ("CORE_PBFT_GENERAL_MODE", "batch".to_owned()),
        ("CORE_PBFT_GENERAL_BATCHSIZE", "2".to_owned()),
        ("CORE_NOOPS_BLOCK_TIMEOUT", "2".to_owned()),
        ("CORE_NOOPS_BLOCK_WAIT", "2".to_owned()),
    ])
    .unwrap()
}

impl Town {
    pub fn new(size: usize, plugin: &str) -> Self {
        let now = UnixNanos(1_795_338_361_396_442_956);
        let peers: Vec<_> = (0..size).map(|n| Arc::new(Peer::new(config(n, size, plugin), now))).collect();
        let town = Self { mesh: Mesh::default(), peers, now };
        (0..size).for_each(|n| town.start(n));
        town
    }

    pub fn start(&self, n: usize) {
        self.mesh.attach(ip(n), &[format!("vp{n}")], Arc::clone(&self.peers[n]));
    }

    pub fn kill(&self, n: usize) {
        self.mesh.detach(ip(n));
    }

    /// Time goes by.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            self.now.0 += 500_000_000;
            self.mesh.settle(self.now);
        }
    }

    pub fn ask(&self, n: usize, method: &str, path: &str, body: &str) -> Option<Response> {
        self.mesh.rest(ip(n), method, path, body.as_bytes(), self.now)
    }

    pub fn get(&self, n: usize, path: &str) -> Value {
        serde_json::from_str(&self.ask(n, "GET", path, "").unwrap().body).unwrap()
    }

    pub fn rpc(&self, n: usize, method: &str, name: &str, args: &[&str]) -> Value {
        let body = json!({"jsonrpc": "2.0", "method": method, "id": 3,
            "params": {"type": 1, "chaincodeID": {"name": name}, "ctorMsg": {"args": args}}});
        serde_json::from_str(&self.ask(n, "POST", "/chaincode", &body.to_string()).unwrap().body).unwrap()
    }

    pub fn invoke(&self, n: usize) {
        let answer = self.rpc(n, "invoke", "nothing", &["invoke", "a", "b", "1"]);
        assert_eq!(answer["result"]["status"], "OK", "{answer}");
    }

    pub fn height(&self, n: usize) -> u64 {
        self.get(n, "/chain")["height"].as_u64().unwrap()
    }

    pub fn listed(&self, n: usize) -> Vec<String> {
        let peers = self.get(n, "/network/peers")["peers"].as_array().unwrap().clone();
        let mut names: Vec<_> = peers.iter().map(|peer| peer["ID"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

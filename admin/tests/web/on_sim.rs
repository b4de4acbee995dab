//! A cluster whose containers are there, on a simulated engine.

use common::model::{Cluster, Health, Host, HostId, Node, NodeName, NodeState};
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};

use crate::support::House;

/// A simulated engine, its host's record, and a free cluster of two nodes there.
pub struct OnSim {
    pub sim: SimHost,
    pub host: Host,
    pub cluster: Cluster,
}

impl OnSim {
    pub async fn new(house: &House) -> OnSim {
        let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
        let body = json!({"name": "h1", "daemon_url": sim.url(), "address": sim.address().to_string(), "capacity": 3});
        let mut otto = house.browser_of("otto").await;
        let added = otto.json("POST", "/api/v1/hosts", body).await.is(201).json();
        let id = HostId::parse(added["id"].as_str().unwrap()).unwrap();
        let host = house.store.host(&id).await.unwrap().unwrap();
        let free = house.add_free(&host, 0).await;
        let mut nodes = Vec::new();
        for name in ["vp0", "vp1"] {
            let container = Some(container(&sim, name).await);
            nodes.push((
                NodeName::parse(name).unwrap(),
                Node { container, state: NodeState::Running, restarted_seq: 0 },
            ));
        }
        let cluster = free.seen(nodes, Health::Ok);
        house.store.move_cluster(&free, &cluster, None).await.unwrap();
        OnSim { sim, host, cluster }
    }

    /// The address of its log.
    pub fn logs(&self, query: &str) -> String {
        format!("/api/v1/clusters/{}/logs?{query}", self.cluster.id)
    }
}

async fn container(sim: &SimHost, name: &str) -> String {
    let body = json!({"Image": "poolmanager/fabricsim:0.6", "Env": [format!("CORE_PEER_ID={name}")]}).to_string();
    let (status, answer) = sim.call("POST", &format!("/containers/create?name={name}"), &body).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(sim.call("POST", &format!("/containers/{name}/start"), "").await.0, 204);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["Id"].as_str().unwrap().to_owned()
}

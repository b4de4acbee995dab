//! A leased network as its user sees it: the REST of each of its peers.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use crate::answer::{Answer, client};
use crate::wait::wait_until;

/// A block is made within two seconds; the rest is for a busy machine.
const BLOCK_LIMIT: Duration = Duration::from_secs(30);

/// The REST of every peer of a cluster.
#[derive(Clone, Debug)]
pub struct Network {
    http: Client,
    peers: BTreeMap<String, String>,
}

impl Network {
    /// Of a cluster as admin's JSON has it.
    pub fn of(cluster: &Value) -> anyhow::Result<Network> {
        let endpoints = cluster["endpoints"].as_object().with_context(|| format!("no endpoints: {cluster}"))?;
        let rest = endpoints.iter().filter(|(name, _)| *name == "rest" || name.ends_with("_rest"));
        let peers: BTreeMap<String, String> = rest
            .filter_map(|(_, end)| Some((end["node"].as_str()?.to_owned(), end["url"].as_str()?.to_owned())))
            .collect();
        ensure!(peers.len() as u64 == cluster["size"].as_u64().unwrap_or(0), "not every peer has REST: {cluster}");
        Ok(Network { http: client()?, peers })
    }

    /// The peers' names.
    pub fn nodes(&self) -> Vec<String> {
        self.peers.keys().cloned().collect()
    }

    /// The names of the peers that one peer lists, in order.
    pub async fn listed_by(&self, node: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.get(node, "/network/peers").await?;
        let peers = listed["peers"].as_array().with_context(|| format!("{node} lists no peers: {listed}"))?;
        let mut names: Vec<String> = peers.iter().filter_map(|p| Some(p["ID"]["name"].as_str()?.to_owned())).collect();
        names.sort();
        Ok(names)
    }

    /// Waits until these peers list each other and nobody else.
    pub async fn until_listed(&self, nodes: &[&str]) {
        for node in nodes {
            wait_until(&format!("{node} to list {nodes:?}"), BLOCK_LIMIT, || async {
                match self.listed_by(node).await {
                    Ok(listed) if listed == nodes => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
        }
    }

    /// How many blocks a peer has.
    pub async fn height(&self, node: &str) -> anyhow::Result<u64> {
        let chain = self.get(node, "/chain").await?;
        chain["height"].as_u64().with_context(|| format!("no height: {chain}"))
    }

    /// Waits until all these peers have more blocks than `before`, the same number; how many.
    pub async fn until_grown(&self, nodes: &[&str], before: u64) -> u64 {
        wait_until(&format!("{nodes:?} to have more than {before} blocks"), BLOCK_LIMIT, || async {
            let mut heights = Vec::new();
            for node in nodes {
                heights.push(self.height(node).await.unwrap_or_default());
            }
            let grown = heights.iter().all(|height| *height > before && *height == heights[0]);
            if grown { Ok(heights[0]) } else { Err(format!("{heights:?}")) }
        })
        .await
    }

    /// Deploys the example: `a` has 100, `b` has 200. The chaincode's name.
    pub async fn deploy(&self, node: &str) -> anyhow::Result<String> {
        let path = "github.com/hyperledger/fabric/examples/chaincode/go/chaincode_example02";
        self.chaincode(node, "deploy", json!({"path": path}), &["init", "a", "100", "b", "200"]).await
    }

    /// `a` gives `b` so much.
    pub async fn invoke(&self, node: &str, code: &str, amount: &str) -> anyhow::Result<()> {
        self.chaincode(node, "invoke", json!({"name": code}), &["invoke", "a", "b", amount]).await.map(|_| ())
    }

    /// What an account has.
    pub async fn query(&self, node: &str, code: &str, account: &str) -> anyhow::Result<String> {
        self.chaincode(node, "query", json!({"name": code}), &["query", account]).await
    }

    async fn chaincode(&self, node: &str, method: &str, id: Value, args: &[&str]) -> anyhow::Result<String> {
        let params = json!({
            "type": 1, "chaincodeID": id, "ctorMsg": {"function": args[0], "args": &args[1..]},
        });
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
        let url = format!("{}/chaincode", self.url(node)?);
        let answer = Answer::of(self.http.post(url).json(&body)).await?.json();
        ensure!(answer["result"]["status"] == "OK", "{method}: {answer}");
        Ok(answer["result"]["message"].as_str().unwrap_or_default().to_owned())
    }

    async fn get(&self, node: &str, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.url(node)?)).timeout(Duration::from_secs(5));
        let answer = Answer::of(request).await?;
        ensure!(answer.status == 200, "{node}{path}: {} {}", answer.status, answer.text);
        Ok(answer.json())
    }

    fn url(&self, node: &str) -> anyhow::Result<&str> {
        self.peers.get(node).map(String::as_str).with_context(|| format!("no peer {node}"))
    }
}

//! A pool by the real programs: a store, an engine, a block of free ports, and admins and apps started as often as wanted.
//!
//! Declare it before the programs that it starts: they end first then, and whatever they left on the engine is taken
//! off it when the house goes, also when a story fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use common::model::SlotLayout;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::{Answer, client};
use crate::mongod::Mongod;
use crate::on_engine::{OnEngine, REAL};
use crate::operator::Operator;
use crate::pool::{PATIENCE, PEER_IMAGE, free_layout};
use crate::program::{Environment, Program};
use crate::replica_set::ReplicaSet;
use crate::wait::wait_until;

/// Of what the pool is made: four peers.
pub const FLAVOR: &str = "fabric-0.6-pbft-batch-4";

/// The first operator.
pub const USERNAME: &str = "otto";
/// Her password.
pub const PASSWORD: &str = "a password for stories";

/// A whole pool.
#[derive(Debug)]
pub struct House {
    /// MongoDB, unless it is on SQLite.
    pub mongod: Option<Mongod>,
    /// A MongoDB of three, if it is on one.
    pub replica_set: Option<ReplicaSet>,
    /// The host's name.
    pub host_name: String,
    /// The host's daemon.
    pub daemon_url: String,
    /// Where the host's clusters answer.
    pub address: String,
    /// The slots.
    pub layout: SlotLayout,
    /// What the programs are started with.
    pub environment: Environment,
    /// What is on the engine.
    pub engine: OnEngine,
    logs: AtomicU32,
    logs_in: PathBuf,
    _folder: TempDir,
}

/// A running admin.
#[derive(Debug)]
pub struct Admin {
    /// The process.
    pub program: Program,
    /// Where it serves.
    pub url: String,
}

/// A running app.
#[derive(Debug)]
pub struct App {
    /// The process.
    pub program: Program,
    /// Where it serves.
    pub url: String,
    /// For calls.
    pub http: Client,
}

impl House {
    /// On a MongoDB of its own and the real engine, with ports for this many clusters and two more.
    pub async fn on_mongodb(capacity: u16) -> anyhow::Result<House> {
        let mongod = Mongod::start().await?;
        let mut house = House::at_mongodb(&mongod.url(), capacity)?;
        house.mongod = Some(mongod);
        Ok(house)
    }

    /// On a MongoDB of three and the real engine.
    pub async fn on_replica_set(capacity: u16) -> anyhow::Result<House> {
        let set = ReplicaSet::start().await?;
        let mut house = House::at_mongodb(&set.url(), capacity)?;
        house.replica_set = Some(set);
        Ok(house)
    }

    fn at_mongodb(url: &str, capacity: u16) -> anyhow::Result<House> {
        let mut house = House::on_sqlite(capacity)?;
        house.set("MONGO_URL", url);
        house.set("INTERNAL_SECRET", &format!("{:032x}", rand::random::<u128>()));
        Ok(house)
    }

    /// On SQLite and the real engine.
    pub fn on_sqlite(capacity: u16) -> anyhow::Result<House> {
        let folder = tempfile::Builder::new().prefix("poolmanager-story-").tempdir()?;
        let layout = free_layout(capacity + 2)?;
        let host_name = format!("story-{:08x}", rand::random::<u32>());
        let engine = OnEngine::new(REAL, &host_name)?;
        let environment = [
            ("DATA_DIR", folder.path().join("data").display().to_string()),
            ("ADMIN_PORT", "0".into()),
            ("APP_PORT", "0".into()),
            ("ADMIN_USERNAME", USERNAME.into()),
            ("ADMIN_PASSWORD", PASSWORD.into()),
            ("FABRIC_PEER_IMAGE", PEER_IMAGE.into()),
            ("POOL_MIX", FLAVOR.into()),
            ("CLUSTER_FIRST_PORT", layout.first_port.to_string()),
            ("CLUSTER_PORTS_PER_SLOT", layout.ports_per_slot.to_string()),
            ("CLUSTER_END_PORT", layout.end_port.to_string()),
            ("CLUSTER_SUBNETS", layout.subnets.0.to_string()),
        ];
        Ok(House {
            mongod: None,
            replica_set: None,
            host_name,
            daemon_url: REAL.into(),
            address: "127.0.0.1".into(),
            layout,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            engine,
            logs: AtomicU32::new(0),
            logs_in: folder.path().to_owned(),
            _folder: folder,
        })
    }

    /// The same on another engine.
    pub fn with_engine(mut self, url: &str, address: &str) -> anyhow::Result<House> {
        self.engine = OnEngine::new(url, &self.host_name)?;
        (self.daemon_url, self.address) = (url.to_owned(), address.to_owned());
        Ok(self)
    }

    /// Sets a variable for the programs that are started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// A file for what a program prints.
    pub fn log_file(&self) -> PathBuf {
        self.logs_in.join(format!("{}.log", self.logs.fetch_add(1, Ordering::SeqCst)))
    }

    /// Keeps what programs print from now on in this folder, which is made if it is not there.
    pub fn keep_logs(&mut self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        folder.clone_into(&mut self.logs_in);
        Ok(())
    }

    /// A program of this pool.
    pub fn start(&self, name: &'static str) -> anyhow::Result<Program> {
        Program::start(name, &[], &self.environment, &self.log_file())
    }

    /// Starts an admin and waits until it serves.
    pub async fn start_admin(&self) -> anyhow::Result<Admin> {
        let mut program = self.start("poolmanager-admin")?;
        let url = program.address().await?;
        Ok(Admin { program, url })
    }

    /// Starts an app and waits until it serves.
    pub async fn start_app(&self) -> anyhow::Result<App> {
        let mut program = self.start("poolmanager-app")?;
        let url = program.address().await?;
        Ok(App { program, url, http: client()? })
    }

    /// What is said of the host when it is added.
    pub fn host(&self, capacity: u16) -> Value {
        json!({
            "name": self.host_name, "daemon_url": self.daemon_url, "address": self.address,
            "bind_address": self.address, "capacity": capacity, "schedulable": true, "autofill": true,
        })
    }

    /// Adds the host; its id.
    pub async fn add_host(&self, operator: &Operator, capacity: u16) -> anyhow::Result<String> {
        let answer = operator.call(Method::POST, "/api/v1/hosts", Some(&self.host(capacity))).await?;
        ensure!(answer.status == 201, "adding the host: {} {}", answer.status, answer.text);
        Ok(answer.json()["id"].as_str().context("a host's id")?.to_owned())
    }

    /// Waits until the pool is exactly so (`2 free, 1 in_use`), every free cluster can be taken, and the engine has what
    /// the records say and nothing else. The clusters.
    pub async fn until(&self, operator: &Operator, wanted: &str) -> Vec<Value> {
        wait_until(&format!("the pool to be: {wanted}"), PATIENCE, || async {
            let clusters = self.at_rest(operator, wanted).await;
            match clusters {
                Ok(clusters) => Ok(clusters),
                Err(seen) => Err(format!("{seen:#}; {}", operator.words().await)),
            }
        })
        .await
    }

    async fn at_rest(&self, operator: &Operator, wanted: &str) -> anyhow::Result<Vec<Value>> {
        let clusters = operator.items("/api/v1/clusters?limit=200").await?;
        let now = summary(&clusters);
        ensure!(now == wanted, "{now}");
        let found = self.engine.look().await?;
        let recorded: BTreeSet<&str> = clusters.iter().filter_map(|cluster| cluster["id"].as_str()).collect();
        let there: BTreeSet<&str> = found.keys().map(String::as_str).collect();
        ensure!(recorded == there, "recorded are {recorded:?}, on the engine {there:?}");
        for cluster in &clusters {
            let here = &found[cluster["id"].as_str().unwrap_or_default()];
            let whole = here.containers.len() as u64 == cluster["size"].as_u64().unwrap_or(0);
            ensure!(whole && here.networks.len() == 1 && here.volumes.is_empty(), "{}: {here:?}", cluster["name"]);
        }
        Ok(clusters)
    }

    /// Deletes the host and waits until nothing is left of it, in the records and on the engine.
    pub async fn leave(&self, operator: &Operator, host: &str) -> anyhow::Result<()> {
        let answer = operator.call(Method::DELETE, &format!("/api/v1/hosts/{host}"), None).await?;
        ensure!(answer.status == 202, "deleting the host: {} {}", answer.status, answer.text);
        wait_until("the host to be gone", PATIENCE, || async {
            match operator.get(&format!("/api/v1/hosts/{host}")).await {
                Ok(answer) if answer.status == 404 => Ok(()),
                Ok(answer) => Err(format!("{}; {}", answer.text, operator.words().await)),
                Err(error) => Err(format!("{error:#}")),
            }
        })
        .await;
        let left = self.engine.look().await?;
        ensure!(left.is_empty(), "left on the engine: {left:?}");
        Ok(())
    }
}

/// How many clusters are in each phase: `2 free, 1 in_use`. One that cannot be given out now is `free but not offered`.
pub fn summary(clusters: &[Value]) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for cluster in clusters {
        let phase = match cluster["phase"].as_str().unwrap_or("?") {
            "free" if cluster["offered"] != true => "free but not offered",
            phase => phase,
        };
        *counts.entry(phase).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(phase, n)| format!("{n} {phase}")).collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

impl Admin {
    /// Signs the first operator in.
    pub async fn operator(&self) -> anyhow::Result<Operator> {
        Operator::sign_in(&self.url, USERNAME, PASSWORD).await
    }

    /// Waits until it leads.
    pub async fn until_leading(&self) {
        wait_until("this admin to lead", PATIENCE, || async {
            let log = self.program.log();
            if log.contains("this process leads") { Ok(()) } else { Err(log) }
        })
        .await;
    }
}

impl App {
    /// Asks for a path with a query.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Answer> {
        Answer::of(self.http.get(format!("{}{path}", self.url)).query(query)).await
    }

    /// v2's apply: the cluster, or the words of the refusal.
    pub async fn apply(&self, user: &str) -> anyhow::Result<Result<Value, String>> {
        let answer = self.get("/v2/cluster_op", &[("action", "apply"), ("user_id", user)]).await?;
        let json = answer.json();
        match (answer.status, json["status"].as_str()) {
            (200, Some("OK")) => Ok(Ok(json["data"].clone())),
            (400, Some("FAIL")) => Ok(Err(json["error"].as_str().unwrap_or_default().to_owned())),
            _ => anyhow::bail!("apply for {user}: {} {}", answer.status, answer.text),
        }
    }

    /// v2's release of one cluster. Must work.
    pub async fn release(&self, cluster: &str) -> anyhow::Result<()> {
        self.act("release", &[("cluster_id", cluster)]).await
    }

    /// An action of v2. Must work.
    pub async fn act(&self, action: &str, query: &[(&str, &str)]) -> anyhow::Result<()> {
        let all: Vec<(&str, &str)> = [("action", action)].into_iter().chain(query.iter().copied()).collect();
        let answer = self.get("/v2/cluster_op", &all).await?;
        ensure!(answer.status == 200 && answer.json()["status"] == "OK", "{action} {query:?}: {}", answer.text);
        Ok(())
    }
}

impl Drop for House {
    /// A story that failed leaves nothing on the engine either.
    fn drop(&mut self) {
        let engine = self.engine.clone();
        let sweep = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let sweep = async { tokio::time::timeout(Duration::from_secs(60), engine.sweep()).await };
            let _ = runtime.block_on(sweep);
        });
        let _ = sweep.join();
    }
}

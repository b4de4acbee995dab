//! Where one run of a story takes place: a simulated engine with strangers on it, and a pool of its own, all of it fast.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use common::clock::{self, Pace};
use common::compose::{Catalog, CatalogSettings, Template};
use common::model::*;
use e2e::pool::{Pool, Setup};
use e2e::tripwire::Tripwire;
use serde_json::{Value, json};
use simdocker::{SimHost, SimImage, SimOptions};

use crate::calm::Lateness;
use crate::check::Strangers;

/// The flavor that pools here are made of.
const FLAVOR: &str = "small";

/// Waits are so much shorter than a deployment's: a lock of 0.7 s, deadlines of 0.3 to 6 s. A simulated engine answers in less
/// than a millisecond, and still in a tenth of a second when the machine is busy.
pub const PACE: u32 = 10;

/// An engine with strangers on it, and a pool.
pub struct Stage {
    /// The engine.
    pub sim: SimHost,
    /// The pool.
    pub pool: Pool,
    /// What its reconciler has for a store.
    pub wire: Arc<Tripwire>,
    /// What is not ours.
    pub strangers: Strangers,
    /// The cluster that the story is about.
    pub subject: Option<Cluster>,
    /// What is not ours and is to go all the same.
    pub condemned: Vec<ForeignThing>,
    /// How busy the machine was.
    pub lateness: Lateness,
}

impl Stage {
    /// An engine and a pool with one host of this capacity, nothing running yet.
    pub async fn open(capacity: u16) -> anyhow::Result<Stage> {
        let mut options = SimOptions::fresh();
        let with_volume = SimImage { volumes: vec!["/data".into()], ..SimImage::peer("test/peer-with-a-volume:1") };
        options.images.push(with_volume);
        // Long enough to be seen, at times.
        options.timing.restart_delay = Duration::from_millis(20);
        let sim = SimHost::start(options).await?;
        let template = Template::parse(TemplateId::parse(FLAVOR)?, include_str!("small.yml"))?;
        let setup = Setup {
            url: sim.url(),
            address: sim.address().to_string(),
            capacity,
            catalog: Catalog::of(vec![template], &CatalogSettings::default())?,
            flavors: vec![FLAVOR.into()],
            below: memory_folder(),
            pace: Pace::faster(PACE),
        };
        let pool = Pool::set_up(setup).await?;
        let strangers = move_in(&sim, pool.layout.first_port).await?;
        let wire = Tripwire::new(pool.store.clone());
        Ok(Stage { sim, pool, wire, strangers, subject: None, condemned: Vec::new(), lateness: Lateness::default() })
    }

    /// Starts the reconciler behind the tripwire.
    pub fn start(&mut self) {
        self.pool.start_reconciler_on(self.wire.clone());
    }

    /// The reconciler dies where it stands, and another starts, as after a SIGKILL of admin.
    pub fn kill_and_start_another(&mut self) {
        self.pool.kill_reconciler();
        self.pool.start_reconciler();
    }

    /// Something foreign comes that an operator is to have removed: a container that runs, and its network.
    pub async fn condemn(&mut self) -> anyhow::Result<()> {
        let network = ask(&self.sim, "POST", "/networks/create", &json!({"Name": "condemned"})).await?;
        let container = json!({"Image": "poolmanager/fabricsim:0.6", "HostConfig": {"NetworkMode": "condemned"}});
        let container = ask(&self.sim, "POST", "/containers/create?name=condemned", &container).await?;
        let id = |made: &Value| made["Id"].as_str().context("an id").map(str::to_owned);
        ask(&self.sim, "POST", &format!("/containers/{}/start", id(&container)?), &Value::Null).await?;
        let thing = |kind, id| ForeignThing { kind, id, name: "condemned".into() };
        self.condemned =
            vec![thing(ForeignKind::Container, id(&container)?), thing(ForeignKind::Network, id(&network)?)];
        Ok(())
    }

    /// The reconciler ends, and the subject's record goes though all of it is still there.
    pub async fn lose_record(&mut self) -> anyhow::Result<()> {
        self.pool.stop_reconciler().await;
        let now = clock::now();
        let id = &self.subject.as_ref().context("no subject")?.id;
        let cluster = self.pool.store.cluster(id).await?.context("no record")?;
        let going = cluster.remove(Why::Deleted { by: "otto".into() }, now)?;
        self.pool.store.move_cluster(&cluster, &going, None).await?;
        let event = Event::new(now, EventKind::Removed, Actor::Reconciler, "its record was lost").about(&going);
        Ok(self.pool.store.vanish(&going, event).await?)
    }

    /// An operator wants something of the host.
    pub async fn want(&self, purpose: impl FnOnce(Asked) -> HostPurpose) -> anyhow::Result<()> {
        let now = clock::now();
        let host = self.pool.store.host(&self.pool.host).await?.context("the host")?;
        let to = host.with_purpose(purpose(Asked { since: now, by: "otto".into() }));
        let event = Event::new(now, EventKind::HostChanged, Actor::Operator { name: "otto".into() }, "wished");
        self.pool.store.change_host(&to, event).await?;
        self.pool.reconciler.ring();
        Ok(())
    }

    /// The host is filled by hand from now on.
    pub async fn fill_no_more(&self) -> anyhow::Result<()> {
        let host = self.pool.store.host(&self.pool.host).await?.context("the host")?;
        let to = host.configured(HostSettings { autofill: false, ..host.settings.clone() });
        let event =
            Event::new(clock::now(), EventKind::HostChanged, Actor::Operator { name: "otto".into() }, "by hand");
        Ok(self.pool.store.change_host(&to, event).await?)
    }

    /// An operator wants a cluster in the first slot that nothing foreign is in: her wish is its record. She asks again until
    /// the store has it.
    pub async fn want_cluster(&self) -> anyhow::Result<()> {
        let (pool, now) = (&self.pool, clock::now());
        let host = pool.store.host(&pool.host).await?.context("the host")?;
        let flavor = &pool.catalog.flavors()[0];
        let place = (ClusterId::random(), Slot(1));
        let cluster = admin::reconciler::new_cluster(&pool.catalog, &pool.layout, &host, flavor, place, 0, now);
        let cluster = cluster.map_err(|why| anyhow::anyhow!(why))?.asked_by("otto");
        let event =
            Event::new(now, EventKind::Creating, Actor::Operator { name: "otto".into() }, "wanted").about(&cluster);
        pool.store.insert_cluster(&cluster, event).await?;
        pool.reconciler.ring();
        Ok(())
    }

    /// The host serves again, and what was condemned is gone.
    pub async fn is_reset(&self) -> Result<(), String> {
        let host = self.pool.store.host(&self.pool.host).await.map_err(|error| error.to_string())?;
        match host.map(|host| host.purpose) {
            Some(HostPurpose::Serve) => {}
            other => return Err(format!("the host's purpose is {other:?}")),
        }
        match self.sim.container("condemned").is_some() || self.sim.networks().contains(&"condemned".to_owned()) {
            true => Err("the condemned is still there".into()),
            false => Ok(()),
        }
    }

    /// Ends all.
    pub async fn close(self) {
        self.pool.leave_engine().await;
        self.sim.shutdown().await;
    }
}

/// Where files cost no disk: thousands of stores are made here.
fn memory_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Strangers move in: a container, which has a port that the first slot would take, a network and a volume.
async fn move_in(sim: &SimHost, port: u16) -> anyhow::Result<Strangers> {
    let network = json!({
        "Name": "strangers", "IPAM": {"Config": [{"Subnet": "192.168.99.0/24"}]}, "Labels": {"of": "others"},
    });
    ask(sim, "POST", "/networks/create", &network).await?;
    ask(sim, "POST", "/volumes/create", &json!({"Name": "strangers-data"})).await?;
    let container = json!({
        "Image": "poolmanager/fabricsim:0.6",
        "HostConfig": {
            "NetworkMode": "strangers",
            "PortBindings": {"7050/tcp": [{"HostPort": port.to_string()}]},
            "Mounts": [{"Type": "volume", "Source": "strangers-data", "Target": "/data"}],
        },
        "ExposedPorts": {"7050/tcp": {}},
    });
    let made = ask(sim, "POST", "/containers/create?name=stranger", &container).await?;
    let id = made["Id"].as_str().context("an id")?.to_owned();
    ask(sim, "POST", &format!("/containers/{id}/start"), &Value::Null).await?;
    Strangers::look(sim).await
}

/// Asks the engine past faults and journal.
pub async fn ask(sim: &SimHost, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = sim.call(method, path, &body).await;
    ensure!(status < 300, "{method} {path}: {status} {answer}");
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

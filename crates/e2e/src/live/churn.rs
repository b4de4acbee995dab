//! A pool of simulated hosts that is emptied and fills again.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use common::clock;
use common::model::{self, Actor, Event, EventKind, FlavorId, HostId, Metadata, PhaseKind, UserId};
use common::store::{Applied, Apply, ClusterFilter, Holding, Page, SharedStore, StoreTarget, StoreUser};
use reqwest::Method;
use serde_json::json;
use simdocker::{SimHost, SimOptions};

use super::Settings;
use crate::answer::{Answer, client};
use crate::house::{Admin, FLAVOR, House, PASSWORD, USERNAME};
use crate::operator::Operator;
use crate::wait::wait_until;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

const DATABASE: &str = "bench_live";

/// The pool.
pub(super) struct Churn {
    /// As many as it holds.
    pub clusters: u64,
    /// Its hosts' ids.
    pub hosts: Vec<String>,
    admin: Admin,
    operator: Operator,
    store: SharedStore,
    sims: Vec<SimHost>,
    house: House,
}

impl Churn {
    /// Starts all of it and waits until the pool is full.
    pub async fn start(settings: &Settings) -> anyhow::Result<Churn> {
        let mut house = House::on_mongodb(settings.clusters_per_host).await?;
        house.set("MONGO_DB", DATABASE);
        let admin = house.start_admin().await?;
        let operator = admin.operator().await?;
        let url = house.mongod.as_ref().context("a mongod")?.url();
        let target = StoreTarget::Mongo { url, database: DATABASE.into() };
        let store = common::store::open(&target, StoreUser::App).await.context("opening the store")?;
        let (mut sims, mut hosts) = (Vec::new(), Vec::new());
        for n in 0..settings.hosts {
            let sim = SimHost::start(SimOptions::fresh()).await?;
            let address = sim.address().to_string();
            let body = json!({
                "name": format!("h{n}"), "daemon_url": sim.url(), "address": address, "bind_address": address,
                "capacity": settings.clusters_per_host, "schedulable": true, "autofill": true,
            });
            let answer = operator.call(Method::POST, "/api/v1/hosts", Some(&body)).await?;
            ensure!(answer.status == 201, "adding a host: {} {}", answer.status, answer.text);
            hosts.push(answer.json()["id"].as_str().context("an id")?.to_owned());
            sims.push(sim);
        }
        let clusters = u64::from(settings.hosts) * u64::from(settings.clusters_per_host);
        let churn = Churn { clusters, hosts, admin, operator, store, sims, house };
        churn.until_full().await;
        Ok(churn)
    }

    /// Where admin serves.
    pub fn url(&self) -> &str {
        &self.admin.url
    }

    /// Admin's process.
    pub fn pid(&self) -> u32 {
        self.admin.program.pid()
    }

    /// The nth operator, who has just signed in.
    pub async fn sign_in(&self, nth: usize) -> anyhow::Result<Operator> {
        let name = format!("{USERNAME}-{nth}");
        if self.store.operator_by_name(&name).await?.is_none() {
            // With the same password as the first.
            let first = self.store.operator_by_name(USERNAME).await?.context("the first operator")?;
            let hash = first.password_hash.clone();
            self.store.insert_operator(&model::Operator::new(name.clone(), hash, first.role, clock::now())).await?;
        }
        Operator::sign_in(&self.admin.url, &name, PASSWORD).await
    }

    /// Takes a cluster for a user of its own; when that was written down.
    pub async fn claim(&self) -> anyhow::Result<Instant> {
        let apply = Apply {
            user: UserId::parse(&format!("u{:016x}", rand::random::<u64>()))?,
            flavors: vec![FlavorId::parse(FLAVOR)?],
            holding: Holding::GiveAnother,
            most: None,
            key: None,
            metadata: Metadata::new(),
            now: clock::now(),
        };
        match self.store.apply(apply).await? {
            Applied::New(_) => Ok(Instant::now()),
            other => bail!("no cluster was given: {other:?}"),
        }
    }

    /// Gives back what users hold, and tells admin as app does.
    pub async fn release_all(&self) -> anyhow::Result<()> {
        let filter = ClusterFilter { phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
        for held in self.store.list_clusters(&filter, &Page::first(1_000)).await? {
            let released = held.release("the bench", clock::now()).context("the move is illegal")?;
            self.store.move_cluster(&held, &released, None).await?;
        }
        let answer = self.internal("doorbell").await?;
        ensure!(answer.status < 300, "ringing: {} {}", answer.status, answer.text);
        Ok(())
    }

    /// Takes every cluster, gives all back, and waits until as many are there anew.
    pub async fn empty_and_fill(&self) -> anyhow::Result<()> {
        for _ in 0..self.clusters {
            self.claim().await?;
        }
        self.release_all().await?;
        self.until_full().await;
        Ok(())
    }

    /// Milliseconds of a full look at all hosts.
    pub async fn look_at_all(&self) -> anyhow::Result<f64> {
        let answer = self.internal("look").await?;
        ensure!(answer.status == 200, "a look at everything: {} {}", answer.status, answer.text);
        answer.json()["took_ms"].as_f64().context("took_ms")
    }

    async fn internal(&self, what: &str) -> anyhow::Result<Answer> {
        let secret = self.house.environment.get("INTERNAL_SECRET").context("a secret")?;
        let url = format!("{}/internal/{what}", self.admin.url);
        Answer::of(client()?.post(url).bearer_auth(secret)).await
    }

    /// Waits until every place has a free cluster that can be had.
    pub async fn until_full(&self) {
        wait_until("the pool to be full", PATIENCE, || async {
            let filter = ClusterFilter { phases: vec![PhaseKind::Free], ..ClusterFilter::default() };
            let free = self.store.list_clusters(&filter, &Page::first(1_000)).await.unwrap_or_default();
            let offered = free.iter().filter(|cluster| cluster.offer.is_some()).count() as u64;
            if offered == self.clusters { Ok(()) } else { Err(format!("{offered} of {}", self.clusters)) }
        })
        .await;
    }

    /// Waits until admin has noticed that nobody looks any more. It does when it has something to send, so it is given that.
    pub async fn until_nobody_looks(&self) {
        wait_until("every stream to be closed", PATIENCE, || async {
            let open = self.open_streams().await.map_err(|error| error.to_string())?;
            if open == 0 {
                return Ok(());
            }
            self.tell_every_page().await.map_err(|error| error.to_string())?;
            Err(format!("{open} are open"))
        })
        .await;
    }

    async fn open_streams(&self) -> anyhow::Result<u64> {
        let answer = Answer::of(client()?.get(format!("{}/metrics", self.admin.url))).await?;
        let line = answer.text.lines().find(|line| !line.starts_with('#') && line.contains("live_streams "));
        let number = line.and_then(|line| line.split_whitespace().last()).context("no metric of live streams")?;
        Ok(number.parse()?)
    }

    async fn tell_every_page(&self) -> anyhow::Result<()> {
        let mut events = Vec::new();
        for host in &self.hosts {
            let event = Event::new(clock::now(), EventKind::HostChanged, Actor::Reconciler, "for the bench");
            events.push(event.about_host(&HostId::parse(host)?));
        }
        Ok(self.store.append_events(&events).await?)
    }

    /// Ends all of it.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.admin.program.end(Duration::from_secs(30)).await?;
        self.store.close().await;
        for sim in self.sims {
            sim.shutdown().await;
        }
        drop(self.operator);
        Ok(())
    }
}

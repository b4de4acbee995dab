//! One run: fills a pool, lets users and faults loose on it, waits for rest, and compares.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::clock;
use common::model::{Cluster, LeaseRecord};
use common::store::{ClusterFilter, LeaseFilter, Page, SharedStore, StoreTarget, StoreUser, open};
use futures_util::future::join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;

use super::crew::Crew;
use super::door::Door;
use super::leaks::{Traces, leaks};
use super::report::Report;
use super::schedule::{Due, Fault, schedule};
use super::strangers::Strangers;
use super::told::Book;
use super::user::Crowd;
use super::victims::Victims;
use super::{agree, record};
use crate::answer::client;
use crate::house::House;

/// Clusters.
pub const CAPACITY: u16 = 4;

/// Users.
pub const USERS: u64 = 8;

/// From the end of the faults to a pool at rest. Two cores that others use too need some twenty seconds.
const REST_LIMIT: Duration = Duration::from_secs(180);

/// A fault that found nothing to hit is left out after this.
const VICTIM_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks at a pool that comes to rest.
const LOOK: Duration = Duration::from_millis(250);

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long users and faults go on.
    pub length: Duration,
    /// Chooses faults and what users do.
    pub seed: u64,
    /// Where to keep what the programs print; `None`: nowhere.
    pub logs: Option<PathBuf>,
}

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    let mut house = House::on_replica_set(CAPACITY).await.context("starting MongoDB")?;
    if let Some(folder) = &settings.logs {
        house.keep_logs(folder)?;
    }
    let house = house;
    say(&format!("host={} seed={}", house.host_name, settings.seed));
    let target = StoreTarget::Mongo { url: house.environment["MONGO_URL"].clone(), database: "poolmanager".into() };
    let admins = [house.start_admin().await?, house.start_admin().await?];
    let app = house.start_app().await?;
    // After the programs, which make it.
    let store = open(&target, StoreUser::Admin).await.context("opening the store")?;
    let strangers = Strangers::settle(&house.daemon_url, &format!("stranger-{}", house.host_name))
        .await
        .context("settling strangers")?;
    let operator = admins[0].operator().await?;
    let host = house.add_host(&operator, CAPACITY).await?;
    let mut chaos = Chaos {
        house: &house,
        store,
        strangers,
        book: Book::default(),
        door: &Door::at(&app.url),
        seed: settings.seed,
        kills: AtomicU64::new(0),
        clusters: BTreeSet::new(),
        say,
    };
    let filled = chaos.rest().await?;
    anyhow::ensure!(filled.wrong.is_empty(), "the pool was not filled: {:?}", filled.wrong);
    say(&format!("{CAPACITY} clusters are free; {:?} of chaos begin", settings.length));

    let mut crew = Crew::of(&house, chaos.door, app, admins);
    chaos.rage(settings.length, &mut crew).await?;
    chaos.judge(&mut crew, &host).await
}

struct Chaos<'a> {
    house: &'a House,
    store: SharedStore,
    strangers: Strangers,
    book: Book,
    door: &'a Door,
    seed: u64,
    kills: AtomicU64,
    /// Ids of all clusters that were seen.
    clusters: BTreeSet<String>,
    say: &'a (dyn Fn(&str) + Sync),
}

/// A pool at rest, or what keeps it from that.
struct Rest {
    clusters: Vec<Cluster>,
    /// Not at rest.
    wrong: Vec<String>,
    /// Not on the engine as in the store.
    differences: Vec<String>,
}

impl Chaos<'_> {
    /// Users and faults, until all faults are done and the time is over.
    async fn rage(&self, length: Duration, crew: &mut Crew<'_>) -> anyhow::Result<()> {
        let schedule = schedule(self.seed, length);
        let victims = Victims::of(self.store.pool_id().as_str(), &self.house.daemon_url)?;
        let (http, over) = (client()?, AtomicBool::new(false));
        let crowd = Crowd { door: self.door, book: &self.book, http: &http, over: &over, seed: self.seed };
        let begun = Instant::now();
        let faults = async {
            let end = tokio::time::sleep(length);
            let outcome = tokio::try_join!(
                self.hit_programs(begun, &schedule.programs, crew),
                self.hit_containers(begun, &schedule.containers, &victims),
                self.hit_store(begun, &schedule.store),
            );
            end.await;
            (self.say)(&format!("{:.1} s: the faults are over", begun.elapsed().as_secs_f64()));
            over.store(true, Ordering::SeqCst);
            outcome
        };
        let (outcome, _, _) =
            tokio::join!(faults, join_all((0..USERS).map(|n| crowd.live(n))), self.tell_progress(begun, &over));
        outcome.map(|_| ())
    }

    async fn tell_progress(&self, begun: Instant, over: &AtomicBool) {
        let mut last = Instant::now();
        while !over.load(Ordering::SeqCst) {
            tokio::time::sleep(LOOK).await;
            if last.elapsed() >= Duration::from_secs(10) {
                last = Instant::now();
                (self.say)(&format!("{:.1} s: {:?}", begun.elapsed().as_secs_f64(), self.book.counts()));
            }
        }
    }

    async fn until(&self, begun: Instant, due: &Due) {
        tokio::time::sleep_until((begun + due.at).into()).await;
    }

    fn did(&self, begun: Instant, words: &str) {
        (self.say)(&format!("{:.1} s: {words}", begun.elapsed().as_secs_f64()));
    }

    async fn hit_programs(&self, begun: Instant, all: &[Due], crew: &mut Crew<'_>) -> anyhow::Result<()> {
        for due in all {
            self.until(begun, due).await;
            self.did(begun, &format!("{:?}", due.fault));
            match due.fault {
                Fault::KillApp => crew.kill_app().await?,
                Fault::KillLeader => crew.kill_leader(&self.store).await?,
                Fault::KillStandby => crew.kill_standby(&self.store).await?,
                Fault::StopLeader => {
                    match crew.stop_leader(&self.store).await? {
                        Some(took) => {
                            self.did(begun, &format!("the other admin led after {:.1} s", took.as_secs_f64()))
                        }
                        None => self.book.wrong("no other admin led while the leader was stopped".to_owned()),
                    }
                    continue;
                }
                Fault::KillContainer { .. }
                | Fault::PauseContainer { .. }
                | Fault::Intrude { .. }
                | Fault::StepDown => {}
            }
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn hit_containers(&self, begun: Instant, all: &[Due], victims: &Victims) -> anyhow::Result<()> {
        for due in all {
            self.until(begun, due).await;
            // None is there while all are being made; then it waits for one.
            let ends = Instant::now() + VICTIM_LIMIT;
            let (what, whom) = loop {
                let hit = match due.fault {
                    Fault::KillContainer { pick } => ("killed", victims.kill(pick).await?),
                    Fault::PauseContainer { pick } => ("paused", victims.pause(pick).await?),
                    Fault::Intrude { pick } => ("a stranger joined", victims.intrude(&self.strangers, pick).await?),
                    Fault::KillApp | Fault::KillLeader | Fault::KillStandby | Fault::StopLeader | Fault::StepDown => {
                        ("", None)
                    }
                };
                match hit {
                    (what, Some(whom)) => break (what, whom),
                    (what, None) if Instant::now() > ends => break (what, "nothing: there was none to hit".to_owned()),
                    (_, None) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            };
            self.did(begun, &format!("{what} {whom}"));
        }
        Ok(())
    }

    async fn hit_store(&self, begun: Instant, all: &[Due]) -> anyhow::Result<()> {
        let set = self.house.replica_set.as_ref().context("a replica set")?;
        for due in all {
            self.until(begun, due).await;
            let old = set.step_down().await?;
            self.did(begun, &format!("member {old} stepped down, member {} takes writes", set.primary().await?));
        }
        Ok(())
    }

    /// Waits for rest; whatever is in the way of it after the limit is the finding.
    async fn rest(&mut self) -> anyhow::Result<Rest> {
        let ends = Instant::now() + REST_LIMIT;
        loop {
            let seen = self.look().await;
            match seen {
                Ok(rest) => {
                    self.clusters.extend(rest.clusters.iter().map(|cluster| cluster.id.to_string()));
                    if (rest.wrong.is_empty() && rest.differences.is_empty()) || Instant::now() > ends {
                        return Ok(rest);
                    }
                }
                Err(error) if Instant::now() > ends => return Err(error),
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look(&self) -> anyhow::Result<Rest> {
        let clusters = self.clusters().await?;
        let found = self.house.engine.look().await?;
        let wrong = agree::unrest(&clusters, CAPACITY, clock::now());
        let differences = agree::differences(&clusters, &found);
        Ok(Rest { clusters, wrong, differences })
    }

    async fn clusters(&self) -> anyhow::Result<Vec<Cluster>> {
        Ok(self.store.list_clusters(&ClusterFilter::default(), &Page::first(1000)).await?)
    }

    async fn records(&self) -> anyhow::Result<Vec<LeaseRecord>> {
        let mut all: Vec<LeaseRecord> = Vec::new();
        loop {
            let after = all.last().map(|record| record.lease.id.to_string());
            let page = self.store.list_lease_records(&LeaseFilter::default(), &Page { after, limit: 500 }).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    fn complain(&self, what: &str, all: &[String]) -> usize {
        all.iter().for_each(|words| (self.say)(&format!("{what}: {words}")));
        all.len()
    }

    async fn judge(&mut self, crew: &mut Crew<'_>, host: &str) -> anyhow::Result<Report> {
        let begun = Instant::now();
        let rest = self.rest().await.context("waiting for rest")?;
        (self.say)(&format!("at rest after {:.1} s", begun.elapsed().as_secs_f64()));
        let records = self.records().await?;
        let held = record::all(&records, &rest.clusters);
        let ledger = self.book.all();
        self.clusters.extend(held.iter().map(|held| held.cluster.clone()));
        let double_leases = self.complain("double lease", &record::doubles(&held, &ledger));
        let lost_leases = self.complain("lost lease", &record::lost(&held, &ledger));
        let store_engine_differences = self.complain("difference", &rest.differences);
        let mut stuck = self.complain("stuck", &rest.wrong) + self.complain("wrong", &ledger.wrong);
        let leave = self.leave(crew, host).await;
        if let Err(error) = leave {
            stuck += self.complain("stuck", &[format!("{error:#}")]);
        }
        let traces = Traces {
            pool: self.store.pool_id().to_string(),
            host: format!("{}_", self.house.host_name),
            clusters: std::mem::take(&mut self.clusters),
        };
        let mut leaked = leaks(&self.house.daemon_url, &traces).await?;
        leaked.extend(self.strangers.harm().await);
        let leaked_objects = self.complain("leaked or harmed", &leaked);
        let counts = self.book.counts();
        Ok(Report {
            applies: counts.applies,
            refused: counts.refused,
            kills: self.kills.load(Ordering::SeqCst),
            double_leases,
            lost_leases,
            leaked_objects,
            store_engine_differences,
            stuck,
        })
    }

    /// Users give back what they hold, the pool is whole again, and the host goes.
    async fn leave(&mut self, crew: &mut Crew<'_>, host: &str) -> anyhow::Result<()> {
        let (http, over) = (client()?, AtomicBool::new(true));
        let (book, mut chance) = (Book::default(), StdRng::seed_from_u64(self.seed));
        let crowd = Crowd { door: self.door, book: &book, http: &http, over: &over, seed: self.seed };
        for (user, cluster) in self.book.held() {
            crowd.release(&user, &cluster, &mut chance).await;
        }
        let wrong = book.all().wrong;
        anyhow::ensure!(wrong.is_empty(), "giving back: {wrong:?}");
        let rest = self.rest().await?;
        anyhow::ensure!(
            rest.wrong.is_empty() && rest.differences.is_empty(),
            "after all was given back: {:?}, {:?}",
            rest.wrong,
            rest.differences
        );
        let held = rest.clusters.iter().filter(|cluster| cluster.lease().is_some()).count();
        anyhow::ensure!(held == 0, "{held} are in use after all was given back");
        let operator = crew.operator().await?;
        let path = format!("/api/v1/hosts/{host}");
        let answer = operator.call(Method::DELETE, &path, None).await?;
        anyhow::ensure!(answer.status == 202, "deleting the host: {} {}", answer.status, answer.text);
        let ends = Instant::now() + REST_LIMIT;
        while self.store.host(&common::model::HostId::parse(host)?).await?.is_some() {
            anyhow::ensure!(Instant::now() < ends, "the host does not go; {}", operator.words().await);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

//! One run: fills a pool and lets users and faults loose on it. What came of it is judged in [`super::judge`].

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::store::{SharedStore, StoreTarget, StoreUser, open};
use futures_util::future::join_all;

use super::crew::Crew;
use super::door::Door;
use super::report::Report;
use super::schedule::{ContainerFault, Due, ProgramFault, StoreFault, schedule};
use super::strangers::Strangers;
use super::told::Book;
use super::user::Crowd;
use super::victims::Victims;
use crate::answer::client;
use crate::house::House;
use crate::replica_set::ReplicaSet;

/// Clusters.
pub const CAPACITY: u16 = 4;

/// Users.
pub const USERS: u64 = 8;

/// A fault that found nothing to hit is left out after this.
const VICTIM_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks at a pool that comes to rest.
pub(super) const LOOK: Duration = Duration::from_millis(250);

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
    let mut set = house.replica_set.take().context("a replica set")?;
    let house = house;
    say(&format!("host={} seed={}", house.host_name, settings.seed));
    let target = StoreTarget::Mongo { url: house.environment["MONGO_URL"].clone(), database: "poolmanager".into() };
    let admins = [house.start_admin().await?, house.start_admin().await?];
    let apps = [house.start_app().await?, house.start_app().await?];
    let doors = [Door::at(&apps[0].url), Door::at(&apps[1].url)];
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
        doors: &doors,
        seed: settings.seed,
        kills: AtomicU64::new(0),
        clusters: BTreeSet::new(),
        kept: BTreeSet::new(),
        say,
    };
    let filled = chaos.rest().await?;
    anyhow::ensure!(filled.wrong.is_empty(), "the pool was not filled: {:?}", filled.wrong);
    say(&format!("{CAPACITY} clusters are free; {:?} of chaos begin", settings.length));

    let mut crew = Crew::of(&house, chaos.doors, apps, admins);
    chaos.rage(settings.length, &mut crew, &mut set).await?;
    chaos.judge(&mut crew, &host).await
}

/// A pool under chaos.
pub(super) struct Chaos<'a> {
    pub(super) house: &'a House,
    pub(super) store: SharedStore,
    pub(super) strangers: Strangers,
    pub(super) book: Book,
    pub(super) doors: &'a [Door; 2],
    pub(super) seed: u64,
    pub(super) kills: AtomicU64,
    /// Ids of all clusters that were seen.
    pub(super) clusters: BTreeSet<String>,
    /// Ids of networks that the engine keeps whoever asks it to remove them.
    pub(super) kept: BTreeSet<String>,
    pub(super) say: &'a (dyn Fn(&str) + Sync),
}

impl Chaos<'_> {
    /// Users and faults, until all faults are done and the time is over.
    async fn rage(&self, length: Duration, crew: &mut Crew<'_>, set: &mut ReplicaSet) -> anyhow::Result<()> {
        let schedule = schedule(self.seed, length);
        let victims = Victims::of(self.store.pool_id().as_str(), &self.house.daemon_url)?;
        let (http, over) = (client()?, AtomicBool::new(false));
        let crowd = Crowd::new(self.doors, &self.book, &http, &over, self.seed);
        let begun = Instant::now();
        let faults = async {
            let end = tokio::time::sleep(length);
            let outcome = tokio::try_join!(
                self.hit_programs(begun, &schedule.programs, crew),
                self.hit_containers(begun, &schedule.containers, &victims),
                self.hit_store(begun, &schedule.store, set),
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

    fn did(&self, begun: Instant, words: &str) {
        (self.say)(&format!("{:.1} s: {words}", begun.elapsed().as_secs_f64()));
    }

    async fn hit_programs(&self, begun: Instant, all: &[Due<ProgramFault>], crew: &mut Crew<'_>) -> anyhow::Result<()> {
        let did = |words: &str| self.did(begun, words);
        for due in all {
            until(begun, due).await;
            match due.fault {
                ProgramFault::KillApp { pick } => {
                    did("SIGKILL to an app");
                    crew.kill_app(pick).await?;
                }
                ProgramFault::KillLeader => {
                    did("SIGKILL to the admin that leads");
                    crew.kill_leader(&self.store).await?;
                }
                ProgramFault::KillStandby => {
                    did("SIGKILL to the admin that stands by");
                    crew.kill_standby(&self.store).await?;
                }
                ProgramFault::StopLeader => {
                    did("SIGSTOP to the admin that leads");
                    match crew.stop_leader(&self.store).await? {
                        Some(took) => did(&format!("the other one led after {:.1} s", took.as_secs_f64())),
                        None => self.book.wrong("no other admin led while the leader was stopped".to_owned()),
                    }
                    continue;
                }
            }
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn hit_containers(
        &self,
        begun: Instant,
        all: &[Due<ContainerFault>],
        victims: &Victims,
    ) -> anyhow::Result<()> {
        for due in all {
            until(begun, due).await;
            // None is there while all are being made; then it waits for one.
            let ends = Instant::now() + VICTIM_LIMIT;
            let (what, whom) = loop {
                let (what, whom) = match due.fault {
                    ContainerFault::Kill { pick } => ("killed", victims.kill(pick).await?),
                    ContainerFault::Pause { pick } => ("paused", victims.pause(pick).await?),
                    ContainerFault::Remove { pick } => ("removed", victims.remove(pick).await?),
                    ContainerFault::Intrude { pick } => {
                        ("a stranger joined", victims.intrude(&self.strangers, pick).await?)
                    }
                };
                match whom {
                    Some(whom) => break (what, whom),
                    None if Instant::now() > ends => break (what, "nothing: there was none to hit".to_owned()),
                    None => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            };
            self.did(begun, &format!("{what} {whom}"));
        }
        Ok(())
    }

    async fn hit_store(&self, begun: Instant, all: &[Due<StoreFault>], set: &mut ReplicaSet) -> anyhow::Result<()> {
        for due in all {
            until(begun, due).await;
            match due.fault {
                StoreFault::StepDown => {
                    let old = set.step_down().await?;
                    self.did(begun, &format!("member {old} stepped down, {} takes writes", set.primary().await?));
                }
                StoreFault::KillPrimary => {
                    let old = set.primary().await?;
                    set.kill(old);
                    self.did(begun, &format!("member {old} was killed, {} takes writes", set.primary().await?));
                    set.restart(old).await?;
                }
            }
        }
        Ok(())
    }
}

async fn until<F>(begun: Instant, due: &Due<F>) {
    tokio::time::sleep_until((begun + due.at).into()).await;
}

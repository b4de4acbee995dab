//! Who leads: takes the reconciler lock, keeps it, and runs the pool while it has it; stands by while another has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock::{self, Pace};
use common::compose::{Catalog, DeepProbe};
use common::model::{Host, HostId, PhaseKind, SlotLayout, Timestamp};
use common::store::{ClusterCounts, SharedStore, StoreResult};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::execute::Tools;
use super::gate::Gate;
use super::host_loop::{self, Orders, Told};
use super::meters::Meters;
use super::news::News;
use super::outlook::Outlooks;
use super::plan_deep::DeepFacts;
use super::plan_demand::{self, Demand, Mix};
use super::plan_give_way::Patience;
use super::plan_host::Facts;
use super::plan_pool::{Target, plan_pool};
use super::policy::Policy;
use super::rooms::rooms;
use super::standing::Standings;
use super::term::Term;
use crate::seal::Seal;

/// The lock is void so long after its last renewal. A standby tries the moment it runs out, so it takes over within ten seconds.
const TERM: Duration = Duration::from_secs(7);
/// Three renewals may fail before the term ends.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// Targets are made anew so long after a change that nobody waits for.
const POOL_AFTER: Duration = Duration::from_secs(2);
/// Targets are made anew this often even if nothing was heard, while changes are told.
const POOL_EVERY: Duration = Duration::from_secs(10);
/// What users ask for is read this often: the counts are of whole minutes.
const DEMAND_EVERY: Duration = Duration::from_secs(15);
/// Two turns are at least so far apart: many rings at once are one.
const RING_GAP: Duration = Duration::from_millis(50);
/// A turn counts the whole pool. The pause after it is at least so many times as long, so that a large pool's turns cost
/// a tenth of a processor at most.
const TURN_SHARE: u32 = 9;
/// Full looks at engines at once.
const SURVEYS_AT_ONCE: usize = 16;
/// Probes at once in the whole pool. After a blind spell a thousand hosts want eight each; answers that wait for each other
/// until they are too late would make well clusters look ill.
const LOOKS_AT_ONCE: usize = 64;

/// What leading needs.
pub struct Leader {
    /// Where records are.
    pub store: SharedStore,
    /// What flavors mean.
    pub catalog: Arc<Catalog>,
    /// What slots mean.
    pub layout: SlotLayout,
    pub seal: Seal,
    /// Which flavors the pool is made of.
    pub mix: Mix,
    /// The most container starts at once on one host.
    pub max_starts: usize,
    /// Where this process' `/internal` answers.
    pub address: String,
    /// How long everything waits.
    pub pace: Pace,
    /// Whether free clusters are asked to commit a transaction now and then.
    pub deep_probes: bool,
    /// How long this process may act; renewed with the lock.
    pub term: Term,
    /// Rings.
    pub rings: watch::Receiver<u64>,
    /// What pages are told.
    pub outlooks: Outlooks,
    /// Who is told of changes.
    pub news: News,
    /// What is counted.
    pub meters: Meters,
}

/// What the leader keeps from turn to turn while it leads.
#[derive(Default)]
struct Pool {
    hosts: BTreeMap<HostId, watch::Sender<Orders>>,
    loops: JoinSet<HostId>,
    standings: Standings,
    patience: Patience,
    demand: Demand,
    demand_read: Option<Instant>,
}

impl Leader {
    /// Stands by and leads, by turns, until it is dropped. `holder` names this process in the lock.
    pub async fn run(self, holder: String) -> anyhow::Result<()> {
        let probes = super::placement::probes(&self.catalog)?;
        let deep = if self.deep_probes { super::placement::deep_probes(&self.catalog)? } else { BTreeMap::new() };
        let http = super::probe::client()?;
        let mut waiting_for: Option<String> = None;
        loop {
            let asked = Instant::now();
            let mut wait = self.pace.of(RENEW_EVERY);
            match self.store.take_lock(&holder, &self.address, self.pace.of(TERM), clock::now()).await {
                Ok(Some(lock)) => {
                    self.term.renew(asked + self.pace.of(TERM));
                    info!(term = lock.term, "this process leads: it looks after the hosts");
                    let tools = Arc::new(Tools {
                        store: self.store.clone(),
                        catalog: self.catalog.clone(),
                        layout: self.layout,
                        seal: self.seal.clone(),
                        probes: probes.clone(),
                        deep: deep.clone(),
                        http: http.clone(),
                        pace: self.pace,
                        term: self.term.clone(),
                        news: self.news.clone(),
                        meters: self.meters.clone(),
                        surveys: Gate::new(SURVEYS_AT_ONCE),
                        looks: Gate::patient(LOOKS_AT_ONCE),
                    });
                    self.outlooks.lead();
                    self.meters.leads(lock.term);
                    self.lead(&holder, &tools).await;
                    self.outlooks.clear();
                    self.meters.follows();
                    self.news.clear();
                    waiting_for = None;
                }
                Ok(None) => {
                    let lock = self.store.lock().await.ok().flatten();
                    if let Some(lock) = &lock {
                        wait = wait.min(until_void(lock.until, clock::now()));
                    }
                    let leader = lock.map(|lock| lock.holder);
                    if leader != waiting_for {
                        info!("standing by: another admin leads");
                        waiting_for = leader;
                    }
                }
                Err(error) => warn!("the reconciler lock cannot be asked for: {error}"),
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Leads until the lock is lost. Dropping the hosts' loops ends what they had under way between two calls; the next
    /// leader finds it half-way and goes on from there.
    async fn lead(&self, holder: &str, tools: &Arc<Tools>) {
        let keep = async {
            loop {
                tokio::time::sleep(self.pace.of(RENEW_EVERY)).await;
                let asked = Instant::now();
                match self.store.take_lock(holder, &self.address, self.pace.of(TERM), clock::now()).await {
                    Ok(Some(_)) => tools.term.renew(asked + self.pace.of(TERM)),
                    Ok(None) => {
                        warn!("another admin leads now");
                        break;
                    }
                    Err(error) => warn!("the reconciler lock could not be renewed: {error}"),
                }
                if tools.term.check().is_err() {
                    warn!("the reconciler lock ran out: nothing is changed until it is had again");
                    break;
                }
            }
        };
        tokio::select! {
            () = keep => {}
            () = self.look_after_hosts(tools) => {}
            () = tools.news.follow(&self.store) => {}
        }
    }

    fn deep_facts(&self, probe: &DeepProbe) -> DeepFacts {
        DeepFacts { every: self.pace.of(probe.every), needs_chaincode: probe.needs_chaincode }
    }

    async fn look_after_hosts(&self, tools: &Arc<Tools>) {
        let facts = Arc::new(Facts {
            flavors: self.catalog.flavors().iter().map(|f| (f.id.clone(), f.digest.clone())).collect(),
            slots: self.layout.slots(),
            deep: tools.deep.iter().map(|(flavor, probe)| (flavor.clone(), self.deep_facts(probe))).collect(),
        });
        let mut rings = self.rings.clone();
        let mut pool = Pool::default();
        loop {
            // Before the reading: a ring during it is for the next turn.
            rings.mark_unchanged();
            let began = Instant::now();
            match self.read().await {
                Ok((records, counts)) => {
                    self.bury(&records, &counts).await;
                    self.read_demand(&mut pool).await;
                    let targets = self.targets(&records, &counts, &facts, &mut pool);
                    self.meters.turned(began.elapsed(), &records, targets.values());
                    self.give_orders(&records, &counts, targets, &facts, &mut pool, tools);
                }
                Err(error) => warn!("the pool cannot be planned while the store does not answer: {error}"),
            }
            tokio::time::sleep(self.pace.of(RING_GAP).max(began.elapsed() * TURN_SHARE)).await;
            let changed = async {
                tools.news.pool_changed().await;
                tokio::time::sleep_until((began + self.pace.of(POOL_AFTER)).into()).await;
            };
            let longest = if tools.news.is_watching() { POOL_EVERY } else { POOL_AFTER };
            tokio::select! {
                _ = rings.changed() => {}
                () = changed => {}
                () = tokio::time::sleep(self.pace.of(longest)) => {}
                Some(ended) = pool.loops.join_next(), if !pool.loops.is_empty() => {
                    match ended {
                        Ok(host) => { pool.hosts.remove(&host); }
                        // A loop that panicked is begun anew; which one it was shows by its closed channel.
                        Err(error) => {
                            warn!("a host's loop ended: {error}");
                            pool.hosts.retain(|_, orders| !orders.is_closed());
                        }
                    }
                }
            }
        }
    }

    /// Drops records of clusters whose host has none: nothing of them can be reached any more.
    async fn bury(&self, records: &[Host], counts: &ClusterCounts) {
        let known: BTreeSet<&HostId> = records.iter().map(|host| &host.id).collect();
        let of_nobody = |id: &&HostId| !known.contains(*id);
        for host in counts.keys().map(|(host, _, _)| host).filter(of_nobody).collect::<BTreeSet<_>>() {
            if let Err(error) = super::bury::bury(&self.store, &self.term, host).await {
                warn!(host.id = %host, "records of a host that is gone could not be dropped: {error}");
            }
        }
    }

    async fn read(&self) -> StoreResult<(Vec<Host>, ClusterCounts)> {
        Ok((self.store.list_hosts().await?, self.store.count_clusters().await?))
    }

    /// What was read last stands while the store does not tell: demand steers, nothing more.
    async fn read_demand(&self, pool: &mut Pool) {
        if pool.demand_read.is_some_and(|at| at.elapsed() < self.pace.of(DEMAND_EVERY)) {
            return;
        }
        pool.demand_read = Some(Instant::now());
        let now = clock::now();
        match self.store.applies(now - plan_demand::WINDOW).await {
            Ok(counts) => pool.demand = Demand::of(&counts, now),
            Err(error) => warn!("what users ask for could not be read: {error}"),
        }
    }

    fn targets(
        &self,
        records: &[Host],
        counts: &ClusterCounts,
        facts: &Facts,
        pool: &mut Pool,
    ) -> BTreeMap<HostId, Target> {
        let known = |flavor: &_| facts.flavors.contains_key(flavor);
        let rooms = rooms(records, counts, &pool.standings, known);
        let mut plan = plan_pool(&rooms, &self.mix, &pool.demand);
        let every = Policy::default().at(self.pace).give_way_every;
        pool.patience.settle(&mut plan, every, clock::now());
        plan.targets
    }

    fn give_orders(
        &self,
        records: &[Host],
        counts: &ClusterCounts,
        mut targets: BTreeMap<HostId, Target>,
        facts: &Arc<Facts>,
        pool: &mut Pool,
        tools: &Arc<Tools>,
    ) {
        let probed = |phase: PhaseKind| matches!(phase, PhaseKind::Free | PhaseKind::InUse);
        let probed = counts.iter().filter(|((_, _, phase), _)| probed(*phase)).map(|(_, n)| n).sum();
        for host in records {
            let target = targets.remove(&host.id).unwrap_or_default();
            let policy = Policy::for_pool(probed).at(self.pace);
            let orders = Orders { target, facts: facts.clone(), policy, version: host.version };
            if let Some(sender) = pool.hosts.get(&host.id) {
                // Only what differs wakes a loop.
                sender.send_if_modified(|old| {
                    let news = old.target != orders.target
                        || old.version != orders.version
                        || !old.policy.is_much_like(&orders.policy);
                    if news {
                        *old = orders;
                    }
                    news
                });
                continue;
            }
            let (sender, receiver) = watch::channel(orders);
            pool.hosts.insert(host.id.clone(), sender);
            let (tools, id) = (tools.clone(), host.id.clone());
            let told = Told { outlooks: self.outlooks.clone(), standings: pool.standings.clone() };
            let max_starts = self.max_starts;
            pool.loops.spawn(async move {
                host_loop::run(tools, id.clone(), max_starts, receiver, told).await;
                id
            });
        }
        let known: BTreeSet<&HostId> = records.iter().map(|host| &host.id).collect();
        pool.hosts.retain(|id, _| known.contains(id));
    }
}

/// To the moment at which the lock runs out: if that comes first a standby asks then, so that a dead leader is followed
/// as soon as it may be. Never less than a moment: clocks differ.
fn until_void(until: Timestamp, now: Timestamp) -> Duration {
    until.since(now) + Duration::from_millis(50)
}

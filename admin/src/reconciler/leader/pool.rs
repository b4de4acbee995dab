//! The leader's turns over the whole pool: hosts are read and clusters counted, targets made, and each host's loop is given
//! its orders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock;
use common::compose::DeepProbe;
use common::model::{Host, HostId, PhaseKind};
use common::store::{ClusterCounts, StoreResult};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::standings::Standings;
use super::{Leader, bury};
use crate::reconciler::execute::Tools;
use crate::reconciler::host_loop::{self, Orders, Told};
use crate::reconciler::plan::host::{DeepFacts, Facts};
use crate::reconciler::plan::pool::demand::{self, Demand};
use crate::reconciler::plan::pool::give_way::Patience;
use crate::reconciler::plan::pool::rooms::rooms;
use crate::reconciler::plan::pool::{Target, plan_pool};
use crate::reconciler::policy::Policy;

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
    /// Looks after all hosts, turn by turn, until it is dropped.
    pub(super) async fn look_after_hosts(&self, tools: &Arc<Tools>) {
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

    fn deep_facts(&self, probe: &DeepProbe) -> DeepFacts {
        DeepFacts { every: self.pace.of(probe.every), needs_chaincode: probe.needs_chaincode }
    }

    /// Drops records of clusters whose host has none: nothing of them can be reached any more.
    async fn bury(&self, records: &[Host], counts: &ClusterCounts) {
        let known: BTreeSet<&HostId> = records.iter().map(|host| &host.id).collect();
        let of_nobody = |id: &&HostId| !known.contains(*id);
        for host in counts.keys().map(|(host, _, _)| host).filter(of_nobody).collect::<BTreeSet<_>>() {
            if let Err(error) = bury::bury(&self.store, &self.term, host).await {
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
        match self.store.applies(now - demand::WINDOW).await {
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
        let rooms = rooms(records, counts, |host| pool.standings.of(host), known);
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
        let policy = Policy::for_pool(probed).at(self.pace);
        for host in records {
            let target = targets.remove(&host.id).unwrap_or_default();
            let orders = Orders { target, facts: facts.clone(), policy: policy.clone(), version: host.version };
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

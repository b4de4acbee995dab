//! Carries a minute of sampling out: lists what could be measured, measures what is due, keeps what came of it.
//!
//! Twenty engines' answers are waited for at once at most, four of one engine; calls are spread over the minute. An engine that fails
//! once in a minute is left alone for the rest of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::model::{
    Cluster, ClusterId, EventKind, Host, HostId, NodeState, PhaseKind, SAMPLE_EVERY, Sample, Subject, Timestamp,
    beginning,
};
use common::store::{ClusterFilter, EventFilter, Page, SharedStore, StoreResult};
use engine::EngineError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::due::{Bounds, Candidate, Class, Due, due};
use super::open::OpenNow;
use super::pool_counts::{self, Made};
use super::sheet::{Reading, Sheet};
use super::{Engines, Measured};
use crate::reconciler::Reconciler;

/// Engines that are waited for at once: more would take processor time from the reconciler in bursts.
const AT_ONCE: usize = 20;

/// Of one engine at once: it has other things to do, starts above all.
const AT_ONCE_OF_HOST: usize = 4;

/// Forty calls a second over fifty-odd seconds, some 7 ms of an engine each; four a second of one engine. So 550 clusters of four
/// nodes are measured each minute, and more take turns.
const BOUNDS: Bounds = Bounds { calls: 2_200, calls_of_host: 240 };

/// In which a minute's calls are begun; what is left of it is for the last answers.
const SPREAD: Duration = Duration::from_secs(50);

/// From one cluster to the next where there are few: no burst, and done before long.
const APART: Duration = Duration::from_millis(250);

/// Nobody waits for the first measurements in vain: a second one so soon tells the processor's use.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Clusters read at once; more are read in the next minute, where their turn comes.
const READ: u32 = 600;

/// Samples written at once: some milliseconds of the store's one writer on SQLite.
const WRITTEN: usize = 64;

/// Clusters that became free within a minute, of which it is looked up how long that took.
const MADE: u32 = 50;

/// What a process does about samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Measures what is leased, hosts, and the pool, besides what its own pages have open.
    Leads,
    /// Measures what its own pages have open.
    StandsBy,
}

/// What goes on from minute to minute.
pub struct Round {
    store: SharedStore,
    reconciler: Reconciler,
    engines: Engines,
    sheet: Sheet,
    leased: Turn,
    free: Turn,
    /// Ready events up to here were looked at.
    made_up_to: Option<Timestamp>,
}

/// Whose turn it is: those after this one. Clusters take turns in the order of their ids.
type Turn = Option<ClusterId>;

/// What one look at a cluster came to.
type Looked = Result<Vec<Reading>, EngineError>;

/// What is to be measured, and where it is.
struct Work {
    cluster: Cluster,
    host: Host,
    class: Class,
}

impl Round {
    pub fn new(store: SharedStore, reconciler: Reconciler, engines: Engines) -> Round {
        Round { store, reconciler, engines, sheet: Sheet::default(), leased: None, free: None, made_up_to: None }
    }

    /// What this process does about samples now.
    pub fn role(&self) -> Role {
        if self.reconciler.leads() { Role::Leads } else { Role::StandsBy }
    }

    /// All that is due in this minute.
    pub async fn minute(&mut self, open: OpenNow, role: Role) -> Measured {
        let leads = role == Role::Leads;
        if !leads && open == OpenNow::default() {
            return Measured::default();
        }
        match self.try_minute(open, leads).await {
            Ok(measured) => measured,
            Err(error) => {
                warn!("a minute has no samples: {error}");
                Measured::default()
            }
        }
    }

    /// What a page has opened since the minute began, so that it need not wait for the next.
    pub async fn just_opened(&mut self, open: OpenNow) {
        let only = OpenNow { hosts: BTreeSet::new(), ..open };
        if let Err(error) = self.measure_open(&only).await {
            warn!("what a page has just opened has no samples yet: {error}");
        }
    }

    async fn try_minute(&mut self, open: OpenNow, leads: bool) -> StoreResult<Measured> {
        let (now, hosts) = (clock::now(), self.store.list_hosts().await?);
        self.engines.keep_only(&hosts);
        if leads {
            self.count_pool(&hosts, now).await?;
        }
        let mut clusters = self.opened(&open).await?;
        let mut turns_over = false;
        if leads {
            let (leased, over) = self.turn(PhaseKind::InUse, &self.leased).await?;
            clusters.extend(leased.into_iter().map(|cluster| (cluster, Class::Leased)));
            clusters.extend(self.on_open_hosts(&open).await?);
            let (free, over_too) = self.turn(PhaseKind::Free, &self.free).await?;
            clusters.extend(free.into_iter().map(|cluster| (cluster, Class::Free)));
            turns_over = over && over_too;
        }
        let away: BTreeSet<HostId> =
            hosts.iter().filter(|host| !host.contact.state.is_active()).map(|host| host.id.clone()).collect();
        let candidates: Vec<Candidate> = clusters.iter().map(|(cluster, class)| candidate(cluster, *class)).collect();
        let chosen = due(&candidates, &away, BOUNDS);
        let result = Measured { measured: chosen.take.len(), passed_over: chosen.over, away: chosen.away };
        let spread = SPREAD.min(APART * u32::try_from(chosen.take.len()).unwrap_or(u32::MAX));
        self.measure(work(clusters, &hosts, &chosen), spread).await;
        if leads {
            // Who was not measured in a minute that had room for all is gone.
            let all_measured = (turns_over && chosen.over == 0).then_some(now);
            self.sheet.forget(all_measured, clock::now());
            self.leased = chosen.leased_up_to.or(self.leased.take());
            self.free = chosen.free_up_to.or(self.free.take());
            self.sum_up_hosts(&hosts, beginning(now, SAMPLE_EVERY)).await?;
        }
        Ok(result)
    }

    async fn measure_open(&mut self, open: &OpenNow) -> StoreResult<()> {
        let clusters = self.opened(open).await?;
        let new = clusters.into_iter().filter(|(cluster, _)| !self.is_known(cluster)).collect::<Vec<_>>();
        let hosts = self.store.list_hosts().await?;
        let chosen =
            Due { take: new.iter().map(|(cluster, class)| (cluster.id.clone(), *class)).collect(), ..Due::default() };
        let active: Vec<Host> = hosts.into_iter().filter(|host| host.contact.state.is_active()).collect();
        self.measure(work(new, &active, &chosen), Duration::ZERO).await;
        Ok(())
    }

    fn is_known(&self, cluster: &Cluster) -> bool {
        running(cluster).any(|(_, container)| self.sheet.knows(container))
    }

    async fn opened(&self, open: &OpenNow) -> StoreResult<Vec<(Cluster, Class)>> {
        let mut clusters = Vec::new();
        for id in &open.clusters {
            clusters.extend(self.store.cluster(id).await?.map(|cluster| (cluster, Class::Open)));
        }
        Ok(clusters)
    }

    async fn on_open_hosts(&self, open: &OpenNow) -> StoreResult<Vec<(Cluster, Class)>> {
        let mut clusters = Vec::new();
        for host in &open.hosts {
            let phases = vec![PhaseKind::InUse, PhaseKind::Free];
            let filter = ClusterFilter { host: Some(host.clone()), phases, ..ClusterFilter::default() };
            let there = self.store.list_clusters(&filter, &Page::first(READ)).await?;
            clusters.extend(there.into_iter().map(|cluster| (cluster, Class::OnOpenHost)));
        }
        Ok(clusters)
    }

    /// Those whose turn it is, from where the last minute ended, and whether these are all there are.
    async fn turn(&self, phase: PhaseKind, turn: &Turn) -> StoreResult<(Vec<Cluster>, bool)> {
        let filter = ClusterFilter { phases: vec![phase], ..ClusterFilter::default() };
        let after = turn.as_ref().map(ToString::to_string);
        let mut clusters = self.store.list_clusters(&filter, &Page { after, limit: READ }).await?;
        let mut whole = clusters.len() < READ as usize;
        if let Some(first) = turn.as_ref().filter(|_| whole) {
            let again = self.store.list_clusters(&filter, &Page::first(READ)).await?;
            whole = again.len() < READ as usize;
            clusters.extend(again.into_iter().take_while(|cluster| cluster.id <= *first));
        }
        Ok((clusters, whole))
    }

    /// Measures these, their beginnings spread over so long.
    async fn measure(&mut self, work: Vec<Work>, spread: Duration) {
        let count = u32::try_from(work.len()).unwrap_or(u32::MAX).max(1);
        let (began, all) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut of_host: BTreeMap<HostId, Arc<Semaphore>> = BTreeMap::new();
        let (mut measuring, mut failed, mut samples) = (JoinSet::new(), BTreeSet::new(), Vec::new());
        for (nth, one) in (0_u32..).zip(work) {
            tokio::time::sleep_until(began + spread / count * nth).await;
            while let Some(done) = measuring.try_join_next() {
                self.take(done.ok(), &mut failed, &mut samples).await;
            }
            if failed.contains(&one.host.id) {
                continue;
            }
            let of_host =
                of_host.entry(one.host.id.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_OF_HOST)));
            let (all, of_host, engines) = (all.clone(), of_host.clone(), self.engines.clone());
            let again = one.class == Class::Open && !self.is_known(&one.cluster);
            measuring.spawn(async move {
                let _here = of_host.acquire_owned().await;
                let _any = all.acquire_owned().await;
                let first = read(&engines, &one).await;
                if !again || first.is_err() {
                    return (one, vec![first]);
                }
                tokio::time::sleep(SECOND_LOOK).await;
                let second = read(&engines, &one).await;
                (one, vec![first, second])
            });
        }
        while let Some(done) = measuring.join_next().await {
            self.take(done.ok(), &mut failed, &mut samples).await;
        }
        self.put(&mut samples).await;
    }

    async fn take(
        &mut self,
        done: Option<(Work, Vec<Looked>)>,
        failed: &mut BTreeSet<HostId>,
        samples: &mut Vec<Sample>,
    ) {
        let Some((Work { cluster, host, class }, readings)) = done else { return };
        for readings in readings {
            match readings {
                Ok(readings) => {
                    let now = clock::now();
                    let values = self.sheet.note(&cluster.id, &host.id, &readings, now);
                    if class.is_kept() && !values.is_empty() {
                        let (subject, minute) = (Subject::Cluster(cluster.id.clone()), beginning(now, SAMPLE_EVERY));
                        samples.push(Sample { subject, minute, values });
                    }
                }
                Err(error) => {
                    debug!(host = %host.settings.name, "{} has no sample this minute: {error}", cluster.name);
                    failed.insert(host.id.clone());
                }
            }
        }
        if class == Class::Open || samples.len() >= WRITTEN {
            self.put(samples).await;
        }
    }

    async fn put(&self, samples: &mut Vec<Sample>) {
        for some in samples.chunks(WRITTEN) {
            if let Err(error) = self.store.put_samples(some).await {
                warn!("samples are lost: {error}");
            }
        }
        samples.clear();
    }

    async fn count_pool(&mut self, hosts: &[Host], now: Timestamp) -> StoreResult<()> {
        let counts = self.store.count_clusters().await?;
        let made = self.made(now).await?;
        let minute = beginning(now, SAMPLE_EVERY);
        let values = pool_counts::values(&counts, hosts, &made);
        self.store.put_samples(&[Sample { subject: Subject::Pool, minute, values }]).await
    }

    /// Clusters that became free since the last minute, those that are still there.
    async fn made(&mut self, now: Timestamp) -> StoreResult<Vec<Made>> {
        let since = self.made_up_to.replace(now).unwrap_or(now - SAMPLE_EVERY);
        let ready =
            EventFilter { kinds: vec![EventKind::Ready], since: Some(since), until: Some(now), ..Default::default() };
        let mut made = Vec::new();
        for event in self.store.list_events(&ready, &Page::first(MADE)).await? {
            let Some((id, _)) = &event.cluster else { continue };
            let cluster = self.store.cluster(id).await?;
            made.extend(cluster.map(|cluster| Made { began: cluster.created_at, ready: event.at }));
        }
        Ok(made)
    }

    /// What each host's clusters use together; a gap where none was measured that is there.
    async fn sum_up_hosts(&self, hosts: &[Host], minute: Timestamp) -> StoreResult<()> {
        let mut clusters: BTreeMap<HostId, u64> = BTreeMap::new();
        for ((host, _, phase), n) in self.store.count_clusters().await? {
            if matches!(phase, PhaseKind::Free | PhaseKind::InUse) {
                *clusters.entry(host).or_default() += n;
            }
        }
        let sums = self.sheet.of_hosts();
        let mut samples = Vec::new();
        for host in hosts.iter().filter(|host| host.contact.state.is_active()) {
            let there = clusters.get(&host.id).copied().unwrap_or(0);
            let (used, measured) = sums.get(&host.id).copied().unwrap_or_default();
            let mut values = BTreeMap::from([("clusters".to_owned(), there), ("measured".to_owned(), measured)]);
            if measured > 0 || there == 0 {
                values.insert("memory".to_owned(), used.memory);
                let cpu = if there == 0 { Some(0) } else { used.cpu };
                values.extend(cpu.map(|cpu| ("cpu".to_owned(), cpu)));
            }
            samples.push(Sample { subject: Subject::Host(host.id.clone()), minute, values });
        }
        self.put(&mut samples).await;
        Ok(())
    }
}

fn candidate(cluster: &Cluster, class: Class) -> Candidate {
    let containers = running(cluster).count();
    Candidate { cluster: cluster.id.clone(), host: cluster.host.clone(), containers, class }
}

/// Nodes that run, as far as is known, with their containers.
fn running(cluster: &Cluster) -> impl Iterator<Item = (&common::model::NodeName, &String)> {
    let there = cluster.nodes.iter().filter(|(_, node)| node.state == NodeState::Running);
    there.filter_map(|(name, node)| Some((name, node.container.as_ref()?)))
}

fn work(clusters: Vec<(Cluster, Class)>, hosts: &[Host], chosen: &Due) -> Vec<Work> {
    let hosts: BTreeMap<&HostId, &Host> = hosts.iter().map(|host| (&host.id, host)).collect();
    let mut clusters: BTreeMap<ClusterId, Cluster> =
        clusters.into_iter().map(|(cluster, _)| (cluster.id.clone(), cluster)).collect();
    let work = chosen.take.iter().filter_map(|(id, class)| {
        let cluster = clusters.remove(id)?;
        let host = (*hosts.get(&cluster.host)?).clone();
        Some(Work { cluster, host, class: *class })
    });
    work.collect()
}

/// One look at each container of a cluster, one after the other. One that went meanwhile is left out.
async fn read(engines: &Engines, one: &Work) -> Looked {
    let engine = engines.of(&one.host).await?;
    let mut readings = Vec::new();
    for (node, container) in running(&one.cluster) {
        match engine.stats(container).await {
            // All zero: it ended, and nobody has noticed yet.
            Ok(stats) if stats.memory == 0 && stats.pids == 0 => {}
            Ok(stats) => readings.push(Reading { node: node.clone(), container: container.clone(), stats }),
            Err(EngineError::Gone { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(readings)
}

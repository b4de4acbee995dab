//! Measures what was chosen: asks the engines, takes their answers into the sheet, and keeps the samples that come of it.
//!
//! Twenty engines' answers are waited for at once at most, four of one engine; calls are spread over the time given. An engine
//! that fails once is left alone for the rest of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::model::{Cluster, Host, HostId, SAMPLE_EVERY, Sample, Subject, beginning};
use common::store::SharedStore;
use engine::EngineError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::Engines;
use super::candidates::{Classed, running};
use super::due::{Class, Due};
use super::sheet::{Reading, Sheet};

/// Engines that are waited for at once: more would take processor time from the reconciler in bursts.
const AT_ONCE: usize = 20;

/// Of one engine at once: it has other things to do, starts above all.
const AT_ONCE_OF_HOST: usize = 4;

/// Nobody waits for the first measurements in vain: a second one so soon tells the processor's use.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Samples written at once: some milliseconds of the store's one writer on SQLite.
const WRITTEN: usize = 64;

/// A cluster that is to be measured, and where it is.
pub struct Work {
    cluster: Cluster,
    host: Host,
    class: Class,
}

/// What one look at a cluster came to.
type Looked = Result<Vec<Reading>, EngineError>;

/// Some clusters being measured.
pub struct Measuring<'a> {
    store: &'a SharedStore,
    engines: &'a Engines,
    sheet: &'a mut Sheet,
    /// Engines that are left alone.
    failed: BTreeSet<HostId>,
    /// Not written yet.
    samples: Vec<Sample>,
}

/// What was chosen of these clusters, in its order, as far as their hosts are there.
pub fn work<'a>(clusters: Vec<Classed>, hosts: impl Iterator<Item = &'a Host>, chosen: &Due) -> Vec<Work> {
    let hosts: BTreeMap<&HostId, &Host> = hosts.map(|host| (&host.id, host)).collect();
    let mut clusters: BTreeMap<_, Cluster> =
        clusters.into_iter().map(|(cluster, _)| (cluster.id.clone(), cluster)).collect();
    let work = chosen.take.iter().filter_map(|(id, class)| {
        let cluster = clusters.remove(id)?;
        let host = (*hosts.get(&cluster.host)?).clone();
        Some(Work { cluster, host, class: *class })
    });
    work.collect()
}

/// Whether some of it was measured before, so that the next measurement tells its processor use.
pub fn is_known(sheet: &Sheet, cluster: &Cluster) -> bool {
    running(cluster).any(|(_, container)| sheet.knows(container))
}

/// Writes samples; those that cannot be written are lost.
pub async fn put(store: &SharedStore, samples: &[Sample]) {
    for some in samples.chunks(WRITTEN) {
        if let Err(error) = store.put_samples(some).await {
            warn!("samples are lost: {error}");
        }
    }
}

impl<'a> Measuring<'a> {
    /// Nothing measured yet.
    pub fn new(store: &'a SharedStore, engines: &'a Engines, sheet: &'a mut Sheet) -> Measuring<'a> {
        Measuring { store, engines, sheet, failed: BTreeSet::new(), samples: Vec::new() }
    }

    /// Measures these, their beginnings spread over so long.
    pub async fn run(mut self, work: Vec<Work>, spread: Duration) {
        let count = u32::try_from(work.len()).unwrap_or(u32::MAX).max(1);
        let (began, all) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut of_host: BTreeMap<HostId, Arc<Semaphore>> = BTreeMap::new();
        let mut measuring = JoinSet::new();
        for (nth, one) in (0_u32..).zip(work) {
            tokio::time::sleep_until(began + spread / count * nth).await;
            while let Some(done) = measuring.try_join_next() {
                self.take(done.ok()).await;
            }
            if self.failed.contains(&one.host.id) {
                continue;
            }
            let of_host =
                of_host.entry(one.host.id.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_OF_HOST)));
            let (all, of_host, engines) = (all.clone(), of_host.clone(), self.engines.clone());
            let again = one.class == Class::Open && !is_known(self.sheet, &one.cluster);
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
            self.take(done.ok()).await;
        }
        self.put().await;
    }

    async fn take(&mut self, done: Option<(Work, Vec<Looked>)>) {
        let Some((Work { cluster, host, class }, looks)) = done else { return };
        for looked in looks {
            match looked {
                Ok(readings) => {
                    let now = clock::now();
                    let values = self.sheet.note(&cluster.id, &host.id, &readings, now);
                    if class.is_kept() && !values.is_empty() {
                        let (subject, minute) = (Subject::Cluster(cluster.id.clone()), beginning(now, SAMPLE_EVERY));
                        self.samples.push(Sample { subject, minute, values });
                    }
                }
                Err(error) => {
                    debug!(host = %host.settings.name, "{} has no sample this minute: {error}", cluster.name);
                    self.failed.insert(host.id.clone());
                }
            }
        }
        if class == Class::Open || self.samples.len() >= WRITTEN {
            self.put().await;
        }
    }

    async fn put(&mut self) {
        put(self.store, &self.samples).await;
        self.samples.clear();
    }
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

//! A minute of sampling: lists what could be measured, has [`super::due`] choose, measures that, and counts the pool and its
//! hosts. How each is done is in the files beside this one.

use std::collections::BTreeSet;
use std::time::Duration;

use common::clock;
use common::model::{EventKind, Host, HostId, SAMPLE_EVERY, Sample, Subject, Timestamp, beginning};
use common::store::{EventFilter, Page, SharedStore, StoreResult};
use tracing::warn;

use super::candidates::{self, Turns, candidate};
use super::due::{Bounds, Candidate, Due, due};
use super::measure::{self, Measuring, is_known, work};
use super::open::OpenNow;
use super::pool_counts::{self, Made};
use super::sheet::Sheet;
use super::{Engines, Measured};
use crate::reconciler::Reconciler;
use crate::tally::Tally;

/// Forty calls a second over fifty-odd seconds, some 7 ms of an engine each; four a second of one engine. So 550 clusters of four
/// nodes are measured each minute, and more take turns.
const BOUNDS: Bounds = Bounds { calls: 2_200, calls_of_host: 240 };

/// In which a minute's calls are begun; what is left of it is for the last answers.
const SPREAD: Duration = Duration::from_secs(50);

/// From one cluster to the next where there are few: no burst, and done before long.
const APART: Duration = Duration::from_millis(250);

/// Clusters that became free within a minute, of which it is looked up how long that took.
const MADE: u32 = 50;

/// What was counted so long ago is a sample of this minute all the same; while nobody looks it is not counted more often.
const COUNTED_WITHIN: Duration = Duration::from_secs(15);

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
    tally: Tally,
    engines: Engines,
    sheet: Sheet,
    turns: Turns,
    /// Ready events up to here were looked at.
    made_up_to: Option<Timestamp>,
}

impl Round {
    pub fn new(store: SharedStore, reconciler: Reconciler, tally: Tally, engines: Engines) -> Round {
        let (sheet, turns) = (Sheet::default(), Turns::default());
        Round { store, reconciler, tally, engines, sheet, turns, made_up_to: None }
    }

    /// What this process does about samples now.
    pub fn role(&self) -> Role {
        if self.reconciler.leads() { Role::Leads } else { Role::StandsBy }
    }

    /// All that is due in this minute.
    pub async fn minute(&mut self, open: OpenNow, role: Role) -> Measured {
        if role == Role::StandsBy {
            // Who leads counts what is made meanwhile.
            self.made_up_to = None;
        }
        let measured = match role {
            Role::StandsBy if open == OpenNow::default() => return Measured::default(),
            Role::StandsBy => self.only_open(&open).await,
            Role::Leads => self.everything(&open).await,
        };
        measured.unwrap_or_else(|error| {
            warn!("a minute has no samples: {error}");
            Measured::default()
        })
    }

    /// What a page has opened since the minute began, so that it need not wait for the next.
    pub async fn just_opened(&mut self, open: OpenNow) {
        if let Err(error) = self.measure_new(&open).await {
            warn!("what a page has just opened has no samples yet: {error}");
        }
    }

    async fn only_open(&mut self, open: &OpenNow) -> StoreResult<Measured> {
        let hosts = self.tally.hosts().await?;
        self.engines.keep_only(&hosts);
        let clusters = candidates::opened(&self.store, open).await?;
        Ok(result_of(&self.measure(clusters, &hosts).await))
    }

    async fn everything(&mut self, open: &OpenNow) -> StoreResult<Measured> {
        let (now, hosts) = (clock::now(), self.tally.hosts().await?);
        let (counts, minute) = (self.tally.recent(COUNTED_WITHIN).await?, beginning(now, SAMPLE_EVERY));
        self.engines.keep_only(&hosts);
        let values = pool_counts::of_pool(&counts.by_phase, &hosts, &self.made(now).await?);
        self.store.put_samples(&[Sample { subject: Subject::Pool, minute, values }]).await?;
        let (clusters, all_there_are) = candidates::of_all(&self.store, open, &self.turns).await?;
        let chosen = self.measure(clusters, &hosts).await;
        // Who was not measured in a minute that had room for all is gone.
        let all_measured = (all_there_are && chosen.over == 0).then_some(now);
        self.sheet.forget(all_measured, clock::now());
        self.turns.go_on(&chosen);
        measure::put(&self.store, &pool_counts::of_hosts(&counts, &hosts, &self.sheet.of_hosts(), minute)).await;
        Ok(result_of(&chosen))
    }

    async fn measure_new(&mut self, open: &OpenNow) -> StoreResult<()> {
        let mut new = candidates::opened(&self.store, open).await?;
        new.retain(|(cluster, _)| !is_known(&self.sheet, cluster));
        let hosts = self.tally.hosts().await?;
        let take = new.iter().map(|(cluster, class)| (cluster.id.clone(), *class)).collect();
        let answering = hosts.iter().filter(|host| host.contact.state.is_active());
        let work = work(new, answering, &Due { take, ..Due::default() });
        Measuring::new(&self.store, &self.engines, &mut self.sheet).run(work, Duration::ZERO).await;
        Ok(())
    }

    /// Measures what is due of these; what that was.
    async fn measure(&mut self, clusters: Vec<candidates::Classed>, hosts: &[Host]) -> Due {
        let away: BTreeSet<HostId> =
            hosts.iter().filter(|host| !host.contact.state.is_active()).map(|host| host.id.clone()).collect();
        let candidates: Vec<Candidate> = clusters.iter().map(candidate).collect();
        let chosen = due(&candidates, &away, BOUNDS);
        let spread = SPREAD.min(APART * u32::try_from(chosen.take.len()).unwrap_or(u32::MAX));
        let work = work(clusters, hosts.iter(), &chosen);
        Measuring::new(&self.store, &self.engines, &mut self.sheet).run(work, spread).await;
        chosen
    }

    /// Clusters that became free since the last minute, those that are still there.
    async fn made(&mut self, now: Timestamp) -> StoreResult<Vec<Made>> {
        let since = self.made_up_to.unwrap_or(now - SAMPLE_EVERY);
        let ready =
            EventFilter { kinds: vec![EventKind::Ready], since: Some(since), until: Some(now), ..Default::default() };
        let mut made = Vec::new();
        for event in self.store.list_events(&ready, &Page::first(MADE)).await? {
            let Some((id, _)) = &event.cluster else { continue };
            let cluster = self.store.cluster(id).await?;
            made.extend(cluster.map(|cluster| Made { began: cluster.created_at, ready: event.at }));
        }
        self.made_up_to = Some(now);
        Ok(made)
    }
}

fn result_of(chosen: &Due) -> Measured {
    Measured { measured: chosen.take.len(), passed_over: chosen.over, away: chosen.away }
}

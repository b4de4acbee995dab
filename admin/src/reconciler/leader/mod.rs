//! Who leads: takes the reconciler lock, keeps it, and runs the pool while it has it; stands by while another has it.

mod bury;
mod pool;
pub mod standings;
pub mod term;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock::{self, Pace};
use common::compose::Catalog;
use common::model::{SlotLayout, Timestamp};
use common::store::SharedStore;
use tokio::sync::watch;
use tracing::{info, warn};

use self::term::Term;
use super::execute::gate::Gate;
use super::execute::{Tools, placement, probe};
use super::meters::Meters;
use super::outlook::Outlooks;
use super::plan::pool::demand::Mix;
use super::wake::news::News;
use crate::seal::Seal;

/// The lock is void so long after its last renewal. A standby tries the moment it runs out, so it takes over within ten seconds.
const TERM: Duration = Duration::from_secs(7);
/// Three renewals may fail before the term ends.
const RENEW_EVERY: Duration = Duration::from_secs(2);
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
    /// The way to hosts' daemons.
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

impl Leader {
    /// Stands by and leads, by turns, until it is dropped. `holder` names this process in the lock.
    pub async fn run(self, holder: String) -> anyhow::Result<()> {
        let probes = placement::probes(&self.catalog)?;
        let deep = if self.deep_probes { placement::deep_probes(&self.catalog)? } else { BTreeMap::new() };
        let http = probe::client()?;
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
                        wait = until_asked(lock.until, clock::now(), wait);
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
}

/// How long a standby waits before it asks for the lock again: `every` so often, and sooner if the lock runs out before, so
/// that a dead leader is followed as soon as it may be. Never less than a moment. One that is held though it ran out long
/// ago by this clock shows that clocks differ; then this one says nothing of when.
fn until_asked(until: Timestamp, now: Timestamp, every: Duration) -> Duration {
    if until + every <= now { every } else { every.min(until.since(now) + Duration::from_millis(50)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_asks_the_moment_the_lock_runs_out_and_is_in_no_hurry_when_clocks_differ() {
        let (now, every) = (Timestamp::from_millis(100_000), Pace::ORDINARY.of(RENEW_EVERY));
        let wait = |until: Timestamp| until_asked(until, now, every);
        assert_eq!(wait(now + Duration::from_secs(7)), every);
        assert_eq!(wait(now + Duration::from_secs(1)), Duration::from_millis(1050));
        assert_eq!(wait(now), Duration::from_millis(50));
        // It is held, though by this clock it is void for long.
        assert_eq!(wait(now - Duration::from_secs(9)), every);
    }
}

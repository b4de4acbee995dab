//! After the faults: waits for rest, and compares what users were told, the record, and the engine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::clock;
use common::model::{Cluster, HostId, LeaseRecord};
use common::store::{ClusterFilter, LeaseFilter, Page};
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;

use super::crew::Crew;
use super::leaks::{Traces, leaks};
use super::report::Report;
use super::run::{CAPACITY, Chaos, LOOK};
use super::told::Book;
use super::user::Crowd;
use super::{agree, record};
use crate::answer::client;

/// From the end of the faults to a pool at rest. Two cores that others use too need some twenty seconds.
const REST_LIMIT: Duration = Duration::from_secs(180);

/// What is left of a cluster after this time is not about to go: it is asked whether the engine lets anybody remove it.
const LEFT_AFTER: Duration = Duration::from_secs(60);

/// A pool at rest, or what keeps it from that.
pub(super) struct Rest {
    clusters: Vec<Cluster>,
    /// Not at rest.
    pub(super) wrong: Vec<String>,
    /// Not on the engine as in the store.
    differences: Vec<String>,
}

impl Chaos<'_> {
    /// Waits for rest; whatever is in the way of it after the limit is the finding.
    pub(super) async fn rest(&mut self) -> anyhow::Result<Rest> {
        let (begun, ends) = (Instant::now(), Instant::now() + REST_LIMIT);
        loop {
            if begun.elapsed() > LEFT_AFTER {
                self.ask_for_the_kept().await?;
            }
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
        let mut found = self.house.engine.look().await?;
        found.retain(|_, found| !found.is_only_of(&self.kept));
        let wrong = agree::unrest(&clusters, CAPACITY, clock::now());
        let differences = agree::differences(&clusters, &found);
        Ok(Rest { clusters, wrong, differences })
    }

    /// Networks without a record that are all there is of their cluster, and that the engine keeps.
    async fn ask_for_the_kept(&mut self) -> anyhow::Result<()> {
        let recorded = self.clusters().await?;
        for (id, found) in self.house.engine.look().await? {
            let left = found.containers.is_empty() && found.volumes.is_empty();
            if !left || recorded.iter().any(|cluster| cluster.id.as_str() == id) {
                continue;
            }
            for network in found.networks.iter().filter(|network| !self.kept.contains(*network)).collect::<Vec<_>>() {
                if self.house.engine.keeps(network).await? {
                    (self.say)(&format!("the engine keeps network {network} of {id}, on which nothing is"));
                    self.kept.insert(network.clone());
                }
            }
        }
        Ok(())
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

    pub(super) async fn judge(&mut self, crew: &mut Crew<'_>, host: &str) -> anyhow::Result<Report> {
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
        let mut leaked = leaks(&self.house.daemon_url, &traces, &self.kept).await?;
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
        let crowd = Crowd::new(self.doors, &book, &http, &over, self.seed);
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
        while self.store.host(&HostId::parse(host)?).await?.is_some() {
            anyhow::ensure!(Instant::now() < ends, "the host does not go; {}", operator.words().await);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

//! One round: a cluster is made on the engine, and then one is broken and replaced there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use common::clock;
use common::model::{Cluster, ClusterId, PhaseKind};
use common::store::{ClusterFilter, Page};
use reqwest::Method;

use super::Bench;
use crate::operator::Operator;
use crate::pool::PATIENCE;

/// Between two looks at the records; what is measured is not finer than this.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What one round took.
pub(super) struct Round {
    pub make: Duration,
    pub detect: Duration,
    pub heal: Duration,
}

impl Round {
    pub(super) fn line(&self, number: u32) -> String {
        format!(
            "round {number}: made in {:.3} s; broken: seen after {:.3} s, healed after {:.3} s",
            self.make.as_secs_f64(),
            self.detect.as_secs_f64(),
            self.heal.as_secs_f64()
        )
    }
}

impl Bench {
    /// On a full host, and leaves it full.
    pub(super) async fn round(&self, operator: &Operator) -> anyhow::Result<Round> {
        let make = self.make(operator).await?;
        let (detect, heal) = self.heal().await?;
        Ok(Round { make, detect, heal })
    }

    /// A well one is deleted, and another is made in its place: from that one's record to its offer.
    async fn make(&self, operator: &Operator) -> anyhow::Result<Duration> {
        let full = self.offered(&self.clusters().await?);
        let gone = full.first().context("a free cluster")?;
        let answer = operator.call(Method::DELETE, &format!("/api/v1/clusters/{gone}"), None).await?;
        ensure!(answer.status == 202, "deleting a cluster: {} {}", answer.status, answer.text);
        let made = self
            .until("another one on offer", |clusters| {
                let offered = self.offered(clusters);
                offered.difference(&full).next().and_then(|id| clusters.iter().find(|c| c.id == *id)).cloned()
            })
            .await?;
        let took = clock::now().since(made.created_at);
        self.at_rest().await?;
        Ok(took)
    }

    /// A node of a free one is killed, behind everybody's back.
    async fn heal(&self) -> anyhow::Result<(Duration, Duration)> {
        let before = self.clusters().await?;
        let full = self.offered(&before);
        let victim = before.first().context("a cluster")?;
        let node =
            victim.nodes.values().last().and_then(|node| node.container.clone()).context("a node's container")?;
        let begun = Instant::now();
        self.house.engine.kill(&node).await.context("killing a node")?;
        self.until("the broken one to be off offer", |clusters| {
            (!self.offered(clusters).contains(&victim.id)).then_some(())
        })
        .await?;
        let detect = begun.elapsed();
        self.until("a replacement on offer", |clusters| {
            let offered = self.offered(clusters);
            (offered.len() == full.len() && !offered.contains(&victim.id)).then_some(())
        })
        .await?;
        let heal = begun.elapsed();
        self.at_rest().await?;
        Ok((detect, heal))
    }

    /// Waits until the host holds as many as it should, all on offer, and nothing is under way.
    pub(super) async fn at_rest(&self) -> anyhow::Result<()> {
        let full = usize::from(self.capacity);
        self.until("the pool to be at rest", |clusters| {
            (clusters.len() == full && self.offered(clusters).len() == full).then_some(())
        })
        .await
    }

    pub(super) fn offered(&self, clusters: &[Cluster]) -> BTreeSet<ClusterId> {
        let free = clusters.iter().filter(|c| c.phase.kind() == PhaseKind::Free && c.offer.is_some());
        free.map(|c| c.id.clone()).collect()
    }

    pub(super) async fn clusters(&self) -> anyhow::Result<Vec<Cluster>> {
        Ok(self.store.list_clusters(&ClusterFilter::default(), &Page::first(100)).await?)
    }

    /// Looks at the records until they are so.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        mut test: impl FnMut(&[Cluster]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        loop {
            let clusters = self.clusters().await?;
            if let Some(found) = test(&clusters) {
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                let seen: Vec<String> = clusters.iter().map(|c| format!("{} {:?}", c.name, c.phase)).collect();
                bail!("waiting for {what}: not within {PATIENCE:?}; last seen: {seen:?}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

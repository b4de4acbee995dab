//! Looking closer: what is wanted, what is, what is being done, held back and next. Records from the store, and what the
//! reconciler told, of this process or of the one that leads.

use common::model::{Cluster, ClusterId, FlavorId, Host, HostId, Timestamp};

use super::{HostRow, Operations, Refusal};
use crate::explain::{Explanation, PoolFacts, explain_cluster, explain_flavor, explain_host, explain_pool};
use crate::tally::Counts;

impl Operations {
    /// Explains the pool, of all its hosts and of how many clusters there are.
    pub async fn explain_pool(&self, hosts: &[Host], counts: &Counts, now: Timestamp) -> Explanation {
        explain_pool(&PoolFacts::of(hosts, &counts.by_phase), &self.leader.pool(now).await, now)
    }

    /// Explains a host.
    pub async fn explain_host(&self, row: &HostRow, now: Timestamp) -> Explanation {
        explain_host(row, &self.leader.host(&row.host.id, now).await, now)
    }

    /// Explains a flavor.
    pub async fn explain_flavor(&self, id: &FlavorId, now: Timestamp) -> Result<Explanation, Refusal> {
        let flavor = self.catalog.flavor(id).ok_or(Refusal::NoSuch("flavor"))?;
        let counts = self.tally.counts().await?;
        let phases = counts.by_flavor.get(id).cloned().unwrap_or_default();
        Ok(explain_flavor(flavor, &phases, &self.leader.pool(now).await, now))
    }

    /// Explains a cluster.
    pub async fn explain_cluster(&self, cluster: &Cluster, now: Timestamp) -> Result<Explanation, Refusal> {
        let host = self.store.host(&cluster.host).await?;
        let told = self.leader.host(&cluster.host, now).await;
        Ok(explain_cluster(cluster, host.as_ref(), &told, now))
    }

    /// Explains a cluster by its id.
    pub async fn explain_cluster_by_id(&self, id: &ClusterId, now: Timestamp) -> Result<Explanation, Refusal> {
        let cluster = self.store.cluster(id).await?.ok_or(Refusal::NoSuch("cluster"))?;
        self.explain_cluster(&cluster, now).await
    }

    /// Explains a host by its id.
    pub async fn explain_host_by_id(&self, id: &HostId, now: Timestamp) -> Result<Explanation, Refusal> {
        Ok(self.explain_host(&self.host(id).await?, now).await)
    }
}

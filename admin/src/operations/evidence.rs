//! Looking at what was kept of clusters that failed.

use common::model::{ClusterId, Evidence};

use super::{Operations, Refusal};

impl Operations {
    /// What was kept of one cluster.
    pub async fn evidence(&self, id: &ClusterId) -> Result<Evidence, Refusal> {
        self.store
            .evidence(id)
            .await?
            .ok_or(Refusal::NoSuch("evidence: either the cluster did not fail, or it is too long ago"))
    }
}

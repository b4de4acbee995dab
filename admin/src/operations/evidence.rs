//! Looking at what was kept of clusters that failed.

use common::model::{ClusterId, Evidence, HostId};
use common::store::Page;

use super::lists::part;
use super::{Listed, Operations, Refusal};

impl Operations {
    /// What was kept, of one host or all, latest failure first.
    pub async fn evidence_list(&self, host: Option<&str>, page: &Page) -> Result<Listed<Evidence>, Refusal> {
        let host = host.map(HostId::parse).transpose().map_err(|why| Refusal::field("host", why.to_string()))?;
        let items = self.store.list_evidence(host.as_ref(), page).await?;
        Ok(part(items, page, |evidence| evidence.cluster.to_string()))
    }

    /// What was kept of one cluster.
    pub async fn evidence(&self, id: &ClusterId) -> Result<Evidence, Refusal> {
        self.store
            .evidence(id)
            .await?
            .ok_or(Refusal::NoSuch("evidence: either the cluster did not fail, or it is too long ago"))
    }
}

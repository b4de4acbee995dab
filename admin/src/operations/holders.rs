//! Who holds clusters on a host: asked before anything that would take them away.

use common::model::{ClusterName, Host, HostId, PhaseKind};
use common::store::{ClusterFilter, Page};

use super::{Operations, Refusal};

/// Holders that are named in a sentence; more make no better one.
const NAMED: usize = 5;

/// Holders that a page shows.
const SHOWN: u32 = 50;

/// A host, and what is on it that somebody would miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    /// The host.
    pub host: Host,
    /// All its clusters.
    pub clusters: u64,
    /// Those that wait for users.
    pub free: u64,
    /// Those that users hold.
    pub held: u64,
    /// Some of those, with their holders.
    pub holders: Vec<(ClusterName, String)>,
}

impl Holders {
    /// `2 clusters held by users (h1_0 by alice, h1_1 by bob)`; `None` while there are none.
    pub fn sentence(&self) -> Option<String> {
        if self.held == 0 {
            return None;
        }
        let named: Vec<String> =
            self.holders.iter().take(NAMED).map(|(name, user)| format!("{name} by {user}")).collect();
        let more = if self.held > named.len() as u64 { ", ..." } else { "" };
        Some(format!("{} held by users ({}{more})", count(self.held), named.join(", ")))
    }
}

impl Operations {
    /// What is on a host, and who holds what of it.
    pub async fn holders(&self, id: &HostId) -> Result<Holders, Refusal> {
        let row = self.host(id).await?;
        let of = |phase: PhaseKind| row.phases.get(&phase).copied().unwrap_or_default();
        let (clusters, free, held) = (row.clusters(), of(PhaseKind::Free), of(PhaseKind::InUse));
        let filter =
            ClusterFilter { host: Some(id.clone()), phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
        let holders = if held > 0 { self.store.list_clusters(&filter, &Page::first(SHOWN)).await? } else { Vec::new() };
        let holders = holders.into_iter().filter_map(|c| Some((c.name.clone(), c.lease()?.user.to_string()))).collect();
        Ok(Holders { host: row.host, clusters, free, held, holders })
    }
}

/// `1 cluster`, `2 clusters`.
pub(super) fn count(n: u64) -> String {
    if n == 1 { "1 cluster".into() } else { format!("{n} clusters") }
}

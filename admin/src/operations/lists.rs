//! Looking: hosts with their counts, clusters by the lists that operators know, all in parts.

use std::collections::BTreeMap;

use common::model::{Cluster, ClusterId, Failure, Host, HostId, LeaseRecord, PhaseKind};
use common::store::{ClusterQuery, FailureQuery, Found, HostQuery, HostSort, Page, RecordQuery, StoreError, Total};

use super::{Operations, Refusal};
use crate::tally::Counts;

/// Items of a part, unless another number is asked for.
const USUAL: u32 = 50;

/// Items of a part at most.
const MOST: u32 = 200;

/// The lists of the seed, all of them together, and what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterList {
    /// Every cluster that is there, whatever it is: what takes a place.
    Existing,
    /// Every cluster that is there, but for failed ones.
    Active,
    /// Held by users.
    InUse,
    /// Given back: the records that stay.
    Released,
    /// Failed, or lost with their host.
    Failed,
}

impl ClusterList {
    /// All of them, in the order of the page.
    pub const ALL: [ClusterList; 5] =
        [ClusterList::Active, ClusterList::InUse, ClusterList::Released, ClusterList::Failed, ClusterList::Existing];

    /// Takes the word of the URL.
    pub fn parse(text: &str) -> Result<ClusterList, Refusal> {
        Self::ALL
            .into_iter()
            .find(|list| list.as_str() == text)
            .ok_or_else(|| Refusal::field("type", "must be active, inused, released, failed or existing"))
    }

    /// The word of the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            ClusterList::Existing => "existing",
            ClusterList::Active => "active",
            ClusterList::InUse => "inused",
            ClusterList::Released => "released",
            ClusterList::Failed => "failed",
        }
    }

    /// The phases in it.
    pub fn phases(self) -> Vec<PhaseKind> {
        match self {
            ClusterList::Existing => PhaseKind::ALL.to_vec(),
            ClusterList::Active => {
                vec![PhaseKind::Creating, PhaseKind::Free, PhaseKind::InUse, PhaseKind::Releasing, PhaseKind::Removing]
            }
            ClusterList::InUse => vec![PhaseKind::InUse],
            ClusterList::Released => vec![],
            ClusterList::Failed => vec![PhaseKind::Failed, PhaseKind::Lost],
        }
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// What to pass as `after` for the next part; `None` at the end.
    pub next: Option<String>,
}

/// A host and what is on it.
#[derive(Clone, Debug)]
pub struct HostRow {
    /// The host.
    pub host: Host,
    /// Clusters by phase.
    pub phases: BTreeMap<PhaseKind, u64>,
}

impl HostRow {
    /// All its clusters.
    pub fn clusters(&self) -> u64 {
        self.phases.values().sum()
    }

    /// A host with what was counted on it.
    pub fn of(host: Host, counts: &Counts) -> HostRow {
        HostRow { phases: counts.on_host(&host.id), host }
    }
}

/// How many items were asked for.
pub fn limit_of(text: Option<&str>) -> Result<u32, Refusal> {
    let Some(text) = text else {
        return Ok(USUAL);
    };
    match text.parse() {
        Ok(limit @ 1..=MOST) => Ok(limit),
        _ => Err(Refusal::field("limit", format!("must be a whole number from 1 to {MOST}"))),
    }
}

/// The part after an id, one item longer than shown, so that it tells whether there is a next part.
pub fn page_of(after: Option<&str>, limit: u32) -> Result<Page, Refusal> {
    // All ids have one shape, so this checks any of them.
    let after = after.map(|id| ClusterId::parse(id).map(String::from)).transpose();
    let after = after.map_err(|why| Refusal::field("after", why.to_string()))?;
    Ok(Page { after, limit: limit + 1 })
}

/// What a list says that is to go on after something which is not there, as of one that is no id at all.
pub(super) fn not_there(error: StoreError, what: &str) -> Refusal {
    match error {
        StoreError::NotFound(_) => {
            Refusal::field("after", format!("is no {what} that is there; leave it out to begin anew"))
        }
        other => other.into(),
    }
}

impl Operations {
    /// One host with what is on it at this very moment: what is decided about it goes by this.
    pub async fn host(&self, id: &HostId) -> Result<HostRow, Refusal> {
        let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
        let mut phases = BTreeMap::new();
        for ((_, _, phase), n) in self.store.count_clusters_on(id).await? {
            *phases.entry(phase).or_default() += n;
        }
        Ok(HostRow { host, phases })
    }

    /// A page of hosts, each with what is on it.
    pub async fn find_hosts(&self, query: &HostQuery) -> Result<Found<HostRow>, Refusal> {
        let counts = self.tally.counts().await?;
        let mut query = query.clone();
        if query.page.sort == HostSort::Clusters {
            query.counts = counts.by_host();
        }
        let Found { items, previous, next, total } = self.store.find_hosts(&query).await?;
        let items = items.into_iter().map(|host| HostRow::of(host, &counts)).collect();
        Ok(Found { items, previous, next, total })
    }

    /// A page of clusters. How many there are is known unless they are picked by what nobody counts.
    pub async fn find_clusters(&self, query: &ClusterQuery) -> Result<Found<Cluster>, Refusal> {
        let mut found = self.store.find_clusters(query).await?;
        if query.user.is_none() && query.health.is_none() && query.search.is_none() {
            let counts = self.tally.counts().await?;
            let number = counts.number(&query.phases, query.flavor.as_ref(), query.host.as_ref());
            found.total = Total::Exactly(number);
        }
        Ok(found)
    }

    /// A page of the records of ended leases.
    pub async fn find_records(&self, query: &RecordQuery) -> Result<Found<LeaseRecord>, Refusal> {
        Ok(self.store.find_lease_records(query).await?)
    }

    /// A page of the failures that are still known.
    pub async fn find_failures(&self, query: &FailureQuery) -> Result<Found<Failure>, Refusal> {
        Ok(self.store.find_failures(query).await?)
    }
}

/// Cuts the one item too many off again.
pub(super) fn part<T>(mut items: Vec<T>, page: &Page, id: impl Fn(&T) -> String) -> Listed<T> {
    let shown = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_sub(1);
    let more = items.len() > shown;
    items.truncate(shown);
    let next = if more { items.last().map(id) } else { None };
    Listed { items, next }
}

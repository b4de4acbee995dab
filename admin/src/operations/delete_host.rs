//! Deleting a host: refused while users hold clusters on it; else it is marked to leave, and the reconciler removes
//! its clusters and then its record.

use common::model::{Asked, ClusterName, Event, EventKind, Host, HostId, HostPurpose, PhaseKind, Timestamp};
use common::store::{ClusterFilter, Page, StoreError};

use super::{Done, Operations, Refusal, TRIES, operator};

/// What deleting a host would mean now, for the page that asks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// The host.
    pub host: Host,
    /// Clusters that would be removed.
    pub clusters: u64,
    /// Clusters that users hold: while there is one, the host stays.
    pub held: u64,
    /// Some of those, with their holders.
    pub holders: Vec<(ClusterName, String)>,
}

/// Holders that are named; more make no better sentence.
const NAMED: u32 = 5;

impl Operations {
    /// What deleting a host would mean now.
    pub async fn leaving(&self, id: &HostId) -> Result<Leaving, Refusal> {
        let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
        let counts = self.store.count_clusters().await?;
        let of_host = counts.iter().filter(|((at, ..), _)| at == id);
        let (mut clusters, mut held) = (0, 0);
        for ((_, _, phase), n) in of_host {
            clusters += n;
            held += if *phase == PhaseKind::InUse { *n } else { 0 };
        }
        let filter =
            ClusterFilter { host: Some(id.clone()), phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
        let holders = self.store.list_clusters(&filter, &Page::first(NAMED)).await?;
        let holders = holders.into_iter().filter_map(|c| Some((c.name.clone(), c.lease()?.user.to_string()))).collect();
        Ok(Leaving { host, clusters, held, holders })
    }

    /// Has a host deleted. Asking again is fine.
    ///
    /// A claim may come between the count and the mark; then the host waits in leaving until that user releases.
    pub async fn delete_host(&self, id: &HostId, by: &str, now: Timestamp) -> Result<Done, Refusal> {
        for _ in 0..TRIES {
            let leaving = self.leaving(id).await?;
            let Some(next) = decide(&leaving, by, now)? else {
                return Ok(Done::said(format!("Host {} is being deleted already.", leaving.host.settings.name)));
            };
            let name = &next.settings.name;
            let reason = format!("host {name} is to be deleted, with its {}", count(leaving.clusters));
            let event = Event::new(now, EventKind::HostChanged, operator(by), reason).about_host(id);
            match self.store.change_host(&next, event).await {
                Ok(()) => {
                    self.reconciler.ring();
                    return Ok(Done::said(format!(
                        "Host {name} is being deleted: first its {}, then the host.",
                        count(leaving.clusters)
                    )));
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Conflict("the host keeps changing; look again".into()))
    }
}

fn decide(leaving: &Leaving, by: &str, now: Timestamp) -> Result<Option<Host>, Refusal> {
    let host = &leaving.host;
    if matches!(host.purpose, HostPurpose::Leave { .. }) {
        return Ok(None);
    }
    if leaving.held > 0 {
        let named: Vec<String> = leaving.holders.iter().map(|(name, user)| format!("{name} by {user}")).collect();
        let more = if leaving.held > named.len() as u64 { ", ..." } else { "" };
        return Err(Refusal::Conflict(format!(
            "Host {} has {} held by users ({}{more}). Turn \"schedulable\" off so that no more are given out, \
             have them released (or release them on their pages), then delete the host.",
            host.settings.name,
            count(leaving.held),
            named.join(", ")
        )));
    }
    Ok(Some(host.leave(Asked { since: now, by: by.to_owned() }, false)))
}

fn count(n: u64) -> String {
    if n == 1 { "1 cluster".into() } else { format!("{n} clusters") }
}

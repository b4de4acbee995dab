//! Reads an engine and the store once, into what a plan is made from. Decides nothing.

use std::collections::BTreeMap;

use common::model::{Cluster, Host, HostId};
use common::store::{ClusterFilter, Page, SharedStore, StoreResult};
use engine::Survey;

use super::view::{Found, FoundNode, Seen};

/// Records are read so many at a time.
const PAGE: u32 = 500;

/// A host's record with those of its clusters, by slot; `None` if the host is gone.
pub async fn records(store: &SharedStore, id: &HostId) -> StoreResult<Option<(Host, Vec<Cluster>)>> {
    let Some(host) = store.host(id).await? else { return Ok(None) };
    Ok(Some((host, clusters(store, id).await?)))
}

/// A host's clusters, by slot.
pub async fn clusters(store: &SharedStore, id: &HostId) -> StoreResult<Vec<Cluster>> {
    let filter = ClusterFilter { host: Some(id.clone()), ..ClusterFilter::default() };
    let mut clusters: Vec<Cluster> = Vec::new();
    loop {
        let page = Page { after: clusters.last().map(|c| c.id.to_string()), limit: PAGE };
        let mut part = store.list_clusters(&filter, &page).await?;
        let more = part.len() == PAGE as usize;
        clusters.append(&mut part);
        if !more {
            break;
        }
    }
    clusters.sort_by_key(|c| c.slot);
    Ok(clusters)
}

/// What a survey says, in the plan's words.
pub fn seen(survey: Survey) -> Seen {
    let found = survey
        .ours
        .into_iter()
        .map(|cluster| {
            let nodes: BTreeMap<_, _> = cluster
                .containers
                .into_iter()
                .filter_map(|c| Some((c.node?, FoundNode { container: c.id, state: c.state })))
                .collect();
            (cluster.cluster, Found { nodes })
        })
        .collect();
    Seen { found, blocked: survey.blocked }
}

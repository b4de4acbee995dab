//! Reads an engine and the store once, into what a plan is made from. Decides nothing.

use std::collections::BTreeMap;

use common::model::{Cluster, Host, HostId, NodeName, NodeState};
use common::store::{ClusterFilter, Page, SharedStore, StoreResult};
use engine::{ContainerHealth, FoundContainer, Survey};

use super::{End, Found, FoundNode, Seen};

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
            let nodes: BTreeMap<_, _> = cluster.containers.into_iter().filter_map(node).collect();
            (cluster.cluster, Found { nodes })
        })
        .collect();
    Seen { found, blocked: survey.blocked }
}

/// A node; `None` for what a node started itself.
fn node(container: FoundContainer) -> Option<(NodeName, FoundNode)> {
    let ended = matches!(container.state, NodeState::Exited | NodeState::Dead | NodeState::Restarting);
    let node = FoundNode {
        container: container.id,
        state: container.state,
        ended: ended.then_some(End { code: container.exit_code, oom: false }),
        unhealthy: container.health == Some(ContainerHealth::Unhealthy),
    };
    Some((container.node?, node))
}

//! Lists what could be measured: what pages have open, what is leased, what is free. Reads the store; [`super::due`] chooses.

use common::model::{Cluster, ClusterId, NodeName, NodeState, PhaseKind};
use common::store::{ClusterFilter, Page, SharedStore, StoreResult};

use super::due::{Candidate, Class, Due};
use super::open::OpenNow;

/// Clusters read at once; more are read in the next minute, where their turn comes.
const READ: u32 = 600;

/// A cluster, and why it could be measured.
pub type Classed = (Cluster, Class);

/// Whose turn it is: those after these. Clusters take turns in the order of their ids.
#[derive(Debug, Default)]
pub struct Turns {
    leased: Option<ClusterId>,
    free: Option<ClusterId>,
}

impl Turns {
    /// Those that were chosen had theirs.
    pub fn go_on(&mut self, chosen: &Due) {
        self.leased = chosen.leased_up_to.clone().or(self.leased.take());
        self.free = chosen.free_up_to.clone().or(self.free.take());
    }
}

/// What pages have open.
pub async fn opened(store: &SharedStore, open: &OpenNow) -> StoreResult<Vec<Classed>> {
    let mut clusters = Vec::new();
    for id in &open.clusters {
        clusters.extend(store.cluster(id).await?.map(|cluster| (cluster, Class::Open)));
    }
    Ok(clusters)
}

/// Everything that whoever leads may measure, and whether these are all there are.
pub async fn of_all(store: &SharedStore, open: &OpenNow, turns: &Turns) -> StoreResult<(Vec<Classed>, bool)> {
    let mut clusters = opened(store, open).await?;
    let (leased, all_leased) = turn(store, PhaseKind::InUse, turns.leased.as_ref()).await?;
    clusters.extend(leased.into_iter().map(|cluster| (cluster, Class::Leased)));
    clusters.extend(on_open_hosts(store, open).await?);
    let (free, all_free) = turn(store, PhaseKind::Free, turns.free.as_ref()).await?;
    clusters.extend(free.into_iter().map(|cluster| (cluster, Class::Free)));
    Ok((clusters, all_leased && all_free))
}

async fn on_open_hosts(store: &SharedStore, open: &OpenNow) -> StoreResult<Vec<Classed>> {
    let mut clusters = Vec::new();
    for host in &open.hosts {
        let phases = vec![PhaseKind::InUse, PhaseKind::Free];
        let filter = ClusterFilter { host: Some(host.clone()), phases, ..ClusterFilter::default() };
        let there = store.list_clusters(&filter, &Page::first(READ)).await?;
        clusters.extend(there.into_iter().map(|cluster| (cluster, Class::OnOpenHost)));
    }
    Ok(clusters)
}

/// Those whose turn it is, from where the last minute ended, and whether these are all there are.
async fn turn(store: &SharedStore, phase: PhaseKind, last: Option<&ClusterId>) -> StoreResult<(Vec<Cluster>, bool)> {
    let filter = ClusterFilter { phases: vec![phase], ..ClusterFilter::default() };
    let after = last.map(ToString::to_string);
    let mut clusters = store.list_clusters(&filter, &Page { after, limit: READ }).await?;
    let mut whole = clusters.len() < READ as usize;
    if let Some(last) = last.filter(|_| whole) {
        let again = store.list_clusters(&filter, &Page::first(READ)).await?;
        whole = again.len() < READ as usize;
        clusters.extend(again.into_iter().take_while(|cluster| cluster.id <= *last));
    }
    Ok((clusters, whole))
}

/// A cluster as [`super::due`] sees it.
pub fn candidate((cluster, class): &Classed) -> Candidate {
    let containers = running(cluster).count();
    Candidate { cluster: cluster.id.clone(), host: cluster.host.clone(), containers, class: *class }
}

/// Nodes that run, as far as is known, with their containers.
pub fn running(cluster: &Cluster) -> impl Iterator<Item = (&NodeName, &String)> {
    let there = cluster.nodes.iter().filter(|(_, node)| node.state == NodeState::Running);
    there.filter_map(|(name, node)| Some((name, node.container.as_ref()?)))
}

//! Clusters whose host's record is gone: one was being begun while the host was deleted. No loop looks after them, and
//! no engine can be asked, so their records go.

use common::clock;
use common::model::{Actor, Cluster, Event, EventKind, HostId, Phase, Timestamp, Why};
use common::store::{SharedStore, StoreResult};

use super::term::Term;
use crate::reconciler::view::observe;

const REASON: &str = "its host is deleted";

/// Drops the records of a host's clusters, one move a call, if the host really is gone.
pub async fn bury(store: &SharedStore, term: &Term, host: &HostId) -> StoreResult<()> {
    // The host may be newer than the list that it is missing from.
    if store.host(host).await?.is_some() {
        return Ok(());
    }
    for cluster in observe::clusters(store, host).await? {
        // The next leader does it, then.
        if term.check().is_err() {
            return Ok(());
        }
        let now = clock::now();
        let event = |kind| Event::new(now, kind, Actor::Reconciler, REASON).about(&cluster);
        match last_move(&cluster, now) {
            Some(to) => store.move_cluster(&cluster, &to, Some(event(EventKind::Removing))).await?,
            None => store.vanish(&cluster, event(EventKind::Removed)).await?,
        }
    }
    Ok(())
}

/// The move that leads to the end; `None` if it may vanish as it is.
fn last_move(cluster: &Cluster, now: Timestamp) -> Option<Cluster> {
    let moved = match cluster.phase {
        Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. } => cluster.remove(Why::HostLeaves, now),
        Phase::InUse { .. } => cluster.lose(REASON.into(), now),
        Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } => return None,
    };
    moved.ok()
}

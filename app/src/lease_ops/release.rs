//! Takes a network back.
//!
//! Between reading a cluster and moving it, the reconciler may write what it saw of it, or somebody else may release
//! it: the move is refused then, and the cluster is read and judged anew. A release that was done already is done.
//! A cluster has one lease in its life, so whoever held it when it was listed holds it still, or nobody does.

use common::clock;
use common::model::{Actor, Cluster, ClusterId, Event, EventKind, Phase, PhaseKind, Timestamp, UserId};
use common::store::{ClusterFilter, Page, StoreError};
use tracing::info;

use super::Trouble;
use crate::callers::Caller;
use crate::meters::ReleaseEnd;
use crate::shared::Shared;

/// A leased cluster is written every few seconds at most, so more refusals in a row than this are no bad luck.
const TRIES: usize = 10;

/// Read at once when all of a user's are released.
const PAGE: u32 = 100;

/// Releases one cluster. One that nobody holds, that is unknown or not the caller's stays as it is: that is no error.
pub async fn release_one(shared: &Shared, caller: &Caller, id: &ClusterId) -> Result<(), Trouble> {
    if try_release(shared, caller, id).await? {
        shared.doorbell.ring();
    }
    Ok(())
}

/// Releases all that a user holds; nothing at all is fine.
pub async fn release_all(shared: &Shared, caller: &Caller, user: &UserId) -> Result<(), Trouble> {
    let filter = ClusterFilter { user: Some(user.clone()), phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
    let mut page = Page::first(PAGE);
    let mut any = false;
    let mut outcome = Ok(());
    loop {
        let held = shared.store.list_clusters(&filter, &page).await?;
        for cluster in &held {
            // One that cannot be released now must not keep the others.
            match try_release(shared, caller, &cluster.id).await {
                Ok(moved) => any |= moved,
                Err(error) => outcome = Err(error),
            }
        }
        let Some(last) = held.last().filter(|_| held.len() >= PAGE as usize) else { break };
        page.after = Some(last.id.to_string());
    }
    if any {
        shared.doorbell.ring();
    }
    outcome
}

/// Whether this released it; `false`: there was nothing to release.
async fn try_release(shared: &Shared, caller: &Caller, id: &ClusterId) -> Result<bool, Trouble> {
    let released = move_on(shared, caller, id).await;
    shared.meters.released(match &released {
        Ok(true) => ReleaseEnd::Released,
        Ok(false) => ReleaseEnd::Nothing,
        Err(_) => ReleaseEnd::Failed,
    });
    released
}

async fn move_on(shared: &Shared, caller: &Caller, id: &ClusterId) -> Result<bool, Trouble> {
    for _ in 0..TRIES {
        let Some(cluster) = shared.store.cluster(id).await? else { return Ok(false) };
        let Some((next, event)) = decide(&cluster, caller, clock::now()) else { return Ok(false) };
        match shared.store.move_cluster(&cluster, &next, Some(event)).await {
            Ok(()) => {
                info!(cluster.id = %id, user = next.lease().map(|l| l.user.as_str()), "released: {}", next.name);
                return Ok(true);
            }
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Trouble::Busy)
}

/// The move that releases it; `None` when nobody holds it, or it is not the caller's to release.
fn decide(cluster: &Cluster, caller: &Caller, now: Timestamp) -> Option<(Cluster, Event)> {
    if !caller.may_act_on(cluster) {
        return None;
    }
    let lease = match &cluster.phase {
        Phase::InUse { lease } => lease,
        Phase::Creating { .. }
        | Phase::Free { .. }
        | Phase::Releasing { .. }
        | Phase::Removing { .. }
        | Phase::Failed { .. }
        | Phase::Lost { .. } => return None,
    };
    let next = cluster.release(lease.user.as_str(), now).ok()?;
    let actor = Actor::User { id: lease.user.clone() };
    let said = match caller.service() {
        None => format!("released by {}", lease.user),
        Some(service) => format!("released for {} by the service {service}", lease.user),
    };
    let event = Event::new(now, EventKind::Released, actor, said).about(&next);
    Some((next, event))
}

//! Starts, stops and restarts nodes of a leased network: writes what is wanted, rings, and waits to see it done.

use std::time::Duration;

use common::clock;
use common::model::{Actor, Cluster, ClusterId, Event, EventKind, NodeScope, Phase, Timestamp, WishChange};
use common::store::StoreError;
use tokio::time::Instant;
use tracing::info;

use super::Trouble;
use crate::callers::Caller;
use crate::shared::Shared;

/// As for a release: more refusals in a row than this are no bad luck.
const TRIES: usize = 10;

/// Who waits looks this often even if nothing wakes it: a watch may be broken.
const LOOK: Duration = Duration::from_secs(1);

/// What came of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wished {
    /// The nodes are as wanted.
    Done,
    /// It is written down and will be done, but not in the time that a request waits.
    UnderWay,
    /// There is no such cluster, nobody holds it, it is not the caller's, or it has no such node.
    Refused,
}

/// What to write, if anything.
#[derive(Debug, PartialEq)]
enum Decision {
    Write(Box<(Cluster, Event)>),
    WrittenAlready,
    Refuse,
}

/// Wishes this of nodes of a leased cluster, and waits until it is seen done, at most [`Shared::wish_wait`].
pub async fn wish(
    shared: &Shared,
    caller: &Caller,
    id: &ClusterId,
    scope: &NodeScope,
    change: WishChange,
) -> Result<Wished, Trouble> {
    let wished = write_and_wait(shared, caller, id, scope, change).await;
    shared.meters.wished(change, wished.as_ref().ok().copied());
    wished
}

async fn write_and_wait(
    shared: &Shared,
    caller: &Caller,
    id: &ClusterId,
    scope: &NodeScope,
    change: WishChange,
) -> Result<Wished, Trouble> {
    let deadline = Instant::now() + shared.wish_wait;
    // Before the write, so that no change after it is missed.
    let mut listener = shared.changes.listen();
    if !write(shared, caller, id, scope, change).await? {
        return Ok(Wished::Refused);
    }
    let mut closing = shared.closing.clone();
    loop {
        match shared.store.cluster(id).await {
            Ok(Some(cluster)) if matches!(cluster.phase, Phase::InUse { .. }) => {
                if done(&cluster, scope) {
                    return Ok(Wished::Done);
                }
            }
            Ok(_) => return Ok(Wished::Refused),
            // It is written; whether the store is back within the wait is seen at the next look.
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = listener.changed(id) => {}
            () = tokio::time::sleep(LOOK) => {}
            () = tokio::time::sleep_until(deadline) => return Ok(Wished::UnderWay),
            _ = closing.wait_for(|closing| *closing) => return Ok(Wished::UnderWay),
        }
    }
}

/// Writes the wish down and rings; `false` when it is refused.
async fn write(
    shared: &Shared,
    caller: &Caller,
    id: &ClusterId,
    scope: &NodeScope,
    change: WishChange,
) -> Result<bool, Trouble> {
    for _ in 0..TRIES {
        let Some(cluster) = shared.store.cluster(id).await? else { return Ok(false) };
        if !caller.may_act_on(&cluster) {
            return Ok(false);
        }
        match decide(&cluster, scope, change, clock::now()) {
            Decision::Refuse => return Ok(false),
            Decision::WrittenAlready => {
                shared.doorbell.ring();
                return Ok(true);
            }
            Decision::Write(move_and_event) => {
                let (next, event) = *move_and_event;
                match shared.store.move_cluster(&cluster, &next, Some(event)).await {
                    Ok(()) => {
                        info!(cluster.id = %id, "wished: {} {}", word(change), next.name);
                        shared.doorbell.ring();
                        return Ok(true);
                    }
                    Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Err(Trouble::Busy)
}

fn decide(cluster: &Cluster, scope: &NodeScope, change: WishChange, now: Timestamp) -> Decision {
    let lease = match &cluster.phase {
        Phase::InUse { lease } => lease,
        // Nobody's network is nobody's to stop: a stranger could empty the pool.
        Phase::Free { .. }
        | Phase::Creating { .. }
        | Phase::Releasing { .. }
        | Phase::Removing { .. }
        | Phase::Failed { .. }
        | Phase::Lost { .. } => return Decision::Refuse,
    };
    let Ok(Some(next)) = cluster.wish(scope, change) else { return Decision::Refuse };
    if next.wishes == cluster.wishes {
        return Decision::WrittenAlready;
    }
    let what = match scope {
        NodeScope::All => format!("{} all nodes", word(change)),
        NodeScope::One(node) => format!("{} {node}", word(change)),
    };
    let event = Event::new(now, EventKind::Wished, Actor::User { id: lease.user.clone() }, what).about(cluster);
    Decision::Write(Box::new((next, event)))
}

fn done(cluster: &Cluster, scope: &NodeScope) -> bool {
    match scope {
        NodeScope::All => cluster.wishes_done(),
        NodeScope::One(node) => cluster.wish_done(node),
    }
}

fn word(change: WishChange) -> &'static str {
    match change {
        WishChange::Start => "start",
        WishChange::Stop => "stop",
        WishChange::Restart => "restart",
    }
}

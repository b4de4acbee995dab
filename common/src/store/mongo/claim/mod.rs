//! The claim. Applies that wait at the same moment go as one group: two reads at once, then one command with a
//! conditional statement for each, so that a group costs as many round trips and flushes of the disk as one apply.
//!
//! While a group is being written the next one gathers; when nothing is being written, an apply goes at once.
//! The races, and who settles them:
//!
//! * Two want one cluster: the statement is conditional on its version and on its offer. The loser is tried again with
//!   another cluster.
//! * One user applies twice at once, here or in another process: both leases would have the same `nth`, or the same
//!   key, and an index lets only one in. The loser reads again and finds the winner's.
//! * The answer is lost: the lease may be there or not, or may yet come. It is tried again under the same lease id and
//!   the same `nth`. If the first comes after all, it is found by its id, or keeps the second out.
//! * The caller has gone: an apply that nobody waits for is dropped before it is written. After that it is hers: she
//!   finds it in her list, or gets it by her next apply or key.

mod round;
mod settle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, oneshot};

use self::round::Round;
use super::db::Db;
use crate::model::LeaseId;
use crate::store::{Applied, Apply, StoreError, StoreResult};

/// Most applies in one group. Beyond this a group's own size delays its first more than another group would.
const GROUP: usize = 128;

/// One group at a time, because two are only smaller groups (measured: at 16 claimers one did up to 1.7 times as much as
/// two, at 64 they were alike). But a group that takes longer than this, usually some milliseconds, has met a network that
/// stands still, and the next goes beside it.
const PATIENCE: Duration = Duration::from_millis(100);

/// An apply on its way.
struct Waiting {
    apply: Apply,
    /// The lease it will have: the same however often it is tried.
    lease: LeaseId,
    /// The `nth` of a claim whose answer was lost, so that it and the next try cannot both succeed.
    sent_as: Option<u32>,
    tries: u32,
    since: Instant,
    tell: oneshot::Sender<StoreResult<Applied>>,
}

/// Where applies are handed in.
pub(super) struct Claims {
    queue: mpsc::UnboundedSender<Waiting>,
    deadline: Duration,
}

impl Claims {
    /// Starts the task that forms groups; it ends with the last `Claims`.
    pub(super) fn start(db: Db) -> Claims {
        let (queue, waiting) = mpsc::unbounded_channel();
        let deadline = db.deadline;
        tokio::spawn(form_groups(db, waiting, queue.downgrade()));
        Claims { queue, deadline }
    }

    pub(super) async fn apply(&self, apply: Apply) -> StoreResult<Applied> {
        let (tell, told) = oneshot::channel();
        let closed = || StoreError::Unavailable("it is closed".into());
        let waiting = Waiting { apply, lease: LeaseId::random(), sent_as: None, tries: 0, since: Instant::now(), tell };
        self.queue.send(waiting).map_err(|_| closed())?;
        match tokio::time::timeout(self.deadline, told).await {
            Ok(outcome) => outcome.map_err(|_| closed())?,
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {:?}", self.deadline))),
        }
    }
}

async fn form_groups(db: Db, mut waiting: mpsc::UnboundedReceiver<Waiting>, queue: mpsc::WeakUnboundedSender<Waiting>) {
    let turns = Arc::new(Semaphore::new(1));
    while let Some(first) = waiting.recv().await {
        let turn = tokio::time::timeout(PATIENCE, turns.clone().acquire_owned()).await;
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let (db, queue) = (db.clone(), queue.clone());
        tokio::spawn(async move {
            let again = Round::run(&db, group).await;
            drop(turn);
            for one in again {
                try_again(one, &queue, db.deadline);
            }
        });
    }
}

/// Puts an apply back into the queue: the first times at once, because it lost to somebody; then after a pause, because
/// something takes its time.
fn try_again(mut one: Waiting, queue: &mpsc::WeakUnboundedSender<Waiting>, deadline: Duration) {
    one.tries += 1;
    if one.since.elapsed() >= deadline {
        return one.answer(Err(StoreError::Unavailable("it could not be settled in time".into())));
    }
    let Some(queue) = queue.upgrade() else {
        return one.answer(Err(StoreError::Unavailable("it is closed".into())));
    };
    let pause = Duration::from_millis(match one.tries {
        0..=4 => 0,
        tries => u64::from(tries).min(50),
    });
    if pause.is_zero() {
        let _ = queue.send(one);
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = queue.send(one);
        });
    }
}

impl Waiting {
    fn answer(self, outcome: StoreResult<Applied>) {
        // She may have given up.
        let _ = self.tell.send(outcome);
    }
}

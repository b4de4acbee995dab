//! Adds events, numbered in the order in which they can be read: so whoever has read up to a number has read everything
//! before it, and nobody ever adds in front of her.
//!
//! A number is taken by writing with it: one after the greatest that the majority has, and an index lets each be used once.
//! Who finds it taken reads again. What the majority has is never undone, so a number is proposed only when all before it
//! are there for good; a group of events is written in order and ends at its first failure, so none is left out. Numbers
//! therefore have no gaps but where the oldest were cut, and the events that a read sees are all up to some number.
//!
//! Events that wait at the same moment go together, one group of a process at a time. Two races are left as they are:
//!
//! * A group of another process is quicker: tried again after a moment, until the call's deadline.
//! * Between the look and the write so many events were added that the taken number was cut already: that is more than a
//!   hundred thousand in the ten seconds of one call.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOneOptions;
use tokio::sync::{mpsc, oneshot};

use super::db::Db;
use super::{error, setup, shape};
use crate::model::Event;
use crate::store::{StoreError, StoreResult};

/// Most events in one write.
const GROUP: usize = 512;

/// Calls that may wait for their turn; more wait outside, as long as each may take in all.
const WAITING: usize = 4_096;

/// The oldest go once in so many events, by each program that may cut: of two the second finds nothing, by an index.
const CUT_EVERY: i64 = 1_024;

/// Events on their way.
struct Waiting {
    documents: Vec<Document>,
    tell: oneshot::Sender<StoreResult<()>>,
}

/// Where events are handed in.
pub(super) struct Appender {
    queue: mpsc::Sender<Waiting>,
    deadline: Duration,
}

impl Appender {
    /// Starts the task that writes; it ends with the `Appender`. Beyond so many events the oldest go; `None`: others see to that.
    pub(super) fn start(db: Db, kept: Option<u64>) -> Appender {
        let (queue, waiting) = mpsc::channel(WAITING);
        let deadline = db.deadline;
        tokio::spawn(run(db, waiting, kept.map(|kept| i64::try_from(kept).unwrap_or(i64::MAX))));
        Appender { queue, deadline }
    }

    /// Adds events; those that are there already stay as they are.
    pub(super) async fn append(&self, events: &[Event]) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        let closed = || StoreError::Unavailable("it is closed".into());
        let documents = events.iter().map(document).collect::<StoreResult<Vec<_>>>()?;
        let (tell, told) = oneshot::channel();
        let done = async {
            self.queue.send(Waiting { documents, tell }).await.map_err(|_| closed())?;
            told.await.map_err(|_| closed())?
        };
        match tokio::time::timeout(self.deadline, done).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {:?}", self.deadline))),
        }
    }
}

fn document(event: &Event) -> StoreResult<Document> {
    let mut document = shape::write(event)?;
    // Lists are by time; of those of one millisecond, the one added last is the newest.
    document.insert("order", ObjectId::new());
    Ok(document)
}

async fn run(db: Db, mut waiting: mpsc::Receiver<Waiting>, kept: Option<i64>) {
    // The newest number that was here before: others add events, too, and not all of them may cut.
    let mut before = 0;
    while let Some(first) = waiting.recv().await {
        let mut documents = VecDeque::from(first.documents);
        let mut callers = vec![first.tell];
        while documents.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            documents.extend(next.documents);
            callers.push(next.tell);
        }
        let outcome = db.add_events(documents).await;
        for caller in callers {
            let _ = caller.send(match &outcome {
                Ok(_) => Ok(()),
                Err(StoreError::Unavailable(why)) => Err(StoreError::Unavailable(why.clone())),
                Err(fault) => Err(StoreError::Broken(fault.to_string())),
            });
        }
        let (Ok(newest), Some(kept)) = (outcome, kept) else { continue };
        if crosses(before, newest, (kept / 16).clamp(1, CUT_EVERY)) {
            let db = db.clone();
            tokio::spawn(async move {
                if let Err(error) = db.cut_events(newest, kept).await {
                    tracing::warn!(%error, "the oldest events could not be cut");
                }
            });
        }
        before = newest;
    }
}

/// Whether a multiple of `every` lies in (before, newest].
fn crosses(before: i64, newest: i64, every: i64) -> bool {
    before / every != newest / every
}

impl Db {
    /// The number of the newest event that the majority has; 0 when there is none.
    pub(super) async fn newest_event(&self) -> StoreResult<i64> {
        let newest = FindOneOptions::builder().sort(doc! { "seq": -1 }).projection(doc! { "seq": 1 }).build();
        let find = self.events.find_one(doc! { "seq": { "$gt": 0_i64 } }).with_options(newest);
        let found = self.timed(find).await.map_err(error::db)?;
        Ok(found.and_then(|event| event.get_i64("seq").ok()).unwrap_or(0))
    }

    /// That a primary refuses an event as a duplicate says that it has it, not that it is there for good.
    async fn the_majority_has(&self, ids: &[Bson]) -> StoreResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.timed(self.events.count_documents(doc! { "_id": { "$in": ids } })).await.map_err(error::db)?;
        if found == u64::try_from(ids.len()).unwrap_or(u64::MAX) {
            return Ok(());
        }
        Err(StoreError::Unavailable("the majority has not heard of every event yet".into()))
    }

    /// Adds what is not there yet, in this order; the number of the newest after that.
    async fn add_events(&self, mut left: VecDeque<Document>) -> StoreResult<i64> {
        let begun = Instant::now();
        let mut there_before = Vec::new();
        loop {
            let mut newest = self.newest_event().await?;
            if left.is_empty() {
                self.the_majority_has(&there_before).await?;
                return Ok(newest);
            }
            for event in &mut left {
                newest += 1;
                event.insert("seq", newest);
            }
            let add = self.events.insert_many(left.make_contiguous().iter()).ordered(true);
            let Err(fault) = self.timed(add).await else {
                self.the_majority_has(&there_before).await?;
                return Ok(newest);
            };
            let Some((place, message)) = error::first_duplicate(&fault) else {
                return Err(error::db(fault));
            };
            left.drain(..place.min(left.len()));
            if setup::violated(message, &["seq"]).is_none() {
                // It has been added before.
                there_before.extend(left.pop_front().and_then(|event| event.get("_id").cloned()));
                continue;
            }
            if begun.elapsed() >= self.deadline {
                return Err(StoreError::Unavailable("too many programs add events at once".into()));
            }
            let pause = Duration::from_micros(u64::from(rand::random::<u16>()) / 8);
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_multiple_is_crossed_once() {
        let steps = [(0, 3), (3, 8), (8, 9), (9, 10), (10, 31), (31, 31)];
        let crossed: Vec<bool> = steps.iter().map(|(before, newest)| crosses(*before, *newest, 10)).collect();
        assert_eq!(crossed, [false, false, false, true, true, false]);
    }
}

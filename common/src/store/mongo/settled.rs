//! Carries a change through to an outcome that is known, as long as its caller waits, and sees to it that its event is told.
//!
//! When an answer is lost, or a primary steps down in the middle, nobody knows whether a write was carried out. Every
//! change here is conditional on what it was decided on, so it can be asked for again: either it happens now, or the record
//! is found to be as wanted. The driver asks again once by itself; this asks until half of the call's time is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::append::Appender;
use crate::model::Event;
use crate::store::{StoreError, StoreResult};

/// Between two tries: a connection is there again at once, a new primary after seconds.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a change that is done waits for its event to be readable.
const EVENT_LIMIT: Duration = Duration::from_secs(2);

/// An event that could not be told at once is tried so often, two seconds apart: longer than any change of primaries.
const LATER_TRIES: u32 = 60;

/// So many events may wait to be told; what comes while so many wait is only in the log.
const LATER: usize = 1_000;

/// What changes with events go through.
pub(super) struct Settler {
    events: Arc<Appender>,
    later: Arc<Semaphore>,
    deadline: Duration,
}

impl Settler {
    pub(super) fn new(events: Arc<Appender>, deadline: Duration) -> Settler {
        Settler { events, later: Arc::new(Semaphore::new(LATER)), deadline }
    }

    /// Carries out a change that says whether it did anything, then tells its event if it did or if nobody knows.
    pub(super) async fn change<F, Fut>(&self, change: F, event: Option<Event>) -> StoreResult<()>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = StoreResult<bool>>,
    {
        let begun = Instant::now();
        if settle(self.deadline, change).await?
            && let Some(event) = event
        {
            self.tell(event, EVENT_LIMIT.min(self.deadline.saturating_sub(begun.elapsed()))).await;
        }
        Ok(())
    }

    /// The change stands though its event come later, or be lost.
    async fn tell(&self, event: Event, limit: Duration) {
        let told = tokio::time::timeout(limit, self.events.append(std::slice::from_ref(&event))).await;
        match told {
            Ok(Ok(())) => return,
            Ok(Err(StoreError::Unavailable(_))) | Err(_) => {}
            Ok(Err(error)) => return tracing::warn!(%error, "an event could not be stored"),
        }
        let Ok(place) = self.later.clone().try_acquire_owned() else {
            return tracing::warn!(?event, "an event could not be stored: too many wait already");
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            for _ in 0..LATER_TRIES {
                tokio::time::sleep(EVENT_LIMIT).await;
                if events.append(std::slice::from_ref(&event)).await.is_ok() {
                    return drop(place);
                }
            }
            tracing::warn!(?event, "an event could not be stored");
        });
    }
}

/// Whether the change did anything, or may have.
async fn settle<F, Fut>(deadline: Duration, change: F) -> StoreResult<bool>
where
    F: Fn() -> Fut,
    Fut: Future<Output = StoreResult<bool>>,
{
    let begun = Instant::now();
    let mut last = String::new();
    let tries = async {
        loop {
            match change().await {
                Ok(did) => return Ok(did || !last.is_empty()),
                Err(StoreError::Unavailable(why)) if begun.elapsed() < deadline / 2 => last = why,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(deadline, tries).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {deadline:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What comes of these answers, one after the other.
    async fn settled(answers: Vec<StoreResult<bool>>) -> (StoreResult<bool>, usize) {
        let left = RefCell::new(answers.into_iter());
        let outcome = settle(Duration::from_secs(10), || std::future::ready(left.borrow_mut().next().unwrap())).await;
        let unasked = left.borrow().len();
        (outcome, unasked)
    }

    fn away() -> StoreResult<bool> {
        Err(StoreError::Unavailable("on purpose".into()))
    }

    #[tokio::test]
    async fn what_may_have_happened_is_asked_for_again_and_counts_as_done() {
        assert!(matches!(settled(vec![Ok(true), away()]).await, (Ok(true), 1)));
        assert!(matches!(settled(vec![Ok(false)]).await, (Ok(false), 0)));
        assert!(matches!(settled(vec![away(), away(), Ok(false)]).await, (Ok(true), 0)));
        let refused = settled(vec![away(), Err(StoreError::Conflict("cluster"))]).await;
        assert!(matches!(refused, (Err(StoreError::Conflict(_)), 0)));
    }
}

//! Following what happens: the events after a place, waited for if there are none yet.

use std::time::Duration;

use common::model::{Event, OperatorId};
use common::store::{EventCursor, EventFilter, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Operations, Refusal};
use crate::seats::{NoSeat, Seats};

/// The longest that one call waits.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often the store is asked meanwhile: what happens shows within this.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Events of one answer at most.
const AT_ONCE: u32 = 200;

/// Calls that may wait at a time; each asks the store twice a second.
const WAITERS: usize = 64;

/// Of those, calls of one operator.
const OF_ONE_OPERATOR: usize = 20;

/// What waiting takes: a place among those who wait, and an ear for the end of the server.
#[derive(Clone, Debug)]
pub struct Waiting {
    seats: Seats,
    stop: CancellationToken,
}

impl Waiting {
    /// Until `stop`, nobody waits longer than that.
    pub fn until(stop: CancellationToken) -> Waiting {
        Waiting { seats: Seats::new(WAITERS, OF_ONE_OPERATOR), stop }
    }
}

impl Operations {
    /// Events after a place, oldest first, and the place after them. When there are none, it waits for one for so long, on
    /// behalf of `who`. Without a place: from now on.
    pub async fn tail(
        &self,
        who: &OperatorId,
        after: Option<&str>,
        filter: &EventFilter,
        wait: Duration,
    ) -> Result<(Vec<Event>, EventCursor), Refusal> {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let mut cursor = after.map(|place| EventCursor(place.to_owned()));
        let mut place = None;
        loop {
            let (events, next) = self.store.tail_events(cursor.as_ref(), filter, AT_ONCE).await.map_err(unknown)?;
            let left = until.saturating_duration_since(Instant::now());
            if !events.is_empty() || left.is_zero() || self.waiting.stop.is_cancelled() {
                return Ok((events, next));
            }
            cursor = Some(next);
            if place.is_none() {
                match self.waiting.seats.take(who) {
                    Ok(seat) => place = Some(seat),
                    // Others have them all: she is answered at once, and asks again.
                    Err(NoSeat::Full) => return Ok((events, cursor_of(cursor))),
                    Err(NoSeat::Hers(most)) => {
                        let why = format!("{most} calls of yours wait for events already; ask once for all of them");
                        return Err(Refusal::TooMany(why));
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY.min(left)) => {}
                () = self.waiting.stop.cancelled() => {}
            }
        }
    }
}

fn cursor_of(cursor: Option<EventCursor>) -> EventCursor {
    cursor.unwrap_or_else(|| EventCursor(String::new()))
}

fn unknown(error: StoreError) -> Refusal {
    match error {
        StoreError::NotFound(_) => {
            Refusal::field("after", "is no place among the events; leave it out to begin with what happens from now on")
        }
        other => other.into(),
    }
}

//! Reads events, follows them, and drops the oldest. [`super::append`] adds them.

use std::time::Duration;

use mongodb::bson::{Document, doc, serialize_to_bson};
use mongodb::options::{FindOneOptions, FindOptions};

use super::db::Db;
use super::history::beyond;
use super::{error, shape};
use crate::model::Event;
use crate::store::filter::place_of;
use crate::store::{EventCursor, EventFilter, Page, StoreError, StoreResult};

/// Events read at once by who follows. One read sees all up to some number; two might not, when they ask two servers.
const CHUNK: i64 = 512;

/// A place beyond the newest event is looked for so often before it is called none.
const LOOKS: u32 = 4;

/// Between two of those looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

impl Db {
    pub(super) async fn list_events(&self, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
        let place = self.place(&self.events, page.after.as_ref(), "event to go on after").await?;
        let mut query = Document::new();
        if let Some(host) = &filter.host {
            query.insert("host", host.as_str());
        }
        if let Some(cluster) = &filter.cluster {
            query.insert("cluster.0", cluster.as_str());
        }
        if !filter.kinds.is_empty() {
            let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
            query.insert("kind", doc! { "$in": kinds });
        }
        if let Some(actor) = &filter.actor {
            let fault = |error| StoreError::Broken(format!("an actor: {error}"));
            query.insert("actor", serialize_to_bson(actor).map_err(fault)?);
        }
        let mut time = Document::new();
        if let Some(since) = filter.since {
            time.insert("$gte", since.as_millis());
        }
        if let Some(until) = filter.until {
            time.insert("$lt", until.as_millis());
        }
        if !time.is_empty() {
            query.insert("at", time);
        }
        if let Some(beyond) = place.and_then(|place| beyond(&place, "at", "order")) {
            query.insert("$or", beyond);
        }
        let options = FindOptions::builder().sort(doc! { "at": -1, "order": -1 }).limit(i64::from(page.limit)).build();
        Ok(self.find(&self.events, query, options).await?.into_iter().filter_map(readable).collect())
    }

    /// Events after a place, in the order of their numbers, and the place after the last that was looked at.
    pub(super) async fn tail_events(
        &self,
        after: Option<&EventCursor>,
        filter: &EventFilter,
        limit: u32,
    ) -> StoreResult<(Vec<Event>, EventCursor)> {
        let mut place = match after {
            Some(after) => place_of(after)?,
            None => {
                self.number_late_ones().await?;
                return Ok((Vec::new(), EventCursor(self.newest_event().await?.to_string())));
            }
        };
        let mut found = Vec::new();
        loop {
            let chunk = self.events_from(place).await?;
            match chunk.first() {
                // It was nobody's place before this store was: what came after it is not known here.
                None if place > 0 => {
                    self.wait_for_event(place).await?;
                    continue;
                }
                Some(first) if first.get_i64("seq").is_err() => {
                    self.number_late_ones().await?;
                    continue;
                }
                None | Some(_) => {}
            }
            let was_last = i64::try_from(chunk.len()).unwrap_or(CHUNK) < CHUNK;
            for event in chunk {
                let seq = event.get_i64("seq").map_err(|error| StoreError::Broken(format!("an event: {error}")))?;
                if seq <= place {
                    continue;
                }
                place = seq;
                found.extend(readable(event).filter(|event| filter.matches(event)));
                if found.len() >= limit as usize {
                    return Ok((found, EventCursor(place.to_string())));
                }
            }
            if was_last {
                return Ok((found, EventCursor(place.to_string())));
            }
        }
    }

    /// Events by number, from the one with this number on, which is there: the newest is never cut. Those that have no
    /// number yet come before all others, so one question finds both.
    async fn events_from(&self, place: i64) -> StoreResult<Vec<Document>> {
        let late = doc! { "seq": null, "order": { "$gt": self.numbered_from } };
        let query = doc! { "$or": [{ "seq": { "$gte": place } }, late] };
        let by_number = FindOptions::builder().sort(doc! { "seq": 1, "order": 1 }).limit(CHUNK).build();
        self.find(&self.events, query, by_number).await
    }

    /// Waits until the event with this number can be read again. After a change of primaries what the majority has may
    /// show a moment later; what does not show then never was in this store.
    async fn wait_for_event(&self, number: i64) -> StoreResult<()> {
        for _ in 0..LOOKS {
            if self.newest_event().await? >= number {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(StoreError::NotFound("place among the events"))
    }

    /// Gives numbers to events of a program of the version before, which knows none. One at a time, because a number must
    /// not be left out; there are few of them, and only while such a program runs.
    async fn number_late_ones(&self) -> StoreResult<()> {
        let late = doc! { "seq": null, "order": { "$gt": self.numbered_from } };
        let first = FindOneOptions::builder().sort(doc! { "order": 1 }).projection(doc! { "_id": 1 }).build();
        loop {
            let find = self.events.find_one(late.clone()).with_options(first.clone());
            let Some(event) = self.timed(find).await.map_err(error::db)? else {
                return Ok(());
            };
            let next = self.newest_event().await? + 1;
            let still_late = doc! { "_id": event.get("_id"), "seq": null };
            let number = self.events.update_one(still_late, doc! { "$set": { "seq": next } });
            match self.timed(number).await {
                Err(fault) if error::duplicate(&fault).is_some() => {}
                outcome => outcome.map(|_| ()).map_err(error::db)?,
            }
        }
    }

    /// Removes the oldest events beyond `kept`. Never the newest: its number must not be given again.
    pub(super) async fn cut_events(&self, newest: i64, kept: i64) -> StoreResult<()> {
        self.number_late_ones().await?;
        let old = doc! { "seq": { "$gt": 0_i64, "$lte": newest.saturating_sub(kept) } };
        self.timed(self.events.delete_many(old)).await.map_err(error::db)?;
        // Known without counting; after a crash of the server it may be off, which matters to none but the oldest.
        let there = self.timed(self.events.estimated_document_count()).await.map_err(error::db)?;
        if i64::try_from(there).unwrap_or(i64::MAX) <= kept {
            return Ok(());
        }
        self.cut_events_without_number(kept.saturating_sub(newest).max(0)).await
    }

    /// Those from before there were numbers: as many are left as there is room for beside the others.
    async fn cut_events_without_number(&self, room: i64) -> StoreResult<()> {
        let unnumbered = || doc! { "seq": null, "order": { "$lte": self.numbered_from } };
        let newest_to_go = FindOptions::builder()
            .sort(doc! { "order": -1 })
            .projection(doc! { "order": 1 })
            .skip(u64::try_from(room).unwrap_or(0))
            .limit(1)
            .build();
        let Some(place) = self.find(&self.events, unnumbered(), newest_to_go).await?.pop() else {
            return Ok(());
        };
        let old = doc! { "seq": null, "order": { "$lte": place.get("order") } };
        self.timed(self.events.delete_many(old)).await.map(|_| ()).map_err(error::db)
    }
}

/// What is wrong with one must not keep the others from anybody.
fn readable(event: Document) -> Option<Event> {
    shape::read(event).inspect_err(|error| tracing::error!(%error, "an event is passed over")).ok()
}

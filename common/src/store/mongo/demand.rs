//! Counts of applies, a document for each minute and flavor.

use std::sync::atomic::{AtomicI64, Ordering};

use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::error;
use crate::model::{ApplyCount, FlavorId, Timestamp};
use crate::store::{APPLIES_KEPT, StoreError, StoreResult};

/// How often the old ones are dropped.
const CUT_EVERY_MS: i64 = 3_600_000;

impl Db {
    /// Adds them to what there is, in one command; once an hour those go that are too old, as seen from the newest of these.
    pub(super) async fn count_applies(&self, counts: &[ApplyCount], cut_in: &AtomicI64) -> StoreResult<()> {
        let Some(newest) = counts.iter().map(|count| count.minute).max() else {
            return Ok(());
        };
        let updates: Vec<Document> = counts
            .iter()
            .map(|count| {
                let (minute, flavor) = (count.minute.as_millis(), count.flavor.as_str());
                doc! {
                    "q": { "_id": id(count) },
                    "u": {
                        "$setOnInsert": { "minute": minute, "flavor": flavor },
                        "$inc": { "given": number(count.given), "missed": number(count.missed) },
                    },
                    "upsert": true,
                }
            })
            .collect();
        self.update(&self.applies, updates).await.map_err(error::db).and_then(error::all_done)?;
        let hour = newest.as_millis() / CUT_EVERY_MS;
        if cut_in.swap(hour, Ordering::Relaxed) != hour {
            let old = doc! { "minute": { "$lt": (newest - APPLIES_KEPT).as_millis() } };
            self.timed(self.applies.delete_many(old)).await.map_err(error::db)?;
        }
        Ok(())
    }

    /// Of the minutes that began then or later, oldest first.
    pub(super) async fn applies(&self, since: Timestamp) -> StoreResult<Vec<ApplyCount>> {
        let oldest_first = FindOptions::builder().sort(doc! { "minute": 1, "flavor": 1 }).build();
        let found = self.find(&self.applies, doc! { "minute": { "$gte": since.as_millis() } }, oldest_first).await?;
        let read = |count: Document| parse(&count).ok_or_else(|| StoreError::Broken(format!("applies: {count}")));
        found.into_iter().map(read).collect()
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn id(count: &ApplyCount) -> String {
    format!("{} {}", count.minute.as_millis(), count.flavor)
}

/// One count as a document.
pub(super) fn document(count: &ApplyCount) -> Document {
    doc! {
        "_id": id(count), "minute": count.minute.as_millis(), "flavor": count.flavor.as_str(),
        "given": number(count.given), "missed": number(count.missed),
    }
}

pub(super) fn parse(count: &Document) -> Option<ApplyCount> {
    let number = |field: &str| count.get_i64(field).ok().and_then(|n| u64::try_from(n).ok());
    Some(ApplyCount {
        minute: Timestamp::from_millis(count.get_i64("minute").ok()?),
        flavor: FlavorId::parse(count.get_str("flavor").ok()?).ok()?,
        given: number("given")?,
        missed: number("missed")?,
    })
}

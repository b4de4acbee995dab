//! What is over: ended leases, and events.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::{error, shape};
use crate::model::{Event, LeaseId, LeaseRecord};
use crate::store::{EventFilter, LeaseFilter, Page, StoreError, StoreResult};

/// What lies after `place` in a list that is sorted by `(first, second)`, both descending.
fn beyond(place: &Document, first: &str, second: &str) -> Option<Vec<Document>> {
    let at = first.split('.').try_fold(Bson::Document(place.clone()), |value, part| {
        value.as_document().and_then(|document| document.get(part)).cloned()
    })?;
    let tie = place.get(second)?.clone();
    Some(vec![doc! { first: { "$lt": at.clone() } }, doc! { first: at, second: { "$lt": tie } }])
}

impl Db {
    pub(super) async fn list_lease_records(&self, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>> {
        let place = self.place(&self.leases, page.after.as_ref(), "lease record to go on after").await?;
        let mut query = Document::new();
        if let Some(user) = &filter.user {
            query.insert("lease.user", user.as_str());
        }
        if let Some(beyond) = place.and_then(|place| beyond(&place, "ended.at", "_id")) {
            query.insert("$or", beyond);
        }
        let newest = doc! { "ended.at": -1, "_id": -1 };
        let options = FindOptions::builder().sort(newest).limit(i64::from(page.limit)).build();
        self.find(&self.leases, query, options).await?.into_iter().map(shape::read_record).collect()
    }

    pub(super) async fn lease_record(&self, id: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
        self.by_id(&self.leases, id.as_str()).await?.map(shape::read_record).transpose()
    }

    /// Adds events; those that are there already stay as they are.
    pub(super) async fn append_events(&self, events: &[Event]) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        let mut updates = Vec::with_capacity(events.len());
        for event in events {
            let mut fields = shape::write(event)?;
            fields.remove("_id");
            // Of those of one millisecond, the one added last is the newest.
            fields.insert("order", ObjectId::new());
            updates.push(doc! { "q": { "_id": event.id.as_str() }, "u": { "$setOnInsert": fields }, "upsert": true });
        }
        let command = doc! {
            "update": self.events.name(), "updates": updates, "ordered": true,
            "writeConcern": { "w": "majority", "j": true, "wtimeout": 5_000_i64 },
        };
        let answer = self.timed(self.database.run_command(command)).await.map_err(error::db)?;
        match answer.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
            Some(fault) => Err(StoreError::Broken(format!("events: {fault}"))),
            None => match answer.get_document("writeConcernError") {
                Ok(fault) => Err(StoreError::Unavailable(fault.to_string())),
                Err(_) => Ok(()),
            },
        }
    }

    /// Removes the oldest events beyond `kept`.
    pub(super) async fn cut_events(&self, kept: u64) -> StoreResult<()> {
        let there = self.timed(self.events.estimated_document_count()).await.map_err(error::db)?;
        if there <= kept {
            return Ok(());
        }
        let newest_to_go = FindOptions::builder()
            .sort(doc! { "at": -1, "order": -1 })
            .projection(doc! { "at": 1, "order": 1 })
            .skip(kept)
            .limit(1)
            .build();
        let Some(place) = self.find(&self.events, doc! {}, newest_to_go).await?.pop() else {
            return Ok(());
        };
        let (Some(at), Some(order)) = (place.get("at"), place.get("order")) else {
            return Ok(());
        };
        let old = doc! { "$or": [{ "at": { "$lt": at } }, { "at": at, "order": { "$lte": order } }] };
        self.timed(self.events.delete_many(old)).await.map(|_| ()).map_err(error::db)
    }

    pub(super) async fn list_events(&self, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
        let place = self.place(&self.events, page.after.as_ref(), "event to go on after").await?;
        let mut query = Document::new();
        if let Some(host) = &filter.host {
            query.insert("host", host.as_str());
        }
        if let Some(cluster) = &filter.cluster {
            query.insert("cluster.0", cluster.as_str());
        }
        if let Some(beyond) = place.and_then(|place| beyond(&place, "at", "order")) {
            query.insert("$or", beyond);
        }
        let options = FindOptions::builder().sort(doc! { "at": -1, "order": -1 }).limit(i64::from(page.limit)).build();
        self.find(&self.events, query, options).await?.into_iter().map(shape::read).collect()
    }
}

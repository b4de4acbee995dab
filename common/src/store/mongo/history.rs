//! What is over: ended leases.

use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::shape;
use crate::model::{LeaseId, LeaseRecord};
use crate::store::{LeaseFilter, Page, StoreResult};

/// What lies after `place` in a list that is sorted by `(first, second)`, both descending.
pub(super) fn beyond(place: &Document, first: &str, second: &str) -> Option<Vec<Document>> {
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
}

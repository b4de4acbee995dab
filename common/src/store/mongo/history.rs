//! What is over: ended leases.

use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::shape;
use crate::model::{LeaseId, LeaseRecord};
use crate::store::{LeaseFilter, Page, StoreError, StoreResult};

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
        self.fill_now_and_then().await?;
        // Both fields hold the time of the end and then the id; that of a user begins with the user.
        let user = filter.user.as_ref().map(|user| format!("{user}\u{1}"));
        let field = if user.is_some() { "list.user" } else { "list.ended" };
        let user = user.unwrap_or_default();
        let end = match self.place(&self.leases, page.after.as_ref(), "lease record to go on after").await? {
            // No digit is greater than this.
            None => format!("{user}~"),
            Some(place) => {
                let list = place.get_document("list").ok();
                let ended = list.and_then(|list| list.get_str("ended").ok());
                format!("{user}{}", ended.ok_or(StoreError::NotFound("lease record to go on after"))?)
            }
        };
        let query = doc! { field: { "$gte": user, "$lt": end } };
        let options = FindOptions::builder().sort(doc! { field: -1 }).limit(i64::from(page.limit)).build();
        self.find(&self.leases, query, options).await?.into_iter().map(shape::read_record).collect()
    }

    pub(super) async fn lease_record(&self, id: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
        self.by_id(&self.leases, id.as_str()).await?.map(shape::read_record).transpose()
    }
}

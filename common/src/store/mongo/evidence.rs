//! What is kept of clusters that failed.

use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::db::Db;
use super::history::beyond;
use super::{error, shape};
use crate::model::{ClusterId, Evidence, HostId};
use crate::store::{Page, StoreResult};

impl Db {
    /// In the place of what there was of its cluster; the oldest beyond `kept` go.
    pub(super) async fn put_evidence(&self, evidence: &Evidence, kept: u32) -> StoreResult<()> {
        let by_cluster = doc! { "_id": evidence.cluster.as_str() };
        let put = self.evidence.replace_one(by_cluster, shape::write_evidence(evidence)?).upsert(true);
        match self.timed(put).await {
            // Two wrote it at the same moment.
            Err(fault) if error::duplicate(&fault).is_some() => {}
            outcome => outcome.map(|_| ()).map_err(error::db)?,
        }
        // Some hundred entries of an index, and failures are few.
        let newest_to_go = FindOptions::builder()
            .sort(doc! { "failed_at": -1, "_id": -1 })
            .projection(doc! { "failed_at": 1 })
            .skip(u64::from(kept))
            .limit(1)
            .build();
        let Some(place) = self.find(&self.evidence, doc! {}, newest_to_go).await?.pop() else {
            return Ok(());
        };
        let (at, id) = (place.get("failed_at"), place.get("_id"));
        let old = doc! { "$or": [{ "failed_at": { "$lt": at } }, { "failed_at": at, "_id": { "$lte": id } }] };
        self.timed(self.evidence.delete_many(old)).await.map(|_| ()).map_err(error::db)
    }

    pub(super) async fn evidence(&self, cluster: &ClusterId) -> StoreResult<Option<Evidence>> {
        self.by_id(&self.evidence, cluster.as_str()).await?.map(shape::read).transpose()
    }

    /// Latest failure first.
    pub(super) async fn list_evidence(&self, host: Option<&HostId>, page: &Page) -> StoreResult<Vec<Evidence>> {
        let place = self.place(&self.evidence, page.after.as_ref(), "evidence to go on after").await?;
        let mut query = Document::new();
        if let Some(host) = host {
            query.insert("host", host.as_str());
        }
        if let Some(beyond) = place.and_then(|place| beyond(&place, "failed_at", "_id")) {
            query.insert("$or", beyond);
        }
        let newest = doc! { "failed_at": -1, "_id": -1 };
        let options = FindOptions::builder().sort(newest).limit(i64::from(page.limit)).build();
        self.find(&self.evidence, query, options).await?.into_iter().map(shape::read).collect()
    }
}

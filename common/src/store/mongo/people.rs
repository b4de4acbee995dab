//! Operators, their sessions, and the reconciler's lock.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::{FindOptions, ReturnDocument};

use super::db::Db;
use super::{error, setup, shape};
use crate::model::{Operator, OperatorId, Session, SessionId, Timestamp};
use crate::store::{LockRecord, StoreError, StoreResult};

const LOCK: &str = "reconciler";

fn lock_record(document: &Document) -> Option<LockRecord> {
    Some(LockRecord {
        holder: document.get_str("holder").ok()?.to_owned(),
        address: document.get_str("address").ok()?.to_owned(),
        term: u64::try_from(document.get_i64("term").ok()?).ok()?,
        until: Timestamp::from_millis(document.get_i64("until").ok()?),
    })
}

impl Db {
    pub(super) async fn list_operators(&self) -> StoreResult<Vec<Operator>> {
        let by_name = FindOptions::builder().sort(doc! { "username": 1 }).build();
        self.find(&self.operators, doc! {}, by_name).await?.into_iter().map(shape::read).collect()
    }

    pub(super) async fn operator_by_name(&self, username: &str) -> StoreResult<Option<Operator>> {
        let found = self.timed(self.operators.find_one(doc! { "username": username })).await.map_err(error::db)?;
        found.map(shape::read).transpose()
    }

    pub(super) async fn operator(&self, id: &OperatorId) -> StoreResult<Option<Operator>> {
        self.by_id(&self.operators, id.as_str()).await?.map(shape::read).transpose()
    }

    pub(super) async fn insert_operator(&self, operator: &Operator) -> StoreResult<()> {
        match self.timed(self.operators.insert_one(shape::write(operator)?)).await {
            Ok(_) => Ok(()),
            Err(fault) => match error::duplicate(&fault) {
                None => Err(error::db(fault)),
                Some(message) => match self.operator(&operator.id).await? {
                    Some(found) if found == *operator => Ok(()),
                    None if setup::violated(message, &["_id_"]).is_some() => Err(error::unsettled("operator")),
                    Some(_) | None => Err(StoreError::Taken { field: "username" }),
                },
            },
        }
    }

    /// Also forgets sessions that were over when this one was last used: nobody else would.
    pub(super) async fn put_session(&self, session: &Session) -> StoreResult<()> {
        let by_id = doc! { "_id": session.id.as_str() };
        let put = self.sessions.replace_one(by_id, shape::write(session)?).upsert(true);
        match self.timed(put).await {
            Err(fault) if error::duplicate(&fault).is_some() => {}
            outcome => outcome.map(|_| ()).map_err(error::db)?,
        }
        let over = self.sessions.delete_many(doc! { "ends_at": { "$lt": session.used_at.as_millis() } });
        self.timed(over).await.map(|_| ()).map_err(error::db)
    }

    pub(super) async fn touch_session(&self, id: &SessionId, used_at: Timestamp) -> StoreResult<()> {
        let later = doc! { "$max": { "used_at": used_at.as_millis() } };
        let touch = self.sessions.update_one(doc! { "_id": id.as_str() }, later);
        self.timed(touch).await.map(|_| ()).map_err(error::db)
    }

    pub(super) async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        self.by_id(&self.sessions, id.as_str()).await?.map(shape::read).transpose()
    }

    /// One conditional update; the record is always there. Only the server's clock counts, so that a caller whose own
    /// is fast takes no lock that still holds, and one whose own is slow has none that is void at once.
    pub(super) async fn take_lock(
        &self,
        holder: &str,
        address: &str,
        ttl: Duration,
    ) -> StoreResult<Option<LockRecord>> {
        let now = || doc! { "$toLong": "$$NOW" };
        let void = doc! { "$expr": { "$lte": ["$until", now()] } };
        let mine_or_free = doc! { "_id": LOCK, "$or": [{ "holder": holder }, { "holder": "" }, void] };
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let same = doc! { "$eq": ["$holder", { "$literal": holder }] };
        let take = vec![doc! { "$set": {
            "term": { "$cond": [same, "$term", { "$add": ["$term", 1_i64] }] },
            "holder": { "$literal": holder },
            "address": { "$literal": address },
            "until": { "$add": [now(), ttl] },
        } }];
        let taken = self.locks.find_one_and_update(mine_or_free, take).return_document(ReturnDocument::After);
        let taken = self.at_once(taken).await.map_err(error::db)?;
        taken.map(|found| lock_record(&found).ok_or_else(|| StoreError::Broken(format!("lock {found}")))).transpose()
    }

    pub(super) async fn drop_lock(&self, holder: &str) -> StoreResult<()> {
        let query = doc! { "_id": LOCK, "holder": holder };
        let give = self.locks.update_one(query, doc! { "$set": { "holder": "" } });
        self.at_once(give).await.map(|_| ()).map_err(error::db)
    }

    pub(super) async fn lock(&self) -> StoreResult<Option<LockRecord>> {
        let found = self.by_id(&self.locks, LOCK).await?;
        Ok(found.as_ref().and_then(lock_record).filter(|lock| !lock.holder.is_empty()))
    }
}

//! Operators, their sessions, and the reconciler's lock.

use std::time::Duration;

use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::{FindOptions, ReturnDocument};

use super::db::Db;
use super::{error, setup, shape};
use crate::model::{Operator, OperatorId, Role, Session, SessionId, Timestamp};
use crate::store::{LockRecord, SESSIONS_LISTED, StoreError, StoreResult};

const LOCK: &str = "reconciler";

fn lock_record(document: &Document) -> Option<LockRecord> {
    Some(LockRecord {
        holder: document.get_str("holder").ok()?.to_owned(),
        address: document.get_str("address").ok()?.to_owned(),
        term: u64::try_from(document.get_i64("term").ok()?).ok()?,
        until: Timestamp::from_millis(document.get_i64("until").ok()?),
    })
}

/// What came of a change of operators.
enum Turn {
    Done,
    /// It is not at that version any more.
    Changed,
    LastAdmin,
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

    /// Whether it was changed; `false` when it is as wanted already.
    pub(super) async fn change_operator(&self, to: &Operator) -> StoreResult<bool> {
        let before = to.version.saturating_sub(1);
        match self.operator(&to.id).await? {
            None => return Err(StoreError::NotFound("operator")),
            Some(found) if found == *to => return Ok(false),
            Some(found) if found.version != before => return Err(StoreError::Conflict("operator")),
            Some(_) => {}
        }
        let mut fields = shape::write(to)?;
        fields.remove("_id");
        let done = self.in_turn(&to.id, before, to.role == Role::Admin, Some(doc! { "$set": fields })).await?;
        if done {
            return Ok(true);
        }
        match self.operator(&to.id).await? {
            None => Err(StoreError::NotFound("operator")),
            // A try whose answer was lost came through after all.
            Some(found) if found == *to => Ok(false),
            Some(found) if found.version == before => Err(error::unsettled("operator")),
            Some(_) => Err(StoreError::Conflict("operator")),
        }
    }

    /// Whether it was there.
    pub(super) async fn delete_operator(&self, id: &OperatorId, version: u64) -> StoreResult<bool> {
        match self.operator(id).await? {
            None => return Ok(false),
            Some(found) if found.version != version => return Err(StoreError::Conflict("operator")),
            Some(_) => {}
        }
        if self.in_turn(id, version, false, None).await? {
            return Ok(true);
        }
        match self.operator(id).await? {
            None => Ok(false),
            Some(found) if found.version == version => Err(error::unsettled("operator")),
            Some(_) => Err(StoreError::Conflict("operator")),
        }
    }

    /// Changes (or deletes) one, if it is at this version and an admin is left. In a transaction that also writes the
    /// turn's record: of two at once the server lets only one through, so no two admins take the role from each other.
    async fn in_turn(
        &self,
        id: &OperatorId,
        version: u64,
        stays_admin: bool,
        change: Option<Document>,
    ) -> StoreResult<bool> {
        let work = async {
            let mut session = self.database.client().start_session().await?;
            session.start_transaction().await?;
            let outcome = self.change_in(&mut session, id, version, stays_admin, change).await;
            match outcome {
                Ok(Turn::Done) => session.commit_transaction().await.map(|()| Turn::Done),
                other => {
                    // What cannot be told to the server ends there by itself.
                    let _ = session.abort_transaction().await;
                    other
                }
            }
        };
        match self.timed(work).await.map_err(error::db)? {
            Turn::Done => Ok(true),
            Turn::Changed => Ok(false),
            Turn::LastAdmin => Err(StoreError::LastAdmin),
        }
    }

    async fn change_in(
        &self,
        session: &mut ClientSession,
        id: &OperatorId,
        version: u64,
        stays_admin: bool,
        change: Option<Document>,
    ) -> Result<Turn, Error> {
        let turn = doc! { "$inc": { "changes": 1_i64 } };
        self.meta.update_one(doc! { "_id": setup::OPERATORS_TURN }, turn).session(&mut *session).await?;
        if !stays_admin {
            let others = doc! { "role": Role::Admin.as_str(), "_id": { "$ne": id.as_str() } };
            let is_admin = doc! { "role": Role::Admin.as_str(), "_id": id.as_str() };
            if self.operators.find_one(is_admin).session(&mut *session).await?.is_some()
                && self.operators.find_one(others).session(&mut *session).await?.is_none()
            {
                return Ok(Turn::LastAdmin);
            }
        }
        let mut versions = vec![Bson::Int64(i64::try_from(version).unwrap_or(i64::MAX))];
        if version == 0 {
            // Records from before there were versions.
            versions.push(Bson::Null);
        }
        let query = doc! { "_id": id.as_str(), "version": { "$in": versions } };
        let hit = match change {
            Some(change) => self.operators.update_one(query, change).session(&mut *session).await?.matched_count,
            None => self.operators.delete_one(query).session(&mut *session).await?.deleted_count,
        };
        Ok(if hit == 1 { Turn::Done } else { Turn::Changed })
    }

    pub(super) async fn sessions_of(&self, of: &OperatorId) -> StoreResult<Vec<Session>> {
        let latest =
            FindOptions::builder().sort(doc! { "used_at": -1, "_id": 1 }).limit(i64::from(SESSIONS_LISTED)).build();
        self.find(&self.sessions, doc! { "operator": of.as_str() }, latest)
            .await?
            .into_iter()
            .map(shape::read)
            .collect()
    }

    pub(super) async fn delete_sessions(&self, of: &OperatorId, but: Option<&SessionId>) -> StoreResult<()> {
        let mut query = doc! { "operator": of.as_str() };
        if let Some(but) = but {
            query.insert("_id", doc! { "$ne": but.as_str() });
        }
        self.timed(self.sessions.delete_many(query)).await.map(|_| ()).map_err(error::db)
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

//! The collections, and a deadline around every call.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::FindOptions;
use mongodb::{Collection, Database};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use super::error;
use super::setup::WRITE_LIMIT;
use crate::model::HostId;
use crate::store::{Limits, ListBounds, StoreError, StoreResult};

/// Connections that only what is called at once has, so that no flood of reads makes a leader lose its lock.
const KEPT_FREE: u32 = 2;

/// Turns for placing clusters. Two hosts may share one, which costs them some milliseconds.
const PLACING: usize = 32;

/// The collections.
#[derive(Clone)]
pub(super) struct Db {
    pub(super) database: Database,
    pub(super) clusters: Collection<Document>,
    pub(super) hosts: Collection<Document>,
    pub(super) leases: Collection<Document>,
    pub(super) events: Collection<Document>,
    pub(super) evidence: Collection<Document>,
    pub(super) applies: Collection<Document>,
    pub(super) samples: Collection<Document>,
    pub(super) operators: Collection<Document>,
    pub(super) sessions: Collection<Document>,
    pub(super) tokens: Collection<Document>,
    pub(super) token_uses: Collection<Document>,
    pub(super) meta: Collection<Document>,
    pub(super) locks: Collection<Document>,
    /// How long a call may take.
    pub(super) deadline: Duration,
    /// Events that were added before this have no number.
    pub(super) numbered_from: ObjectId,
    /// Calls that are with the driver at a time: as many as it has connections, so that none waits in the driver's own queue.
    /// The driver (3.9) keeps callers who gave up in it, and serves one for each new request: a thousand of them kept
    /// everybody waiting for minutes. Here who gives up is gone.
    calls: Arc<Semaphore>,
    /// The turns of those who place clusters, by host: what this process does at once need not fail to find out.
    placing: Arc<[Mutex<()>; PLACING]>,
    pub(super) list_bounds: ListBounds,
    /// When records without keys for lists were last looked for, in milliseconds since 1970.
    pub(super) lists_filled: Arc<AtomicI64>,
}

impl Db {
    /// For a client that has so many connections.
    pub(super) fn new(database: Database, limits: &Limits, numbered_from: ObjectId, connections: u32) -> Db {
        let calls = usize::try_from(connections.saturating_sub(KEPT_FREE).max(1)).unwrap_or(1);
        Db {
            calls: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))),
            clusters: database.collection("clusters"),
            hosts: database.collection("hosts"),
            leases: database.collection("leases"),
            events: database.collection("events"),
            evidence: database.collection("evidence"),
            applies: database.collection("applies"),
            samples: database.collection("samples"),
            operators: database.collection("operators"),
            sessions: database.collection("sessions"),
            tokens: database.collection("tokens"),
            token_uses: database.collection("token_uses"),
            meta: database.collection("meta"),
            locks: database.collection("locks"),
            database,
            deadline: limits.deadline,
            numbered_from,
            placing: Arc::default(),
            list_bounds: limits.lists,
            lists_filled: Arc::default(),
        }
    }

    /// The turn of whoever places a cluster on a host.
    pub(super) async fn placing_turn(&self, host: &HostId) -> Option<MutexGuard<'_, ()>> {
        let digits = host.as_str().get(..2).and_then(|digits| usize::from_str_radix(digits, 16).ok())?;
        Some(self.placing.get(digits % PLACING)?.lock().await)
    }

    /// The call's outcome, or that it took too long: the driver has no limit of its own for an answer. The wait for its
    /// turn counts.
    pub(super) async fn timed<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        let in_turn = async {
            // Never closed; were it, there would be no turns to wait for.
            let _turn = self.calls.acquire().await;
            call.into_future().await
        };
        self.at_once(in_turn).await
    }

    /// The same, not waiting for its turn: for the few calls on which everything else hangs.
    pub(super) async fn at_once<T>(&self, call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(self.deadline, call.into_future()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(error::late(self.deadline)),
        }
    }

    /// All documents that a query finds.
    pub(super) async fn find<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        of: &Collection<T>,
        filter: Document,
        options: FindOptions,
    ) -> StoreResult<Vec<T>> {
        let all = async { of.find(filter).with_options(options).await?.try_collect::<Vec<_>>().await };
        self.timed(all).await.map_err(error::db)
    }

    /// One document, by its id.
    pub(super) async fn by_id(&self, of: &Collection<Document>, id: &str) -> StoreResult<Option<Document>> {
        self.timed(of.find_one(doc! { "_id": id })).await.map_err(error::db)
    }

    /// Many statements on one collection in one command, each by itself; the server's answer.
    pub(super) async fn update(&self, of: &Collection<Document>, updates: Vec<Document>) -> Result<Document, Error> {
        let limit = i64::try_from(WRITE_LIMIT.as_millis()).unwrap_or(i64::MAX);
        let command = doc! {
            "update": of.name(), "updates": updates, "ordered": false,
            "writeConcern": { "w": "majority", "j": true, "wtimeout": limit },
        };
        self.timed(self.database.run_command(command)).await
    }

    /// Deletes one document; whether it was there.
    pub(super) async fn delete(&self, of: &Collection<Document>, id: &str) -> StoreResult<bool> {
        let deleted = self.timed(of.delete_one(doc! { "_id": id })).await.map_err(error::db)?;
        Ok(deleted.deleted_count > 0)
    }

    /// Where the page before ended: the document with that id.
    pub(super) async fn place(
        &self,
        of: &Collection<Document>,
        after: Option<&String>,
        what: &'static str,
    ) -> StoreResult<Option<Document>> {
        match after {
            None => Ok(None),
            Some(id) => self.by_id(of, id).await?.map(Some).ok_or(StoreError::NotFound(what)),
        }
    }
}

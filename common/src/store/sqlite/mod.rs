//! The store in a SQLite file, for one machine: one app and one admin share it.
//!
//! WAL mode with `synchronous=FULL`, so that what was promised is on disk. All writing is on one thread that commits
//! what waits together; reading is beside it.

mod apply;
mod clusters;
mod demand;
mod dump;
mod error;
mod events;
mod evidence;
mod hosts;
mod leases;
mod lists;
mod load;
mod log;
mod people;
mod readers;
mod row;
mod samples;
mod setup;
mod tokens;
mod watch;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Notify;

pub(super) use self::dump::dump;
pub(super) use self::load::load;
use self::readers::Readers;
use self::setup::FileLock;
use self::watch::Poller;
use self::writer::Writer;
use super::open::{Limits, OpenError, StoreUser};
use super::{
    Applied, Apply, ChangeStream, ClusterCounts, ClusterFilter, ClusterQuery, EventCursor, EventFilter, FailureQuery,
    Found, HostQuery, LeaseFilter, LockRecord, Page, Proof, RecordQuery, Store, StoreError, StoreResult, TokenFilter,
    WatchCursor,
};
use crate::model::{
    ApplyCount, Cluster, ClusterId, Contact, Event, Evidence, Failure, Host, HostId, LeaseId, LeaseRecord, Operator,
    OperatorId, PoolId, Revoked, Sample, Session, SessionId, Subject, Timestamp, Token, TokenHash, TokenId,
};

/// The store in a SQLite file.
pub(super) struct SqliteStore {
    pool: PoolId,
    limits: Limits,
    writer: Writer,
    readers: Readers,
    poller: Poller,
    /// Given back last, when nothing of ours touches the file any more.
    lock: Mutex<Option<FileLock>>,
}

impl SqliteStore {
    /// Takes the file for this kind of user, and opens it.
    pub(super) async fn open(path: &Path, user: StoreUser, limits: Limits) -> Result<SqliteStore, OpenError> {
        let path = path.to_owned();
        let wrote = Arc::new(Notify::new());
        let rung = wrote.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let lock = setup::take_file(&path, user)?;
            let pool = setup::prepare(&path)?;
            let broken = |error: rusqlite::Error| OpenError::Broken(format!("{}: {error}", path.display()));
            let readers = Readers::open(&path).map_err(broken)?;
            let writer = Writer::start(&path, limits.deadline, wrote).map_err(broken)?;
            let watching = setup::connect(&path).map_err(broken)?;
            Ok((lock, pool, readers, writer, watching))
        });
        let (lock, pool, readers, writer, watching) =
            opened.await.map_err(|error| OpenError::Broken(error.to_string()))??;
        let poller = Poller::start(watching, rung);
        Ok(SqliteStore { pool, limits, writer, readers, poller, lock: Mutex::new(Some(lock)) })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.writer.write(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        match tokio::time::timeout(self.limits.deadline, self.readers.read(work)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {:?}", self.limits.deadline))),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer.stop();
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn pool_id(&self) -> &PoolId {
        &self.pool
    }

    async fn ping(&self) -> StoreResult<()> {
        let look = |conn: &Connection| conn.query_row("SELECT 1", [], |_| Ok(())).map_err(error::sql);
        self.read(look).await?;
        // Writes go by a thread of their own, which can be stuck while reads go on. An empty commit costs no flush; only
        // after a failure it takes a real write to know that the disk has room again.
        if self.writer.is_failing() { self.write(setup::take_room).await } else { self.write(look).await }
    }

    async fn close(&self) {
        self.readers.close();
        // A join of a thread that ends with what waits: milliseconds.
        self.writer.stop();
        if let Ok(mut lock) = self.lock.lock() {
            lock.take();
        }
    }

    async fn list_hosts(&self) -> StoreResult<Vec<Host>> {
        self.read(hosts::list).await
    }

    async fn find_hosts(&self, query: &HostQuery) -> StoreResult<Found<Host>> {
        self.hosts_found(query).await
    }

    async fn host(&self, id: &HostId) -> StoreResult<Option<Host>> {
        let id = id.clone();
        self.read(move |conn| hosts::by_id(conn, &id)).await
    }

    async fn insert_host(&self, host: &Host, event: Event) -> StoreResult<()> {
        let (host, kept) = (host.clone(), self.limits.events_kept);
        self.write(move |conn| match hosts::insert(conn, &host)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn change_host(&self, to: &Host, event: Event) -> StoreResult<()> {
        let (to, kept) = (to.clone(), self.limits.events_kept);
        self.write(move |conn| match hosts::change(conn, &to)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn note_contact(&self, id: &HostId, contact: &Contact) -> StoreResult<()> {
        let (id, contact) = (id.clone(), contact.clone());
        self.write(move |conn| hosts::note_contact(conn, &id, &contact)).await
    }

    async fn delete_host(&self, id: &HostId, version: u64, event: Event) -> StoreResult<()> {
        let (id, kept) = (id.clone(), self.limits.events_kept);
        self.write(move |conn| match hosts::delete(conn, &id, version)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>> {
        let id = id.clone();
        self.read(move |conn| row::by_id(conn, &id)?.map(row::ClusterRow::parse).transpose()).await
    }

    async fn list_clusters(&self, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<Cluster>> {
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |conn| clusters::list(conn, &filter, &page)?.into_iter().map(row::ClusterRow::parse).collect())
            .await
    }

    async fn find_clusters(&self, query: &ClusterQuery) -> StoreResult<Found<Cluster>> {
        self.clusters_found(query).await
    }

    async fn count_clusters(&self) -> StoreResult<ClusterCounts> {
        self.read(|conn| clusters::count(conn, None)).await
    }

    async fn count_clusters_on(&self, host: &HostId) -> StoreResult<ClusterCounts> {
        let host = host.clone();
        self.read(move |conn| clusters::count(conn, Some(&host))).await
    }

    async fn place_cluster(&self, cluster: &Cluster, host_version: u64, event: Event) -> StoreResult<()> {
        let (cluster, kept) = (cluster.clone(), self.limits.events_kept);
        self.write(move |conn| match clusters::place(conn, &cluster, host_version)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn insert_cluster(&self, cluster: &Cluster, event: Event) -> StoreResult<()> {
        let (cluster, kept) = (cluster.clone(), self.limits.events_kept);
        self.write(move |conn| match clusters::insert(conn, &cluster)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn move_cluster(&self, from: &Cluster, to: &Cluster, event: Option<Event>) -> StoreResult<()> {
        let (from, to, kept) = (from.clone(), to.clone(), self.limits.events_kept);
        self.write(move |conn| match (clusters::change(conn, &from, &to)?, &event) {
            (true, Some(event)) => events::add(conn, event, kept),
            (true, None) | (false, _) => Ok(()),
        })
        .await
    }

    async fn prove(&self, proofs: &[Proof]) -> StoreResult<()> {
        let proofs = proofs.to_vec();
        self.write(move |conn| clusters::prove(conn, &proofs)).await
    }

    async fn extend_offers(&self, host: &HostId, max_proof_age: Duration, until: Timestamp) -> StoreResult<()> {
        let host = host.clone();
        self.write(move |conn| clusters::extend_offers(conn, &host, max_proof_age, until)).await
    }

    async fn vanish(&self, cluster: &Cluster, event: Event) -> StoreResult<()> {
        let (cluster, kept) = (cluster.clone(), self.limits.events_kept);
        self.write(move |conn| clusters::vanish(conn, &cluster, &event, kept)).await
    }

    async fn apply(&self, apply: Apply) -> StoreResult<Applied> {
        let start = rand::random::<f64>();
        self.write(move |conn| apply::apply(conn, apply, start)).await?.parse()
    }

    async fn list_lease_records(&self, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>> {
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |conn| leases::list(conn, &filter, &page)).await
    }

    async fn find_lease_records(&self, query: &RecordQuery) -> StoreResult<Found<LeaseRecord>> {
        self.records_found(query).await
    }

    async fn lease_record(&self, id: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
        let id = id.clone();
        self.read(move |conn| leases::by_id(conn, &id)).await
    }

    async fn delete_lease_record(&self, id: &LeaseId) -> StoreResult<()> {
        let id = id.clone();
        self.write(move |conn| leases::delete(conn, &id)).await
    }

    async fn append_events(&self, events: &[Event]) -> StoreResult<()> {
        let (events, kept) = (events.to_vec(), self.limits.events_kept);
        self.write(move |conn| events.iter().try_for_each(|event| events::add(conn, event, kept))).await
    }

    async fn list_events(&self, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |conn| events::list(conn, &filter, &page)).await
    }

    async fn tail_events(
        &self,
        after: Option<&EventCursor>,
        filter: &EventFilter,
        limit: u32,
    ) -> StoreResult<(Vec<Event>, EventCursor)> {
        let (after, filter) = (after.cloned(), filter.clone());
        self.read(move |conn| events::tail(conn, after.as_ref(), &filter, limit)).await
    }

    async fn put_evidence(&self, evidence: &Evidence) -> StoreResult<()> {
        let (evidence, kept) = (evidence.clone(), self.limits.evidence_kept);
        self.write(move |conn| evidence::put(conn, &evidence, kept)).await
    }

    async fn evidence(&self, cluster: &ClusterId) -> StoreResult<Option<Evidence>> {
        let cluster = cluster.clone();
        self.read(move |conn| evidence::of(conn, &cluster)).await
    }

    async fn list_evidence(&self, host: Option<&HostId>, page: &Page) -> StoreResult<Vec<Evidence>> {
        let (host, page) = (host.cloned(), page.clone());
        self.read(move |conn| evidence::list(conn, host.as_ref(), &page)).await
    }

    async fn find_failures(&self, query: &FailureQuery) -> StoreResult<Found<Failure>> {
        self.failures_found(query).await
    }

    async fn count_applies(&self, counts: &[ApplyCount]) -> StoreResult<()> {
        let counts = counts.to_vec();
        self.write(move |conn| demand::count(conn, &counts)).await
    }

    async fn applies(&self, since: Timestamp) -> StoreResult<Vec<ApplyCount>> {
        self.read(move |conn| demand::since(conn, since)).await
    }

    async fn put_samples(&self, samples: &[Sample]) -> StoreResult<()> {
        let (samples, room) = (samples.to_vec(), self.limits.sampled_subjects);
        self.write(move |conn| samples::put(conn, &samples, room)).await
    }

    async fn samples(&self, subject: &Subject, since: Timestamp) -> StoreResult<Vec<Sample>> {
        let subject = subject.clone();
        self.read(move |conn| samples::since(conn, &subject, since)).await
    }

    async fn list_operators(&self) -> StoreResult<Vec<Operator>> {
        self.read(people::operators).await
    }

    async fn operator_by_name(&self, username: &str) -> StoreResult<Option<Operator>> {
        let username = username.to_owned();
        self.read(move |conn| people::operator_by_name(conn, &username)).await
    }

    async fn operator(&self, id: &OperatorId) -> StoreResult<Option<Operator>> {
        let id = id.clone();
        self.read(move |conn| people::operator(conn, &id)).await
    }

    async fn insert_operator(&self, operator: &Operator) -> StoreResult<()> {
        let operator = operator.clone();
        self.write(move |conn| people::insert_operator(conn, &operator)).await
    }

    async fn change_operator(&self, to: &Operator, event: Event) -> StoreResult<()> {
        let (to, kept) = (to.clone(), self.limits.events_kept);
        self.write(move |conn| match people::change_operator(conn, &to)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn delete_operator(&self, id: &OperatorId, version: u64, event: Event) -> StoreResult<()> {
        let (id, kept) = (id.clone(), self.limits.events_kept);
        self.write(move |conn| match people::delete_operator(conn, &id, version)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn put_session(&self, session: &Session) -> StoreResult<()> {
        let session = session.clone();
        self.write(move |conn| people::put_session(conn, &session)).await
    }

    async fn touch_session(&self, id: &SessionId, used_at: Timestamp) -> StoreResult<()> {
        let id = id.clone();
        self.write(move |conn| people::touch_session(conn, &id, used_at)).await
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        let id = id.clone();
        self.read(move |conn| people::session(conn, &id)).await
    }

    async fn delete_session(&self, id: &SessionId) -> StoreResult<()> {
        let id = id.clone();
        self.write(move |conn| people::delete_session(conn, &id)).await
    }

    async fn list_sessions(&self, of: &OperatorId) -> StoreResult<Vec<Session>> {
        let of = of.clone();
        self.read(move |conn| people::sessions(conn, &of)).await
    }

    async fn delete_sessions(&self, of: &OperatorId, but: Option<&SessionId>) -> StoreResult<()> {
        let (of, but) = (of.clone(), but.cloned());
        self.write(move |conn| people::delete_sessions(conn, &of, but.as_ref())).await
    }

    async fn insert_token(&self, token: &Token, event: Event) -> StoreResult<()> {
        let (token, kept) = (token.clone(), self.limits.events_kept);
        self.write(move |conn| match tokens::insert(conn, &token)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn token(&self, id: &TokenId) -> StoreResult<Option<Token>> {
        let id = id.clone();
        self.read(move |conn| tokens::by_id(conn, &id)).await
    }

    async fn tokens_by_hash(&self, hashes: &[TokenHash]) -> StoreResult<Vec<Token>> {
        let hashes = hashes.to_vec();
        self.read(move |conn| tokens::by_hash(conn, &hashes)).await
    }

    async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> StoreResult<Vec<Token>> {
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |conn| tokens::list(conn, &filter, &page)).await
    }

    async fn revoke_token(&self, id: &TokenId, revoked: &Revoked, event: Event) -> StoreResult<()> {
        let (id, revoked, kept) = (id.clone(), revoked.clone(), self.limits.events_kept);
        self.write(move |conn| match tokens::revoke(conn, &id, &revoked)? {
            true => events::add(conn, &event, kept),
            false => Ok(()),
        })
        .await
    }

    async fn use_tokens(&self, ids: &[TokenId], at: Timestamp) -> StoreResult<()> {
        let ids = ids.to_vec();
        self.write(move |conn| tokens::note_use(conn, &ids, at)).await
    }

    async fn take_lock(
        &self,
        holder: &str,
        address: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> StoreResult<Option<LockRecord>> {
        let (holder, address) = (holder.to_owned(), address.to_owned());
        self.write(move |conn| people::take_lock(conn, &holder, &address, ttl, now)).await
    }

    async fn drop_lock(&self, holder: &str) -> StoreResult<()> {
        let holder = holder.to_owned();
        self.write(move |conn| people::drop_lock(conn, &holder)).await
    }

    async fn lock(&self) -> StoreResult<Option<LockRecord>> {
        self.read(people::lock).await
    }

    async fn watch(&self, since: Option<WatchCursor>) -> StoreResult<ChangeStream> {
        self.poller.watch(&self.readers, since).await
    }
}

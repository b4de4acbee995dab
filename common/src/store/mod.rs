//! The store: one trait, two homes. `MONGO_URL` chooses MongoDB, else a SQLite file.
//!
//! Nothing outside this folder names a database. What a caller may rely on, on both:
//!
//! * Every write that returned `Ok` is durable (write concern majority; `synchronous=FULL`).
//! * A change of a cluster or host is conditional on the version it was decided on; who loses gets
//!   [`StoreError::Conflict`], looks again and decides again.
//! * [`StoreError::Unavailable`] says nothing about whether the write happened. Every write here is safe to repeat.
//! * Calls end: each has a deadline of its own, after which it is `Unavailable`.

pub mod backup;
mod change;
mod claim;
mod error;
mod filter;
mod kept;
mod list;
mod measured;
mod mongo;
mod open;
mod same;
mod schema;
mod sqlite;
mod together;

pub use self::change::{Change, ChangeStream, WatchCursor};
pub use self::claim::{Applied, Apply, Holding};
pub use self::error::{StoreError, StoreResult};
pub use self::filter::{ClusterFilter, EventCursor, EventFilter, LeaseFilter, Page, TokenFilter};
pub use self::kept::{APPLIES_KEPT, EVENTS_KEPT, EVIDENCE_KEPT, KEY_KEPT, SAMPLED_SUBJECTS, SESSIONS_LISTED};
pub use self::list::{
    ClusterQuery, ClusterSort, Cursor, Direction, FailureQuery, FailureSort, Found, HealthKind, HostQuery, HostSort,
    HostStateKind, ListBounds, ListPage, RecordQuery, RecordSort, Search, Sort, Total,
};
pub use self::measured::measured;
pub use self::mongo::first::{FirstMongo, first_mongo};
pub use self::open::{Limits, OpenError, StoreTarget, StoreUser, open, open_with};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{
    ApplyCount, Cluster, ClusterId, Contact, Event, Evidence, Failure, FlavorId, Host, HostId, LeaseId, LeaseRecord,
    Operator, OperatorId, PhaseKind, PoolId, Revoked, Sample, Session, SessionId, Subject, Timestamp, Token, TokenHash,
    TokenId,
};

/// A store that any task may use.
pub type SharedStore = Arc<dyn Store>;

/// How many clusters there are of a kind.
pub type ClusterCounts = BTreeMap<(HostId, FlavorId, PhaseKind), u64>;

/// A fresh proof of a Free or InUse cluster. Written in batches per host; changes no version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Of which.
    pub cluster: ClusterId,
    /// When it was proven well.
    pub at: Timestamp,
    /// How long its offer holds from now on, if it has one (a cluster without an offer does not get one by this).
    pub offer_until: Timestamp,
}

/// The reconciler lock as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRecord {
    /// Who holds it: a random name, new at every start of admin.
    pub holder: String,
    /// Where its `/internal` answers, for the doorbell: `http://host:port`.
    pub address: String,
    /// Grows each time the lock changes hands: the fencing term.
    pub term: u64,
    /// Void after this, by the clock that the store goes by: other machines' may differ from it.
    pub until: Timestamp,
}

/// The store. See the module's own words for what callers may rely on.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// This store's pool: made when the store was, never changed.
    fn pool_id(&self) -> &PoolId;

    /// Whether the store answers, for `/readyz`.
    async fn ping(&self) -> StoreResult<()>;

    /// Ends background work and connections in order. The store is not used after this.
    async fn close(&self);

    // Hosts

    /// All hosts, by name.
    async fn list_hosts(&self) -> StoreResult<Vec<Host>>;
    /// A page of hosts.
    async fn find_hosts(&self, query: &HostQuery) -> StoreResult<Found<Host>>;
    /// One host.
    async fn host(&self, id: &HostId) -> StoreResult<Option<Host>>;
    /// Adds one; its name and engine id must be new ([`StoreError::Taken`]).
    async fn insert_host(&self, host: &Host, event: Event) -> StoreResult<()>;
    /// Puts `to` in the place of the record with `to.id` and version `to.version - 1`. Its contact is left as it is in the store.
    async fn change_host(&self, to: &Host, event: Event) -> StoreResult<()>;
    /// Records what admin saw of a host; changes no version. Watched only if it went away or came back.
    async fn note_contact(&self, id: &HostId, contact: &Contact) -> StoreResult<()>;
    /// Deletes the record if it is still at this version and has no clusters (else [`StoreError::Conflict`]). Gone already is fine.
    async fn delete_host(&self, id: &HostId, version: u64, event: Event) -> StoreResult<()>;

    // Clusters

    /// One cluster.
    async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>>;
    /// Clusters by id.
    async fn list_clusters(&self, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<Cluster>>;
    /// A page of clusters. Costs the same whatever there is.
    async fn find_clusters(&self, query: &ClusterQuery) -> StoreResult<Found<Cluster>>;
    /// How many there are, by host, flavor and phase. Reads an entry of an index for each cluster.
    async fn count_clusters(&self) -> StoreResult<ClusterCounts>;
    /// The same of one host, which reads an entry for each of its clusters.
    async fn count_clusters_on(&self, host: &HostId) -> StoreResult<ClusterCounts>;
    /// Records the intent to make one where there is room, by what the host's record says of its capacity: [`StoreError::Full`]
    /// if there is none, [`StoreError::Conflict`] if the host is not at this version any more. Counted in the same write, so
    /// that of many at once no more get in than may. Its slot must be unoccupied ([`StoreError::Taken`] `slot`).
    async fn place_cluster(&self, cluster: &Cluster, host_version: u64, event: Event) -> StoreResult<()>;
    /// Adds one as it is, whatever there is on its host; its host and slot must be unoccupied ([`StoreError::Taken`] `slot`).
    async fn insert_cluster(&self, cluster: &Cluster, event: Event) -> StoreResult<()>;
    /// Puts `to` in the place of `from`, if the record is still in `from`'s phase and version; `to` is a legal move of `from`.
    /// The event, if any, becomes readable with the move (on MongoDB right after it).
    async fn move_cluster(&self, from: &Cluster, to: &Cluster, event: Option<Event>) -> StoreResult<()>;
    /// Records proofs, in one write. Clusters that are gone or in another phase are passed over.
    async fn prove(&self, proofs: &[Proof]) -> StoreResult<()>;
    /// Extends the offers of all clusters on offer on a host, in one write: each to `until`, but not beyond `max_proof_age`
    /// after its proof. Never shortens one; changes no version.
    async fn extend_offers(&self, host: &HostId, max_proof_age: Duration, until: Timestamp) -> StoreResult<()>;
    /// Deletes the record of a cluster that [`Cluster::may_vanish`], if it is still at this version; its lease record is in the
    /// history before. Gone already is fine.
    async fn vanish(&self, cluster: &Cluster, event: Event) -> StoreResult<()>;

    // Leases

    /// Takes a free cluster for a user, in one conditional write. Never gives one cluster to two, nor two to one who asked for the same.
    async fn apply(&self, apply: Apply) -> StoreResult<Applied>;
    /// Ended leases, newest end first; `page.after` is the id of the last record of the page before.
    async fn list_lease_records(&self, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>>;
    /// A page of ended leases. Costs the same whatever there is.
    async fn find_lease_records(&self, query: &RecordQuery) -> StoreResult<Found<LeaseRecord>>;
    /// One ended lease.
    async fn lease_record(&self, id: &LeaseId) -> StoreResult<Option<LeaseRecord>>;
    /// Forgets one ended lease. Gone already is fine.
    async fn delete_lease_record(&self, id: &LeaseId) -> StoreResult<()>;

    // Events

    /// Adds events. Bounded: the oldest beyond [`EVENTS_KEPT`] go.
    async fn append_events(&self, events: &[Event]) -> StoreResult<()>;
    /// Events, newest first; `page.after` is the id of the last event of the page before.
    async fn list_events(&self, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>>;
    /// Events that were appended after a place, in the order of their appending, at most `limit`, and the place after the
    /// last that was looked at. `None`: from now on, so none yet. Fewer than `limit`: these are all there are by now.
    ///
    /// Each event shows exactly once however many programs append at the same time. A place whose events were dropped for
    /// their age goes on with the oldest that is left. What is no place of this store, one beyond the newest
    /// event included, is [`StoreError::NotFound`].
    async fn tail_events(
        &self,
        after: Option<&EventCursor>,
        filter: &EventFilter,
        limit: u32,
    ) -> StoreResult<(Vec<Event>, EventCursor)>;

    // Evidence

    /// Keeps what was gathered of a failed cluster, in the place of what there was of it. Bounded: the oldest beyond
    /// [`EVIDENCE_KEPT`] go.
    async fn put_evidence(&self, evidence: &Evidence) -> StoreResult<()>;
    /// What was kept of a cluster.
    async fn evidence(&self, cluster: &ClusterId) -> StoreResult<Option<Evidence>>;
    /// Evidence, of one host or all, latest failure first; `page.after` is the cluster id of the last one of the page before.
    async fn list_evidence(&self, host: Option<&HostId>, page: &Page) -> StoreResult<Vec<Evidence>>;
    /// A page of the failures of which there is evidence.
    async fn find_failures(&self, query: &FailureQuery) -> StoreResult<Found<Failure>>;

    // Demand

    /// Adds to the counts of applies, in one write. Not safe to repeat: a count may be lost, or on
    /// [`StoreError::Unavailable`] counted twice; they steer and inform, nothing more. Those older than [`APPLIES_KEPT`],
    /// as seen from the newest of these, go.
    async fn count_applies(&self, counts: &[ApplyCount]) -> StoreResult<()>;
    /// Counts of the minutes that began at or after `since`, oldest first, those of one minute by flavor.
    async fn applies(&self, since: Timestamp) -> StoreResult<Vec<ApplyCount>>;

    // Samples

    /// Keeps numbers of minutes, each in the place of what there was by its name. Safe to repeat. Bounded: in each hour there
    /// is room for [`SAMPLED_SUBJECTS`], and the numbers of those beyond are passed over; what is older than
    /// [`Subject::kept`], as seen from the newest of these, goes within the hour.
    async fn put_samples(&self, samples: &[Sample]) -> StoreResult<()>;
    /// The samples of the minutes that began at or after `since`, oldest first. A minute without one was not measured.
    async fn samples(&self, subject: &Subject, since: Timestamp) -> StoreResult<Vec<Sample>>;

    // Operators

    /// All operators, by username.
    async fn list_operators(&self) -> StoreResult<Vec<Operator>>;
    /// By what she signs in with.
    async fn operator_by_name(&self, username: &str) -> StoreResult<Option<Operator>>;
    /// By id.
    async fn operator(&self, id: &OperatorId) -> StoreResult<Option<Operator>>;
    /// Adds one; her username must be new.
    async fn insert_operator(&self, operator: &Operator) -> StoreResult<()>;
    /// Puts `to` in the place of the record with `to.id` and version `to.version - 1`. [`StoreError::LastAdmin`] if no admin
    /// would be left, also when two are changed at the same moment.
    async fn change_operator(&self, to: &Operator, event: Event) -> StoreResult<()>;
    /// Deletes the record, if it is still at this version, and her sessions; not the last admin's. Gone already is fine.
    async fn delete_operator(&self, id: &OperatorId, version: u64, event: Event) -> StoreResult<()>;
    /// Adds or replaces a session.
    async fn put_session(&self, session: &Session) -> StoreResult<()>;
    /// Notes that a session was used; never turns `used_at` back. Only if it is still there, so that one that was ended
    /// meanwhile does not come back. Gone already is fine.
    async fn touch_session(&self, id: &SessionId, used_at: Timestamp) -> StoreResult<()>;
    /// One session.
    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>>;
    /// Ends a session. Gone already is fine.
    async fn delete_session(&self, id: &SessionId) -> StoreResult<()>;
    /// An operator's sessions, those included that are over and not forgotten yet; latest used first, at most
    /// [`SESSIONS_LISTED`].
    async fn list_sessions(&self, of: &OperatorId) -> StoreResult<Vec<Session>>;
    /// Ends all of an operator's sessions but this one.
    async fn delete_sessions(&self, of: &OperatorId, but: Option<&SessionId>) -> StoreResult<()>;

    // Tokens

    /// Adds one; its id and hash must be new ([`StoreError::Taken`] `id`).
    async fn insert_token(&self, token: &Token, event: Event) -> StoreResult<()>;
    /// One token.
    async fn token(&self, id: &TokenId) -> StoreResult<Option<Token>>;
    /// Those that there are of these, in any order, in one read.
    async fn tokens_by_hash(&self, hashes: &[TokenHash]) -> StoreResult<Vec<Token>>;
    /// Tokens, latest made first; `page.after` is the id of the last one of the page before.
    async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> StoreResult<Vec<Token>>;
    /// Ends a token. One that was ended before stays as it was, without another event.
    async fn revoke_token(&self, id: &TokenId, revoked: &Revoked, event: Event) -> StoreResult<()>;
    /// Notes that these were used, in one write; never turns `used_at` back. Those that are gone are passed over.
    async fn use_tokens(&self, ids: &[TokenId], at: Timestamp) -> StoreResult<()>;

    // The reconciler lock

    /// Takes the lock if it is free, void, or the holder's own; it then holds for `ttl` from now on. `None`: somebody else has it.
    /// The term grows by one when the holder changes.
    ///
    /// `now` is the caller's clock. A store with a server of its own goes by the server's instead, because callers are on
    /// several machines there.
    async fn take_lock(
        &self,
        holder: &str,
        address: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> StoreResult<Option<LockRecord>>;
    /// Gives the lock back, if `holder` has it.
    async fn drop_lock(&self, holder: &str) -> StoreResult<()>;
    /// Who has it now, void or not.
    async fn lock(&self) -> StoreResult<Option<LockRecord>>;

    // Watching

    /// Changes of clusters and hosts from `since` on, or from now; to who may only read what app needs, of clusters alone.
    async fn watch(&self, since: Option<WatchCursor>) -> StoreResult<ChangeStream>;
}

//! A store behind a wire: counts the calls that go through, and at one of them something goes wrong.
//!
//! For what a caller makes of a store that fails anywhere, and for killing the caller right before or right after any
//! of its writes.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use common::model::*;
use common::store::{
    Applied, Apply, ChangeStream, ClusterCounts, ClusterFilter, ClusterQuery, EventCursor, EventFilter, FailureQuery,
    Found, HostQuery, LeaseFilter, LockRecord, Page, Proof, RecordQuery, SharedStore, Store, StoreError, StoreResult,
    TokenFilter, WatchCursor,
};
use tokio::sync::Notify;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Not carried out, and the caller never hears of it: it is to be killed.
    StopBefore,
    /// Carried out, and the caller never hears of it: it is to be killed.
    StopAfter,
    /// Not carried out, and the caller is told that the store is away.
    Refuse,
    /// Carried out, and the caller is told that the store is away.
    LoseAnswer,
}

/// Which call, and what then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// The method of [`Store`].
    pub call: String,
    /// The how-manieth call of it from now on, counted from 1.
    pub nth: u64,
    /// What goes wrong.
    pub mishap: Mishap,
}

/// The store behind the wire.
pub struct Tripwire {
    store: SharedStore,
    state: Mutex<State>,
    tripped: Notify,
}

#[derive(Default)]
struct State {
    counts: BTreeMap<&'static str, u64>,
    trip: Option<Trip>,
    tripped: bool,
}

/// The methods by which a reconciler changes the store.
pub const WRITES: [&str; 12] = [
    "append_events",
    "change_host",
    "delete_host",
    "drop_lock",
    "place_cluster",
    "move_cluster",
    "note_contact",
    "prove",
    "put_evidence",
    "take_lock",
    "vanish",
    "count_applies",
];

impl Tripwire {
    /// Lets everything through so far.
    pub fn new(store: SharedStore) -> Arc<Tripwire> {
        Arc::new(Tripwire { store, state: Mutex::default(), tripped: Notify::new() })
    }

    /// Forgets what was counted, and waits for this call.
    pub fn arm(&self, trip: Option<Trip>) {
        *self.lock() = State { trip, ..State::default() };
    }

    /// Lets everything through from now on, and says whether the call had come before.
    pub fn disarm(&self) -> bool {
        let mut state = self.lock();
        state.trip = None;
        state.tripped
    }

    /// How many calls of each method there were.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    /// Whether the call came.
    pub fn has_tripped(&self) -> bool {
        self.lock().tripped
    }

    /// Waits until the call has come.
    pub async fn tripped(&self) {
        loop {
            let notified = self.tripped.notified();
            if self.has_tripped() {
                return;
            }
            notified.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says what goes wrong with it.
    fn strike(&self, call: &'static str) -> Option<Mishap> {
        let mut state = self.lock();
        let count = state.counts.entry(call).or_default();
        *count += 1;
        let count = *count;
        let trip = state.trip.as_ref().filter(|trip| trip.call == call && trip.nth == count)?;
        let mishap = trip.mishap;
        state.tripped = true;
        Some(mishap)
    }

    async fn pass<T>(&self, name: &'static str, call: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        let Some(mishap) = self.strike(name) else { return call.await };
        let outcome = match mishap {
            Mishap::StopBefore | Mishap::Refuse => None,
            Mishap::StopAfter | Mishap::LoseAnswer => Some(call.await),
        };
        drop(outcome);
        self.tripped.notify_waiters();
        match mishap {
            Mishap::StopBefore | Mishap::StopAfter => std::future::pending().await,
            Mishap::Refuse | Mishap::LoseAnswer => Err(StoreError::Unavailable("on purpose".into())),
        }
    }
}

macro_rules! through_the_wire {
    ($(fn $name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Tripwire {
            fn pool_id(&self) -> &PoolId {
                self.store.pool_id()
            }

            async fn close(&self) {
                self.store.close().await;
            }

            $(async fn $name(&self, $($arg: $of),*) -> StoreResult<$answer> {
                self.pass(stringify!($name), self.store.$name($($arg),*)).await
            })*
        }
    };
}

through_the_wire! {
    fn ping() -> ();
    fn list_hosts() -> Vec<Host>;
    fn find_hosts(query: &HostQuery) -> Found<Host>;
    fn host(id: &HostId) -> Option<Host>;
    fn insert_host(host: &Host, event: Event) -> ();
    fn change_host(to: &Host, event: Event) -> ();
    fn note_contact(id: &HostId, contact: &Contact) -> ();
    fn delete_host(id: &HostId, version: u64, event: Event) -> ();
    fn cluster(id: &ClusterId) -> Option<Cluster>;
    fn list_clusters(filter: &ClusterFilter, page: &Page) -> Vec<Cluster>;
    fn find_clusters(query: &ClusterQuery) -> Found<Cluster>;
    fn count_clusters() -> ClusterCounts;
    fn count_clusters_on(host: &HostId) -> ClusterCounts;
    fn place_cluster(cluster: &Cluster, host_version: u64, event: Event) -> ();
    fn insert_cluster(cluster: &Cluster, event: Event) -> ();
    fn move_cluster(from: &Cluster, to: &Cluster, event: Option<Event>) -> ();
    fn prove(proofs: &[Proof]) -> ();
    fn extend_offers(host: &HostId, max_proof_age: Duration, until: Timestamp) -> ();
    fn vanish(cluster: &Cluster, event: Event) -> ();
    fn apply(apply: Apply) -> Applied;
    fn list_lease_records(filter: &LeaseFilter, page: &Page) -> Vec<LeaseRecord>;
    fn find_lease_records(query: &RecordQuery) -> Found<LeaseRecord>;
    fn lease_record(id: &LeaseId) -> Option<LeaseRecord>;
    fn delete_lease_record(id: &LeaseId) -> ();
    fn append_events(events: &[Event]) -> ();
    fn list_events(filter: &EventFilter, page: &Page) -> Vec<Event>;
    fn tail_events(after: Option<&EventCursor>, filter: &EventFilter, limit: u32) -> (Vec<Event>, EventCursor);
    fn put_evidence(evidence: &Evidence) -> ();
    fn evidence(cluster: &ClusterId) -> Option<Evidence>;
    fn list_evidence(host: Option<&HostId>, page: &Page) -> Vec<Evidence>;
    fn find_failures(query: &FailureQuery) -> Found<Failure>;
    fn count_applies(counts: &[ApplyCount]) -> ();
    fn applies(since: Timestamp) -> Vec<ApplyCount>;
    fn put_samples(samples: &[Sample]) -> ();
    fn samples(subject: &Subject, since: Timestamp) -> Vec<Sample>;
    fn list_operators() -> Vec<Operator>;
    fn operator_by_name(username: &str) -> Option<Operator>;
    fn operator(id: &OperatorId) -> Option<Operator>;
    fn insert_operator(operator: &Operator) -> ();
    fn change_operator(to: &Operator, event: Event) -> ();
    fn delete_operator(id: &OperatorId, version: u64, event: Event) -> ();
    fn put_session(session: &Session) -> ();
    fn touch_session(id: &SessionId, used_at: Timestamp) -> ();
    fn session(id: &SessionId) -> Option<Session>;
    fn delete_session(id: &SessionId) -> ();
    fn list_sessions(of: &OperatorId) -> Vec<Session>;
    fn delete_sessions(of: &OperatorId, but: Option<&SessionId>) -> ();
    fn insert_token(token: &Token, event: Event) -> ();
    fn token(id: &TokenId) -> Option<Token>;
    fn tokens_by_hash(hashes: &[TokenHash]) -> Vec<Token>;
    fn list_tokens(filter: &TokenFilter, page: &Page) -> Vec<Token>;
    fn revoke_token(id: &TokenId, revoked: &Revoked, event: Event) -> ();
    fn use_tokens(ids: &[TokenId], at: Timestamp) -> ();
    fn take_lock(holder: &str, address: &str, ttl: Duration, now: Timestamp) -> Option<LockRecord>;
    fn drop_lock(holder: &str) -> ();
    fn lock() -> Option<LockRecord>;
    fn watch(since: Option<WatchCursor>) -> ChangeStream;
}

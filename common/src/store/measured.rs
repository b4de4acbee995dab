//! A store whose calls are counted and timed; in all else the one inside.

use std::future::Future;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::*;
use crate::metrics::StoreCalls;

/// The same store, with each call told to `calls`. A call that nobody waits for any more is not told.
pub fn measured(store: SharedStore, calls: StoreCalls) -> SharedStore {
    Arc::new(Measured { store, calls })
}

struct Measured {
    store: SharedStore,
    calls: StoreCalls,
}

impl Measured {
    async fn timed<T>(&self, call: &'static str, work: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        let began = Instant::now();
        let answer = work.await;
        let outcome = match &answer {
            Ok(_) => "ok",
            Err(error) => word(error),
        };
        self.calls.ended(call, began.elapsed(), outcome);
        answer
    }
}

fn word(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound(_) => "not_found",
        StoreError::Conflict(_) => "conflict",
        StoreError::Taken { .. } => "taken",
        StoreError::Full => "full",
        StoreError::LastAdmin => "last_admin",
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Broken(_) => "broken",
    }
}

/// Each call of the trait by the same call of the store inside. The compiler says which one is missing.
macro_rules! calls {
    ($($call:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Measured {
            fn pool_id(&self) -> &PoolId {
                self.store.pool_id()
            }

            async fn close(&self) {
                self.store.close().await;
            }

            $(
                async fn $call(&self, $($name: $kind),*) -> StoreResult<$answer> {
                    self.timed(stringify!($call), self.store.$call($($name),*)).await
                }
            )*
        }
    };
}

calls! {
    ping() -> ();
    list_hosts() -> Vec<Host>;
    find_hosts(query: &HostQuery) -> Found<Host>;
    host(id: &HostId) -> Option<Host>;
    insert_host(host: &Host, event: Event) -> ();
    change_host(to: &Host, event: Event) -> ();
    note_contact(id: &HostId, contact: &Contact) -> ();
    delete_host(id: &HostId, version: u64, event: Event) -> ();
    cluster(id: &ClusterId) -> Option<Cluster>;
    list_clusters(filter: &ClusterFilter, page: &Page) -> Vec<Cluster>;
    find_clusters(query: &ClusterQuery) -> Found<Cluster>;
    count_clusters() -> ClusterCounts;
    count_clusters_on(host: &HostId) -> ClusterCounts;
    place_cluster(cluster: &Cluster, host_version: u64, event: Event) -> ();
    insert_cluster(cluster: &Cluster, event: Event) -> ();
    move_cluster(from: &Cluster, to: &Cluster, event: Option<Event>) -> ();
    prove(proofs: &[Proof]) -> ();
    extend_offers(host: &HostId, max_proof_age: Duration, until: Timestamp) -> ();
    vanish(cluster: &Cluster, event: Event) -> ();
    apply(apply: Apply) -> Applied;
    list_lease_records(filter: &LeaseFilter, page: &Page) -> Vec<LeaseRecord>;
    find_lease_records(query: &RecordQuery) -> Found<LeaseRecord>;
    lease_record(id: &LeaseId) -> Option<LeaseRecord>;
    delete_lease_record(id: &LeaseId) -> ();
    append_events(events: &[Event]) -> ();
    list_events(filter: &EventFilter, page: &Page) -> Vec<Event>;
    tail_events(after: Option<&EventCursor>, filter: &EventFilter, limit: u32) -> (Vec<Event>, EventCursor);
    put_evidence(evidence: &Evidence) -> ();
    evidence(cluster: &ClusterId) -> Option<Evidence>;
    list_evidence(host: Option<&HostId>, page: &Page) -> Vec<Evidence>;
    find_failures(query: &FailureQuery) -> Found<Failure>;
    count_applies(counts: &[ApplyCount]) -> ();
    applies(since: Timestamp) -> Vec<ApplyCount>;
    put_samples(samples: &[Sample]) -> ();
    samples(subject: &Subject, since: Timestamp) -> Vec<Sample>;
    list_operators() -> Vec<Operator>;
    operator_by_name(username: &str) -> Option<Operator>;
    operator(id: &OperatorId) -> Option<Operator>;
    insert_operator(operator: &Operator) -> ();
    change_operator(to: &Operator, event: Event) -> ();
    delete_operator(id: &OperatorId, version: u64, event: Event) -> ();
    put_session(session: &Session) -> ();
    touch_session(id: &SessionId, used_at: Timestamp) -> ();
    session(id: &SessionId) -> Option<Session>;
    delete_session(id: &SessionId) -> ();
    list_sessions(of: &OperatorId) -> Vec<Session>;
    delete_sessions(of: &OperatorId, but: Option<&SessionId>) -> ();
    insert_token(token: &Token, event: Event) -> ();
    token(id: &TokenId) -> Option<Token>;
    tokens_by_hash(hashes: &[TokenHash]) -> Vec<Token>;
    list_tokens(filter: &TokenFilter, page: &Page) -> Vec<Token>;
    revoke_token(id: &TokenId, revoked: &Revoked, event: Event) -> ();
    use_tokens(ids: &[TokenId], at: Timestamp) -> ();
    take_lock(holder: &str, address: &str, ttl: Duration, now: Timestamp) -> Option<LockRecord>;
    drop_lock(holder: &str) -> ();
    lock() -> Option<LockRecord>;
    watch(since: Option<WatchCursor>) -> ChangeStream;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Http, Page as MetricsPage};

    #[tokio::test]
    async fn calls_are_counted_by_how_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
        let calls = StoreCalls::default();
        let store = measured(open(&target, StoreUser::App).await.unwrap(), calls.clone());
        store.ping().await.unwrap();
        store.ping().await.unwrap();
        let nowhere = Some(EventCursor("nowhere".into()));
        let refused = store.tail_events(nowhere.as_ref(), &EventFilter::default(), 1).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
        let text = MetricsPage::new("app", &Http::default(), &calls, |_| {}).text();
        for line in [
            "store_calls_total{kind=\"ping\",outcome=\"ok\"} 2",
            "store_calls_total{kind=\"tail_events\",outcome=\"not_found\"} 1",
            "store_call_duration_seconds_count{kind=\"ping\"} 2",
        ] {
            assert!(text.contains(&format!("\npoolmanager_{line}\n")), "{line}: {text}");
        }
        store.close().await;
    }
}

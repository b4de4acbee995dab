//! The calls of the trait: each to the part that carries it out, and what changes something with its event.

use std::time::Duration;

use async_trait::async_trait;
use mongodb::bson::doc;

use super::{MongoStore, error};
use crate::model::{
    ApplyCount, Cluster, ClusterId, Contact, Event, Evidence, Failure, Host, HostId, LeaseId, LeaseRecord, Operator,
    OperatorId, PoolId, Revoked, Sample, Session, SessionId, Subject, Timestamp, Token, TokenHash, TokenId,
};
use crate::store::{
    Applied, Apply, ChangeStream, ClusterCounts, ClusterFilter, ClusterQuery, EventCursor, EventFilter, FailureQuery,
    Found, HostQuery, LeaseFilter, LockRecord, Page, Proof, RecordQuery, Store, StoreResult, TokenFilter, WatchCursor,
};

#[async_trait]
impl Store for MongoStore {
    fn pool_id(&self) -> &PoolId {
        &self.pool
    }

    async fn ping(&self) -> StoreResult<()> {
        self.db.timed(self.db.database.run_command(doc! { "ping": 1 })).await.map(|_| ()).map_err(error::db)
    }

    async fn close(&self) {
        self.watches.close().await;
        self.client.clone().shutdown().immediate(true).await;
    }

    async fn list_hosts(&self) -> StoreResult<Vec<Host>> {
        self.db.list_hosts().await
    }

    async fn find_hosts(&self, query: &HostQuery) -> StoreResult<Found<Host>> {
        self.db.hosts_found(query).await
    }

    async fn host(&self, id: &HostId) -> StoreResult<Option<Host>> {
        self.db.host(id).await
    }

    async fn insert_host(&self, host: &Host, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.insert_host(host), Some(event)).await
    }

    async fn change_host(&self, to: &Host, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.change_host(to), Some(event)).await
    }

    async fn note_contact(&self, id: &HostId, contact: &Contact) -> StoreResult<()> {
        self.db.note_contact(id, contact).await
    }

    async fn delete_host(&self, id: &HostId, version: u64, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.delete_host(id, version), Some(event)).await
    }

    async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>> {
        self.db.cluster(id).await
    }

    async fn list_clusters(&self, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<Cluster>> {
        self.db.list_clusters(filter, page).await
    }

    async fn find_clusters(&self, query: &ClusterQuery) -> StoreResult<Found<Cluster>> {
        self.db.clusters_found(query).await
    }

    async fn count_clusters(&self) -> StoreResult<ClusterCounts> {
        self.db.count_clusters(None).await
    }

    async fn count_clusters_on(&self, host: &HostId) -> StoreResult<ClusterCounts> {
        self.db.count_clusters(Some(host)).await
    }

    async fn place_cluster(&self, cluster: &Cluster, host_version: u64, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.place_cluster(cluster, host_version), Some(event)).await
    }

    async fn insert_cluster(&self, cluster: &Cluster, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.insert_cluster(cluster), Some(event)).await
    }

    async fn move_cluster(&self, from: &Cluster, to: &Cluster, event: Option<Event>) -> StoreResult<()> {
        self.settler.change(|| self.db.change_cluster(from, to), event).await
    }

    async fn prove(&self, proofs: &[Proof]) -> StoreResult<()> {
        self.db.prove(proofs).await
    }

    async fn extend_offers(&self, host: &HostId, max_proof_age: Duration, until: Timestamp) -> StoreResult<()> {
        self.db.extend_offers(host, max_proof_age, until).await
    }

    async fn vanish(&self, cluster: &Cluster, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.vanish(cluster), Some(event)).await
    }

    async fn apply(&self, apply: Apply) -> StoreResult<Applied> {
        self.claims.apply(apply).await
    }

    async fn list_lease_records(&self, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>> {
        self.db.list_lease_records(filter, page).await
    }

    async fn find_lease_records(&self, query: &RecordQuery) -> StoreResult<Found<LeaseRecord>> {
        self.db.records_found(query).await
    }

    async fn lease_record(&self, id: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
        self.db.lease_record(id).await
    }

    async fn delete_lease_record(&self, id: &LeaseId) -> StoreResult<()> {
        self.db.delete(&self.db.leases, id.as_str()).await.map(|_| ())
    }

    async fn append_events(&self, events: &[Event]) -> StoreResult<()> {
        self.events.append(events).await
    }

    async fn list_events(&self, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
        self.db.list_events(filter, page).await
    }

    async fn tail_events(
        &self,
        after: Option<&EventCursor>,
        filter: &EventFilter,
        limit: u32,
    ) -> StoreResult<(Vec<Event>, EventCursor)> {
        self.db.tail_events(after, filter, limit).await
    }

    async fn put_evidence(&self, evidence: &Evidence) -> StoreResult<()> {
        self.db.put_evidence(evidence, self.evidence_kept).await
    }

    async fn evidence(&self, cluster: &ClusterId) -> StoreResult<Option<Evidence>> {
        self.db.evidence(cluster).await
    }

    async fn list_evidence(&self, host: Option<&HostId>, page: &Page) -> StoreResult<Vec<Evidence>> {
        self.db.list_evidence(host, page).await
    }

    async fn find_failures(&self, query: &FailureQuery) -> StoreResult<Found<Failure>> {
        self.db.failures_found(query).await
    }

    async fn count_applies(&self, counts: &[ApplyCount]) -> StoreResult<()> {
        self.db.count_applies(counts, &self.applies_cut_in).await
    }

    async fn applies(&self, since: Timestamp) -> StoreResult<Vec<ApplyCount>> {
        self.db.applies(since).await
    }

    async fn put_samples(&self, samples: &[Sample]) -> StoreResult<()> {
        self.db.put_samples(samples, self.sampled_subjects, &self.samples_cut_in).await
    }

    async fn samples(&self, subject: &Subject, since: Timestamp) -> StoreResult<Vec<Sample>> {
        self.db.samples(subject, since).await
    }

    async fn list_operators(&self) -> StoreResult<Vec<Operator>> {
        self.db.list_operators().await
    }

    async fn operator_by_name(&self, username: &str) -> StoreResult<Option<Operator>> {
        self.db.operator_by_name(username).await
    }

    async fn operator(&self, id: &OperatorId) -> StoreResult<Option<Operator>> {
        self.db.operator(id).await
    }

    async fn insert_operator(&self, operator: &Operator) -> StoreResult<()> {
        self.db.insert_operator(operator).await
    }

    async fn change_operator(&self, to: &Operator, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.change_operator(to), Some(event)).await
    }

    async fn delete_operator(&self, id: &OperatorId, version: u64, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.delete_operator(id, version), Some(event)).await?;
        self.db.delete_sessions(id, None).await
    }

    async fn put_session(&self, session: &Session) -> StoreResult<()> {
        self.db.put_session(session).await
    }

    async fn touch_session(&self, id: &SessionId, used_at: Timestamp) -> StoreResult<()> {
        self.db.touch_session(id, used_at).await
    }

    async fn session(&self, id: &SessionId) -> StoreResult<Option<Session>> {
        self.db.session(id).await
    }

    async fn delete_session(&self, id: &SessionId) -> StoreResult<()> {
        self.db.delete(&self.db.sessions, id.as_str()).await.map(|_| ())
    }

    async fn list_sessions(&self, of: &OperatorId) -> StoreResult<Vec<Session>> {
        self.db.sessions_of(of).await
    }

    async fn delete_sessions(&self, of: &OperatorId, but: Option<&SessionId>) -> StoreResult<()> {
        self.db.delete_sessions(of, but).await
    }

    async fn insert_token(&self, token: &Token, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.insert_token(token), Some(event)).await
    }

    async fn token(&self, id: &TokenId) -> StoreResult<Option<Token>> {
        self.db.token(id).await
    }

    async fn tokens_by_hash(&self, hashes: &[TokenHash]) -> StoreResult<Vec<Token>> {
        self.db.tokens_by_hash(hashes).await
    }

    async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> StoreResult<Vec<Token>> {
        self.db.list_tokens(filter, page).await
    }

    async fn revoke_token(&self, id: &TokenId, revoked: &Revoked, event: Event) -> StoreResult<()> {
        self.settler.change(|| self.db.revoke_token(id, revoked), Some(event)).await
    }

    async fn use_tokens(&self, ids: &[TokenId], at: Timestamp) -> StoreResult<()> {
        self.db.use_tokens(ids, at).await
    }

    async fn take_lock(
        &self,
        holder: &str,
        address: &str,
        ttl: Duration,
        _now: Timestamp,
    ) -> StoreResult<Option<LockRecord>> {
        self.db.take_lock(holder, address, ttl).await
    }

    async fn drop_lock(&self, holder: &str) -> StoreResult<()> {
        self.db.drop_lock(holder).await
    }

    async fn lock(&self) -> StoreResult<Option<LockRecord>> {
        self.db.lock().await
    }

    async fn watch(&self, since: Option<WatchCursor>) -> StoreResult<ChangeStream> {
        self.watches.watch(since).await
    }
}

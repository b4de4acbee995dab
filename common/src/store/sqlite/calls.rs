//! The calls of the trait: each is handed to the thread that writes, or to one that reads. What it does there is in the
//! file of what it is about.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqliteStore, apply, clusters, demand, events, evidence, hosts, leases, people, row, samples, tokens};
use crate::model::{
    ApplyCount, Cluster, ClusterId, Contact, Event, Evidence, Failure, Host, HostId, LeaseId, LeaseRecord, Operator,
    OperatorId, PoolId, Revoked, Sample, Session, SessionId, Subject, Timestamp, Token, TokenHash, TokenId,
};
use crate::store::{
    Applied, Apply, ChangeStream, ClusterCounts, ClusterFilter, ClusterQuery, EventCursor, EventFilter, FailureQuery,
    Found, HostQuery, LeaseFilter, LockRecord, Page, Proof, RecordQuery, Store, StoreResult, TokenFilter, WatchCursor,
};

#[async_trait]
impl Store for SqliteStore {
    fn pool_id(&self) -> &PoolId {
        &self.pool
    }

    async fn ping(&self) -> StoreResult<()> {
        self.answers().await
    }

    async fn close(&self) {
        self.end();
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
        let host = host.clone();
        self.write_with(event, move |conn| hosts::insert(conn, &host)).await
    }

    async fn change_host(&self, to: &Host, event: Event) -> StoreResult<()> {
        let to = to.clone();
        self.write_with(event, move |conn| hosts::change(conn, &to)).await
    }

    async fn note_contact(&self, id: &HostId, contact: &Contact) -> StoreResult<()> {
        let (id, contact) = (id.clone(), contact.clone());
        self.write(move |conn| hosts::note_contact(conn, &id, &contact)).await
    }

    async fn delete_host(&self, id: &HostId, version: u64, event: Event) -> StoreResult<()> {
        let id = id.clone();
        self.write_with(event, move |conn| hosts::delete(conn, &id, version)).await
    }

    async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>> {
        let id = id.clone();
        self.read(move |conn| row::by_id(conn, &id)?.map(row::ClusterRow::parse).transpose()).await
    }

    async fn list_clusters(&self, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<Cluster>> {
        let (filter, page) = (filter.clone(), page.clone());
        let parsed = |rows: Vec<row::ClusterRow>| rows.into_iter().map(row::ClusterRow::parse).collect();
        self.read(move |conn| clusters::list(conn, &filter, &page).and_then(parsed)).await
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
        let cluster = cluster.clone();
        self.write_with(event, move |conn| clusters::place(conn, &cluster, host_version)).await
    }

    async fn insert_cluster(&self, cluster: &Cluster, event: Event) -> StoreResult<()> {
        let cluster = cluster.clone();
        self.write_with(event, move |conn| clusters::insert(conn, &cluster)).await
    }

    async fn move_cluster(&self, from: &Cluster, to: &Cluster, event: Option<Event>) -> StoreResult<()> {
        let (from, to) = (from.clone(), to.clone());
        self.write_with(event, move |conn| clusters::change(conn, &from, &to)).await
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
        let to = to.clone();
        self.write_with(event, move |conn| people::change_operator(conn, &to)).await
    }

    async fn delete_operator(&self, id: &OperatorId, version: u64, event: Event) -> StoreResult<()> {
        let id = id.clone();
        self.write_with(event, move |conn| people::delete_operator(conn, &id, version)).await
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
        let token = token.clone();
        self.write_with(event, move |conn| tokens::insert(conn, &token)).await
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
        let (id, revoked) = (id.clone(), revoked.clone());
        self.write_with(event, move |conn| tokens::revoke(conn, &id, &revoked)).await
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

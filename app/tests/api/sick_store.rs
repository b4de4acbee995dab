//! A store that is ill in one way.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use common::clock;
use common::model::{
    ApplyCount, Cluster, ClusterId, ClusterName, Contact, Event, Evidence, Failure, FlavorId, Host, HostId, HostName,
    Lease, LeaseId, LeaseRecord, NewCluster, NodeName, Operator, OperatorId, Phase, PoolId, Revoked, Sample, Session,
    SessionId, Slot, Subject, Timestamp, Token, TokenHash, TokenId, UserId,
};
use common::store::{
    Applied, Apply, ChangeStream, ClusterCounts, ClusterFilter, ClusterQuery, EventCursor, EventFilter, FailureQuery,
    Found, HostQuery, LeaseFilter, LockRecord, Page, Proof, RecordQuery, Store, StoreError, StoreResult, TokenFilter,
    WatchCursor,
};

/// How it is ill.
#[derive(Clone, Copy, PartialEq)]
pub enum How {
    Unavailable,
    Broken,
    Panic,
    Hang,
    /// Every cluster is there and leased to alice, and every move comes too late.
    Contended,
}

pub struct SickStore {
    how: How,
    pool: PoolId,
}

impl SickStore {
    pub fn new(how: How) -> Self {
        Self { how, pool: PoolId::random() }
    }

    async fn sick<T>(&self) -> StoreResult<T> {
        match self.how {
            How::Unavailable => Err(StoreError::Unavailable("no way to 10.9.8.7".into())),
            How::Broken => Err(StoreError::Broken("10.9.8.7 wrote nonsense".into())),
            How::Panic => panic!("10.9.8.7 is a surprise"),
            How::Hang => std::future::pending().await,
            How::Contended => Err(StoreError::Conflict("cluster")),
        }
    }
}

fn alices(id: &ClusterId) -> Cluster {
    let now = clock::now();
    let host_name = HostName::parse("h").unwrap();
    let mut cluster = Cluster::begin(NewCluster {
        id: id.clone(),
        name: ClusterName::of(&host_name, Slot(0)),
        host: HostId::random(),
        host_name,
        slot: Slot(0),
        flavor: FlavorId::parse("f").unwrap(),
        flavor_digest: String::new(),
        size: 1,
        nodes: vec![NodeName::parse("vp0").unwrap()],
        endpoints: BTreeMap::new(),
        now,
        deadline: now,
    });
    let user = UserId::parse("alice").unwrap();
    let lease = Lease { id: LeaseId::random(), user, nth: 1, key: None, applied_at: now, metadata: BTreeMap::new() };
    cluster.phase = Phase::InUse { lease };
    cluster
}

#[async_trait]
impl Store for SickStore {
    fn pool_id(&self) -> &PoolId {
        &self.pool
    }
    async fn ping(&self) -> StoreResult<()> {
        self.sick().await
    }
    async fn close(&self) {}
    async fn list_hosts(&self) -> StoreResult<Vec<Host>> {
        self.sick().await
    }
    async fn find_hosts(&self, _: &HostQuery) -> StoreResult<Found<Host>> {
        self.sick().await
    }
    async fn host(&self, _: &HostId) -> StoreResult<Option<Host>> {
        self.sick().await
    }
    async fn insert_host(&self, _: &Host, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn change_host(&self, _: &Host, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn note_contact(&self, _: &HostId, _: &Contact) -> StoreResult<()> {
        self.sick().await
    }
    async fn delete_host(&self, _: &HostId, _: u64, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>> {
        if self.how == How::Contended { Ok(Some(alices(id))) } else { self.sick().await }
    }
    async fn list_clusters(&self, _: &ClusterFilter, _: &Page) -> StoreResult<Vec<Cluster>> {
        if self.how == How::Contended { Ok(vec![alices(&ClusterId::random())]) } else { self.sick().await }
    }
    async fn find_clusters(&self, _: &ClusterQuery) -> StoreResult<Found<Cluster>> {
        self.sick().await
    }
    async fn count_clusters(&self) -> StoreResult<ClusterCounts> {
        self.sick().await
    }
    async fn count_clusters_on(&self, _: &HostId) -> StoreResult<ClusterCounts> {
        self.sick().await
    }
    async fn place_cluster(&self, _: &Cluster, _: u64, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn insert_cluster(&self, _: &Cluster, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn move_cluster(&self, _: &Cluster, _: &Cluster, _: Option<Event>) -> StoreResult<()> {
        self.sick().await
    }
    async fn prove(&self, _: &[Proof]) -> StoreResult<()> {
        self.sick().await
    }
    async fn extend_offers(&self, _: &HostId, _: Duration, _: Timestamp) -> StoreResult<()> {
        self.sick().await
    }
    async fn vanish(&self, _: &Cluster, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn apply(&self, _: Apply) -> StoreResult<Applied> {
        self.sick().await
    }
    async fn list_lease_records(&self, _: &LeaseFilter, _: &Page) -> StoreResult<Vec<LeaseRecord>> {
        self.sick().await
    }
    async fn find_lease_records(&self, _: &RecordQuery) -> StoreResult<Found<LeaseRecord>> {
        self.sick().await
    }
    async fn lease_record(&self, _: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
        self.sick().await
    }
    async fn delete_lease_record(&self, _: &LeaseId) -> StoreResult<()> {
        self.sick().await
    }
    async fn append_events(&self, _: &[Event]) -> StoreResult<()> {
        self.sick().await
    }
    async fn list_events(&self, _: &EventFilter, _: &Page) -> StoreResult<Vec<Event>> {
        self.sick().await
    }
    async fn tail_events(
        &self,
        _: Option<&EventCursor>,
        _: &EventFilter,
        _: u32,
    ) -> StoreResult<(Vec<Event>, EventCursor)> {
        self.sick().await
    }
    async fn put_evidence(&self, _: &Evidence) -> StoreResult<()> {
        self.sick().await
    }
    async fn evidence(&self, _: &ClusterId) -> StoreResult<Option<Evidence>> {
        self.sick().await
    }
    async fn list_evidence(&self, _: Option<&HostId>, _: &Page) -> StoreResult<Vec<Evidence>> {
        self.sick().await
    }
    async fn find_failures(&self, _: &FailureQuery) -> StoreResult<Found<Failure>> {
        self.sick().await
    }
    async fn count_applies(&self, _: &[ApplyCount]) -> StoreResult<()> {
        self.sick().await
    }
    async fn applies(&self, _: Timestamp) -> StoreResult<Vec<ApplyCount>> {
        self.sick().await
    }
    async fn put_samples(&self, _: &[Sample]) -> StoreResult<()> {
        self.sick().await
    }
    async fn samples(&self, _: &Subject, _: Timestamp) -> StoreResult<Vec<Sample>> {
        self.sick().await
    }
    async fn list_operators(&self) -> StoreResult<Vec<Operator>> {
        self.sick().await
    }
    async fn operator_by_name(&self, _: &str) -> StoreResult<Option<Operator>> {
        self.sick().await
    }
    async fn operator(&self, _: &OperatorId) -> StoreResult<Option<Operator>> {
        self.sick().await
    }
    async fn insert_operator(&self, _: &Operator) -> StoreResult<()> {
        self.sick().await
    }
    async fn change_operator(&self, _: &Operator, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn delete_operator(&self, _: &OperatorId, _: u64, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn put_session(&self, _: &Session) -> StoreResult<()> {
        self.sick().await
    }
    async fn touch_session(&self, _: &SessionId, _: Timestamp) -> StoreResult<()> {
        self.sick().await
    }
    async fn session(&self, _: &SessionId) -> StoreResult<Option<Session>> {
        self.sick().await
    }
    async fn delete_session(&self, _: &SessionId) -> StoreResult<()> {
        self.sick().await
    }
    async fn list_sessions(&self, _: &OperatorId) -> StoreResult<Vec<Session>> {
        self.sick().await
    }
    async fn delete_sessions(&self, _: &OperatorId, _: Option<&SessionId>) -> StoreResult<()> {
        self.sick().await
    }
    async fn insert_token(&self, _: &Token, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn token(&self, _: &TokenId) -> StoreResult<Option<Token>> {
        self.sick().await
    }
    async fn tokens_by_hash(&self, _: &[TokenHash]) -> StoreResult<Vec<Token>> {
        self.sick().await
    }
    async fn list_tokens(&self, _: &TokenFilter, _: &Page) -> StoreResult<Vec<Token>> {
        self.sick().await
    }
    async fn revoke_token(&self, _: &TokenId, _: &Revoked, _: Event) -> StoreResult<()> {
        self.sick().await
    }
    async fn use_tokens(&self, _: &[TokenId], _: Timestamp) -> StoreResult<()> {
        self.sick().await
    }
    async fn take_lock(&self, _: &str, _: &str, _: Duration, _: Timestamp) -> StoreResult<Option<LockRecord>> {
        self.sick().await
    }
    async fn drop_lock(&self, _: &str) -> StoreResult<()> {
        self.sick().await
    }
    async fn lock(&self) -> StoreResult<Option<LockRecord>> {
        self.sick().await
    }
    async fn watch(&self, _: Option<WatchCursor>) -> StoreResult<ChangeStream> {
        Err(StoreError::Unavailable("no way to 10.9.8.7".into()))
    }
}

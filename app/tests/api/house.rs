//! A running server with a store that the test fills, and ways to ask it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use app::{Parts, Stopper, build};
use common::clock;
use common::compose::{Catalog, CatalogSettings};
use common::config::{Auth, Secret};
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Contact, DaemonUrl, Endpoint, Event, EventKind, FlavorId, Health, Host,
    HostId, HostKind, HostName, HostPurpose, HostSettings, HostState, LogLevel, LogTarget, NewCluster, Node, NodeName,
    NodeState, Slot, Token, TokenId, TokenKind, TokenText, UserId, Want,
};
use common::store::{Applied, Apply, Holding, SharedStore, StoreTarget, StoreUser, open};
use serde_json::Value;

pub const PBFT: &str = "fabric-0.6-pbft-batch-4";
pub const PBFT_6: &str = "fabric-0.6-pbft-batch-6";
pub const NOOPS: &str = "fabric-0.6-noops-4";
pub const SECRET: &str = "the-internal-secret-of-a-test";
pub const DAEMON_URL: &str = "tcp://10.20.30.40:2375";

/// A running server.
pub struct House {
    pub store: SharedStore,
    pub address: SocketAddr,
    pub host: HostId,
    stopper: Stopper,
    client: reqwest::Client,
    next_slot: AtomicU16,
    _folder: Option<tempfile::TempDir>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The data of an OK.
    pub fn ok(&self) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, &body["status"], &body["code"], &body["error"]),
            (200, &"OK".into(), &200.into(), &"".into()),
            "{self:?}"
        );
        body["data"].clone()
    }

    /// Checks that it is a FAIL with this text, HTTP 400 and this code in the body; gives its data.
    pub fn fail(&self, code: u16, error: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, &body["status"], &body["code"], &body["error"]),
            (400, &"FAIL".into(), &code.into(), &error.into()),
            "{self:?}"
        );
        body["data"].clone()
    }
}

impl House {
    pub async fn open() -> House {
        House::with_wait(Duration::from_secs(30)).await
    }

    /// One whose start, stop and restart wait this long.
    pub async fn with_wait(wish_wait: Duration) -> House {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("poolmanager.db") };
        let store = open(&target, StoreUser::App).await.unwrap();
        let host = host("host_1");
        store.insert_host(&host, event(EventKind::HostChanged)).await.unwrap();
        House { host: host.id, _folder: Some(folder), ..House::on(store, wish_wait) }
    }

    /// One that asks for tokens, and gives each user so many clusters at most.
    pub async fn with_tokens(leases_max: Option<u32>) -> House {
        House::guarded(Auth::Tokens, leases_max).await
    }

    pub async fn guarded(auth: Auth, leases_max: Option<u32>) -> House {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("poolmanager.db") };
        let store = open(&target, StoreUser::App).await.unwrap();
        let host = host("host_1");
        store.insert_host(&host, event(EventKind::HostChanged)).await.unwrap();
        House {
            host: host.id,
            _folder: Some(folder),
            ..House::serve(store, Duration::from_millis(100), auth, leases_max, None)
        }
    }

    /// A new token, as its holder has it.
    pub async fn token(&self, kind: TokenKind) -> String {
        let text = TokenText::random();
        let token = Token {
            id: TokenId::random(),
            kind,
            name: "test".into(),
            hash: text.hash(),
            leases_max: None,
            created_at: clock::now(),
            created_by: "ada".into(),
            expires_at: None,
            revoked: None,
            used_at: None,
        };
        self.store.insert_token(&token, event(EventKind::Access)).await.unwrap();
        text.expose().to_owned()
    }

    pub async fn token_of(&self, user: &str) -> String {
        self.token(TokenKind::User { user: UserId::parse(user).unwrap() }).await
    }

    /// On a store of the test's own, which it does not fill.
    pub fn on(store: SharedStore, wish_wait: Duration) -> House {
        House::serve(store, wish_wait, Auth::Open, None, None)
    }

    /// One whose `/metrics` asks for this.
    pub async fn with_metrics_token(token: &str) -> House {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("poolmanager.db") };
        let store = open(&target, StoreUser::App).await.unwrap();
        let token = Some(Secret::new(token));
        House { _folder: Some(folder), ..House::serve(store, Duration::from_secs(1), Auth::Open, None, token) }
    }

    fn serve(
        store: SharedStore,
        wish_wait: Duration,
        auth: Auth,
        leases_max: Option<u32>,
        metrics_token: Option<Secret>,
    ) -> House {
        let server = build(Parts {
            store: store.clone(),
            catalog: Arc::new(Catalog::shipped(&CatalogSettings::default()).unwrap()),
            internal_secret: Secret::new(SECRET),
            metrics_token,
            auth,
            leases_max,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 2,
            wish_wait,
        })
        .unwrap();
        let (address, stopper) = (server.address(), server.stopper());
        tokio::spawn(server.run());
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        House { store, address, host: HostId::random(), stopper, client, next_slot: AtomicU16::new(0), _folder: None }
    }

    pub async fn stop(&self) {
        self.stopper.stop().await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send(self.request("POST", path).form(pairs)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body)).await
    }

    /// A cluster that is being made.
    pub async fn creating(&self, flavor: &str) -> Cluster {
        let slot = Slot(self.next_slot.fetch_add(1, Ordering::SeqCst));
        let cluster = Cluster::begin(new_cluster(&self.host, slot, flavor));
        self.store.insert_cluster(&cluster, event(EventKind::Creating)).await.unwrap();
        cluster
    }

    /// A cluster that may be given out: its nodes run, it was proven just now.
    pub async fn free(&self, flavor: &str) -> Cluster {
        let begun = self.creating(flavor).await;
        let seen = as_wished(&begun);
        self.store.move_cluster(&begun, &seen, None).await.unwrap();
        let free = seen.offer_out(0.5, clock::now() + Duration::from_secs(3600), clock::now()).unwrap();
        self.store.move_cluster(&seen, &free, None).await.unwrap();
        free
    }

    /// A new one of this flavor, or another free one of it, that this user holds.
    pub async fn leased(&self, user: &str, flavor: &str) -> Cluster {
        self.free(flavor).await;
        let apply = Apply {
            user: UserId::parse(user).unwrap(),
            flavors: vec![FlavorId::parse(flavor).unwrap()],
            holding: Holding::GiveAnother,
            most: None,
            key: None,
            metadata: BTreeMap::new(),
            now: clock::now(),
        };
        match self.store.apply(apply).await.unwrap() {
            Applied::New(cluster) => cluster,
            other => panic!("{other:?}"),
        }
    }

    pub async fn cluster(&self, id: &str) -> Option<Cluster> {
        self.store.cluster(&ClusterId::parse(id).unwrap()).await.unwrap()
    }

    /// What the reconciler does with a wish: makes the nodes so, and records it.
    pub async fn carry_out(&self, id: &ClusterId) {
        let cluster = self.store.cluster(id).await.unwrap().unwrap();
        self.store.move_cluster(&cluster, &as_wished(&cluster), None).await.unwrap();
    }
}

/// Waits until this holds, for ten seconds at most.
pub async fn wait_until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The next version, with every node as it is wanted.
pub fn as_wished(cluster: &Cluster) -> Cluster {
    let nodes = cluster.wishes.iter().map(|(name, wish)| {
        let state = if wish.want == Want::Running { NodeState::Running } else { NodeState::Exited };
        let container = Some(format!("{:0>64}", name.as_str().len()));
        (name.clone(), Node { container, state, restarted_seq: wish.restart_seq })
    });
    cluster.seen(nodes.collect(), Health::Ok)
}

pub fn event(kind: EventKind) -> Event {
    Event::new(clock::now(), kind, Actor::Reconciler, "a test")
}

pub fn host(name: &str) -> Host {
    let now = clock::now();
    Host {
        id: HostId::random(),
        version: 1,
        settings: HostSettings {
            name: HostName::parse(name).unwrap(),
            daemon_url: DaemonUrl::parse(DAEMON_URL).unwrap(),
            address: "10.20.30.40".into(),
            bind_address: "0.0.0.0".parse().unwrap(),
            capacity: 100,
            log_level: LogLevel::Info,
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: true,
            mix: Vec::new(),
            chaincode_endpoint: None,
        },
        engine_id: format!("ENGINE:{name}"),
        kind: HostKind::Single,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: Contact {
            state: HostState::Active { since: now },
            last_answer: now,
            engine_version: "20.10.24".into(),
            cpus: 2,
            memory: 8 << 30,
            made_at: None,
        },
        created_at: now,
    }
}

fn new_cluster(host: &HostId, slot: Slot, flavor: &str) -> NewCluster {
    let host_name = HostName::parse("host_1").unwrap();
    let size: u32 = if flavor.ends_with('6') { 6 } else { 4 };
    let vp0 = NodeName::parse("vp0").unwrap();
    let port = 7050 + slot.0;
    let endpoint =
        |scheme: &str, port| Endpoint { node: vp0.clone(), scheme: scheme.into(), address: "10.20.30.40".into(), port };
    NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&host_name, slot),
        host: host.clone(),
        host_name,
        slot,
        flavor: FlavorId::parse(flavor).unwrap(),
        flavor_digest: "digest".into(),
        size,
        nodes: (0..size).map(|n| NodeName::parse(&format!("vp{n}")).unwrap()).collect(),
        endpoints: BTreeMap::from([
            ("rest".to_owned(), endpoint("http", port)),
            ("grpc".to_owned(), endpoint("grpc", port + 1)),
        ]),
        now: clock::now(),
        deadline: clock::now() + Duration::from_secs(60),
    }
}

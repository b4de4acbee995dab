//! A house of its own for each test: a store in a temporary folder, a server on a free port, operators to sign in as.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use admin::access::Passwords;
use admin::reconciler::{self, Reconciler, Running, Settings};
use admin::{Parts, build};
use common::clock::{Pace, now};
use common::compose::Catalog;
use common::config::{AdminConfig, Secret, Source};
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Contact, DaemonUrl, Endpoint, Event, EventKind, Host, HostId, HostKind,
    HostName, HostPurpose, HostSettings, HostState, LogLevel, LogTarget, Metadata, NewCluster, NodeName, Operator,
    PhaseKind, Role, Slot, UserId,
};
use common::store::{Applied, Apply, EventFilter, Holding, Page, SharedStore, StoreUser};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub use crate::browser::{Answer, Browser, hidden};

pub const INTERNAL_SECRET: &str = "a-secret-of-this-test";
pub const PASSWORD: &str = "correct horse battery";

/// Made once: hashing takes a while.
static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();

pub struct House {
    pub url: String,
    pub store: SharedStore,
    pub catalog: Arc<Catalog>,
    pub config: AdminConfig,
    /// Ends what is waited for, as the end of the process does.
    pub stop: CancellationToken,
    handle: ServerHandle,
    running: Option<Running>,
    _folder: TempDir,
}

impl House {
    /// One whose pool nobody looks after.
    pub async fn new() -> House {
        House::set(&[]).await
    }

    /// The same, with these settings.
    pub async fn set(more: &[(&str, &str)]) -> House {
        House::with(more, |_| (Reconciler::idle(), None)).await
    }

    /// One whose admin leads.
    pub async fn leading() -> House {
        House::with(&[], |settings| {
            let (reconciler, running) = reconciler::start(settings);
            (reconciler, Some(running))
        })
        .await
    }

    async fn with(more: &[(&str, &str)], reconciler: impl FnOnce(Settings) -> (Reconciler, Option<Running>)) -> House {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().display().to_string();
        let usual = [("DATA_DIR", data_dir.as_str()), ("FABRIC_PEER_IMAGE", "poolmanager/fabricsim:0.6")];
        let settings =
            usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = AdminConfig::read(&Source::new(&settings, None).unwrap()).unwrap();
        let store = common::store::open(&config.common.store, StoreUser::Admin).await.unwrap();
        let catalog = Arc::new(Catalog::shipped(&config.common.catalog).unwrap());
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (reconciler, running) = reconciler(Settings {
            seal: admin::seal::Seal::default(),
            store: store.clone(),
            catalog: catalog.clone(),
            layout: config.layout,
            mix: Vec::new(),
            max_starts: 4,
            address: url.clone(),
            pace: Pace::faster(10),
            deep_probes: false,
        });
        let parts = Parts {
            store: store.clone(),
            catalog: catalog.clone(),
            config: config.clone(),
            reconciler,
            internal_secret: Secret::new(INTERNAL_SECRET),
            stop: stop.clone(),
            listener,
        };
        let server = build(parts).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let house = House { url, store, catalog, config, stop, handle, running, _folder: folder };
        for (name, role) in [("vera", Role::Viewer), ("otto", Role::Operator), ("ada", Role::Admin)] {
            house.add_operator(name, role).await;
        }
        house
    }

    pub async fn add_operator(&self, username: &str, role: Role) {
        let hash = HASH.get_or_init(|| async { Passwords::new().unwrap().hash(PASSWORD).await.unwrap() }).await;
        let operator = Operator::new(username.to_owned(), hash.clone(), role, now());
        self.store.insert_operator(&operator).await.unwrap();
    }

    /// A browser in which this operator has signed in.
    pub async fn browser_of(&self, username: &str) -> Browser {
        let mut browser = Browser::new(&self.url);
        let answer = browser.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    pub async fn add_host(&self, name: &str) -> Host {
        let n = HostId::random();
        let host = Host {
            id: n.clone(),
            version: 1,
            settings: HostSettings {
                name: HostName::parse(name).unwrap(),
                daemon_url: DaemonUrl::parse("tcp://10.1.2.3:2375").unwrap(),
                address: format!("{name}.example"),
                bind_address: "0.0.0.0".parse().unwrap(),
                capacity: 5,
                log_level: LogLevel::Info,
                log_target: LogTarget::Local,
                schedulable: true,
                autofill: true,
                mix: Vec::new(),
                chaincode_endpoint: None,
            },
            engine_id: format!("ENGINE:{n}"),
            kind: HostKind::Single,
            purpose: HostPurpose::Serve,
            try_again: None,
            tls: None,
            contact: Contact {
                state: HostState::Active { since: now() },
                last_answer: now(),
                engine_version: "20.10.24".into(),
                cpus: 4,
                memory: 8 << 30,
                made_at: None,
            },
            created_at: now(),
        };
        let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "added").about_host(&host.id);
        self.store.insert_host(&host, event).await.unwrap();
        host
    }

    /// A cluster whose making has begun.
    pub async fn add_cluster(&self, host: &Host, slot: u16) -> Cluster {
        let flavor = &self.catalog.flavors()[0];
        let nodes: Vec<NodeName> = ["vp0", "vp1"].iter().map(|name| NodeName::parse(name).unwrap()).collect();
        let endpoint = Endpoint {
            node: nodes[0].clone(),
            scheme: "http".into(),
            address: host.settings.address.clone(),
            port: 7050 + 100 * slot,
        };
        let cluster = Cluster::begin(NewCluster {
            id: ClusterId::random(),
            name: ClusterName::of(&host.settings.name, Slot(slot)),
            host: host.id.clone(),
            host_name: host.settings.name.clone(),
            slot: Slot(slot),
            flavor: flavor.id.clone(),
            flavor_digest: flavor.digest.clone(),
            size: flavor.size,
            nodes,
            endpoints: BTreeMap::from([("rest".to_owned(), endpoint)]),
            now: now(),
            deadline: now() + Duration::from_secs(60),
        });
        let event = Event::new(now(), EventKind::Creating, Actor::Reconciler, "the pool is short").about(&cluster);
        self.store.insert_cluster(&cluster, event).await.unwrap();
        cluster
    }

    pub async fn add_free(&self, host: &Host, slot: u16) -> Cluster {
        let cluster = self.add_cluster(host, slot).await;
        let free = cluster.offer_out(0.5, now() + Duration::from_secs(600), now()).unwrap();
        self.store.move_cluster(&cluster, &free, None).await.unwrap();
        free
    }

    /// A cluster that this user holds.
    pub async fn add_held(&self, host: &Host, slot: u16, user: &str, metadata: Metadata) -> Cluster {
        let free = self.add_free(host, slot).await;
        let apply = Apply {
            user: UserId::parse(user).unwrap(),
            flavors: vec![free.flavor.clone()],
            holding: Holding::GiveAnother,
            most: None,
            key: None,
            metadata,
            now: now(),
        };
        match self.store.apply(apply).await.unwrap() {
            Applied::New(cluster) => {
                assert_eq!(cluster.id, free.id, "add those that are held before those that stay free");
                cluster
            }
            other => panic!("{other:?}"),
        }
    }

    /// A lease that has ended, with its record.
    pub async fn add_record(&self, host: &Host, slot: u16, user: &str) -> Cluster {
        let held = self.add_held(host, slot, user, Metadata::new()).await;
        let releasing = held.release(user, now()).unwrap();
        self.store.move_cluster(&held, &releasing, None).await.unwrap();
        let event = Event::new(now(), EventKind::Removed, Actor::Reconciler, "gone").about(&releasing);
        self.store.vanish(&releasing, event).await.unwrap();
        releasing
    }

    /// The record of one that is going goes.
    pub async fn vanish(&self, going: &Cluster) {
        let event = Event::new(now(), EventKind::Removed, Actor::Reconciler, "gone").about(going);
        self.store.vanish(going, event).await.unwrap();
    }

    /// Waits until a cluster is in this phase.
    pub async fn until(&self, id: &ClusterId, phase: PhaseKind) {
        let begun = std::time::Instant::now();
        loop {
            let found = self.store.cluster(id).await.unwrap();
            if found.as_ref().is_some_and(|cluster| cluster.phase.kind() == phase) {
                return;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                let about = EventFilter { cluster: Some(id.clone()), ..EventFilter::default() };
                let events = self.store.list_events(&about, &Page::first(20)).await.unwrap();
                let said: Vec<&str> = events.iter().map(|event| event.reason.as_str()).collect();
                panic!("not {phase:?} in time: {found:?}; {said:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn cluster(&self, id: &ClusterId) -> Cluster {
        self.store.cluster(id).await.unwrap().unwrap()
    }

    pub async fn end(self) {
        self.handle.stop(false).await;
        if let Some(running) = self.running {
            running.stop().await;
        }
        self.store.close().await;
    }
}

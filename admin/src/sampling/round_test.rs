//! Minutes of sampling, carried out on simulated engines and a store of the test's own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use common::clock::now;
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Contact, DaemonUrl, Event, EventKind, FlavorId, Health, Host, HostId,
    HostKind, HostName, HostPurpose, HostSettings, HostState, LogLevel, LogTarget, Metadata, NewCluster, Node,
    NodeName, NodeState, SAMPLE_EVERY, Sample, Slot, Subject, UserId,
};
use common::store::{Applied, Apply, Holding, SharedStore, StoreTarget, StoreUser, open};
use simdocker::{SimHost, SimOptions};
use tokio_util::sync::CancellationToken;

use super::Engines;
use super::open::OpenNow;
use super::round::{Role, Round};
use crate::reconciler::Reconciler;
use crate::tally::Tally;

async fn store(folder: &Path) -> SharedStore {
    open(&StoreTarget::Sqlite { path: folder.join("pool.db") }, StoreUser::Admin).await.unwrap()
}

fn event() -> Event {
    Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "made")
}

async fn add_host(store: &SharedStore, name: &str, sim: &SimHost) -> Host {
    let host = Host {
        id: HostId::random(),
        version: 1,
        settings: HostSettings {
            name: HostName::parse(name).unwrap(),
            daemon_url: DaemonUrl::parse(&sim.url()).unwrap(),
            address: sim.address().to_string(),
            bind_address: "0.0.0.0".parse().unwrap(),
            capacity: 5,
            log_level: LogLevel::Info,
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: true,
            mix: Vec::new(),
            chaincode_endpoint: None,
        },
        engine_id: sim.engine_id().to_owned(),
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
    store.insert_host(&host, event()).await.unwrap();
    host
}

/// A free cluster of one node that runs.
async fn add_free(store: &SharedStore, host: &Host, sim: &SimHost, slot: u16) -> Cluster {
    let vp0 = NodeName::parse("vp0").unwrap();
    let cluster = Cluster::begin(NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&host.settings.name, Slot(slot)),
        host: host.id.clone(),
        host_name: host.settings.name.clone(),
        slot: Slot(slot),
        flavor: FlavorId::parse("a").unwrap(),
        flavor_digest: "d".into(),
        size: 1,
        nodes: vec![vp0.clone()],
        endpoints: BTreeMap::new(),
        now: now(),
        deadline: now() + SAMPLE_EVERY,
    });
    store.insert_cluster(&cluster, event()).await.unwrap();
    let name = format!("c{slot}");
    let body = r#"{"Image": "poolmanager/fabricsim:0.6"}"#;
    assert_eq!(sim.call("POST", &format!("/containers/create?name={name}"), body).await.0, 201);
    assert_eq!(sim.call("POST", &format!("/containers/{name}/start"), "").await.0, 204);
    let container = sim.container(&name).map(|container| container.id.clone());
    let node = Node { container, state: NodeState::Running, restarted_seq: 0 };
    let seen = cluster.seen(vec![(vp0, node)], Health::Ok);
    store.move_cluster(&cluster, &seen, None).await.unwrap();
    let free = seen.offer_out(0.5, now() + SAMPLE_EVERY, now()).unwrap();
    let ready = Event::new(now(), EventKind::Ready, Actor::Reconciler, "well").about(&free);
    store.move_cluster(&seen, &free, Some(ready)).await.unwrap();
    free
}

async fn lease(store: &SharedStore) -> Cluster {
    let apply = Apply {
        user: UserId::parse("ann").unwrap(),
        flavors: vec![FlavorId::parse("a").unwrap()],
        holding: Holding::GiveAnother,
        most: None,
        key: None,
        metadata: Metadata::new(),
        now: now(),
    };
    match store.apply(apply).await.unwrap() {
        Applied::New(cluster) => cluster,
        other => panic!("{other:?}"),
    }
}

async fn last(store: &SharedStore, subject: Subject) -> Option<Sample> {
    store.samples(&subject, now() - SAMPLE_EVERY * 3).await.unwrap().pop()
}

fn round(store: &SharedStore) -> Round {
    let tally = Tally::start(store.clone(), CancellationToken::new());
    Round::new(store.clone(), Reconciler::idle(), tally, Engines::default())
}

#[tokio::test]
async fn who_leads_measures_what_is_leased_the_hosts_and_the_pool() {
    let folder = tempfile::tempdir().unwrap();
    let (store, sim) = (store(folder.path()).await, SimHost::start(SimOptions::fresh()).await.unwrap());
    let host = add_host(&store, "h1", &sim).await;
    let one = add_free(&store, &host, &sim, 0).await;
    let leased = lease(&store).await;
    assert_eq!(leased.id, one.id);
    let free = add_free(&store, &host, &sim, 1).await;
    let mut round = round(&store);
    for _ in 0..2 {
        let measured = round.minute(OpenNow::default(), Role::Leads).await;
        assert_eq!((measured.measured, measured.passed_over, measured.away), (2, 0, 0));
    }
    let of_leased = last(&store, Subject::Cluster(leased.id)).await.unwrap().values;
    assert_eq!(of_leased.keys().collect::<Vec<_>>(), ["vp0/cpu", "vp0/memory"]);
    assert_eq!(last(&store, Subject::Cluster(free.id)).await, None, "free ones are part of their host alone");
    let of_host = last(&store, Subject::Host(host.id)).await.unwrap().values;
    assert_eq!((of_host["clusters"], of_host["measured"]), (2, 2));
    assert!(of_host["memory"] > of_leased["vp0/memory"] && of_host.contains_key("cpu"), "{of_host:?}");
    let pool = last(&store, Subject::Pool).await.unwrap().values;
    assert_eq!((pool["free"], pool["in_use"], pool["hosts_active"]), (1, 1, 1));
    assert!(pool["made"] <= 2, "{pool:?}");
    store.close().await;
}

#[tokio::test]
async fn who_stands_by_measures_only_what_its_own_pages_have_open() {
    let folder = tempfile::tempdir().unwrap();
    let (store, sim) = (store(folder.path()).await, SimHost::start(SimOptions::fresh()).await.unwrap());
    let host = add_host(&store, "h1", &sim).await;
    let shown = add_free(&store, &host, &sim, 0).await;
    let other = add_free(&store, &host, &sim, 1).await;
    let open = OpenNow { clusters: [shown.id.clone()].into(), ..OpenNow::default() };
    let measured = round(&store).minute(open, Role::StandsBy).await;
    assert_eq!(measured.measured, 1);
    assert!(last(&store, Subject::Cluster(shown.id)).await.is_some_and(|sample| sample.values.contains_key("vp0/cpu")));
    for subject in [Subject::Cluster(other.id), Subject::Host(host.id), Subject::Pool] {
        assert_eq!(last(&store, subject).await, None);
    }
    store.close().await;
}

#[tokio::test]
async fn an_engine_that_fails_is_asked_once_and_the_others_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (store, well) = (store(folder.path()).await, SimHost::start(SimOptions::fresh()).await.unwrap());
    let ill = SimHost::start(SimOptions::fresh()).await.unwrap();
    let (h1, h2) = (add_host(&store, "h1", &ill).await, add_host(&store, "h2", &well).await);
    for slot in 0..4 {
        add_free(&store, &h1, &ill, slot).await;
    }
    add_free(&store, &h2, &well, 0).await;
    ill.go_down();
    let began = std::time::Instant::now();
    round(&store).minute(OpenNow::default(), Role::Leads).await;
    assert!(began.elapsed() < Duration::from_secs(20), "nobody waits for an engine that is away");
    let of_ill = last(&store, Subject::Host(h1.id)).await.unwrap().values;
    assert!(!of_ill.contains_key("memory") && of_ill["measured"] == 0, "a gap is a gap: {of_ill:?}");
    assert_eq!(last(&store, Subject::Host(h2.id)).await.unwrap().values["measured"], 1);
    store.close().await;
}

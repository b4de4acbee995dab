//! Hosts, clusters and applies to test with.

use std::collections::BTreeMap;
use std::time::Duration;

use common::clock;
use common::model::{
    Actor, Asked, Cluster, ClusterId, ClusterName, Contact, DaemonUrl, Endpoint, Event, EventKind, FlavorId,
    FlavorShare, Host, HostId, HostKind, HostName, HostPurpose, HostSettings, HostState, IdempotencyKey, LogLevel,
    LogTarget, Metadata, NewCluster, NodeName, Slot, Timestamp, UserId,
};
use common::store::{Applied, Apply, Holding, SharedStore};

pub const MINUTE: Duration = Duration::from_secs(60);

pub fn flavor(text: &str) -> FlavorId {
    FlavorId::parse(text).expect("a flavor")
}

pub fn user(text: &str) -> UserId {
    UserId::parse(text).expect("a user")
}

pub fn event(reason: &str) -> Event {
    Event::new(clock::now(), EventKind::Creating, Actor::Reconciler, reason)
}

pub fn host(name: &str) -> Host {
    let now = clock::now();
    Host {
        id: HostId::random(),
        version: 1,
        settings: HostSettings {
            name: HostName::parse(name).expect("a name"),
            daemon_url: DaemonUrl::parse("tcp://10.0.0.1:2375").expect("a URL"),
            address: "10.0.0.1".into(),
            bind_address: "::".parse().expect("an address"),
            capacity: 12,
            log_level: LogLevel::Debug,
            log_target: LogTarget::Syslog { server: "udp://10.0.0.2:514".into() },
            schedulable: true,
            autofill: false,
            mix: vec![FlavorShare { flavor: flavor("a"), weight: 2, min_free: 1 }],
            chaincode_endpoint: Some("tcp://10.0.0.1:2375".into()),
        },
        engine_id: format!("engine of {name}"),
        kind: HostKind::Single,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: contact(now),
        created_at: now,
    }
}

/// As an operator asks for something, now.
pub fn asked() -> Asked {
    Asked { since: clock::now(), by: "op".into() }
}

pub fn contact(now: Timestamp) -> Contact {
    Contact {
        state: HostState::Active { since: now },
        last_answer: now,
        engine_version: "20.10.24".into(),
        cpus: 4,
        memory: 64 << 30,
        made_at: None,
    }
}

/// A cluster whose making has begun.
pub fn creating(host: &HostId, slot: u16, of: &str) -> Cluster {
    let now = clock::now();
    let name = HostName::parse("h1").expect("a name");
    let node = |text: &str| NodeName::parse(text).expect("a node");
    let endpoint = Endpoint { node: node("vp0"), scheme: "http".into(), address: "10.0.0.1".into(), port: 7050 };
    Cluster::begin(NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&name, Slot(slot)),
        host: host.clone(),
        host_name: name,
        slot: Slot(slot),
        flavor: flavor(of),
        flavor_digest: "digest".into(),
        size: 4,
        nodes: ["vp0", "vp1", "vp2", "vp3"].map(node).to_vec(),
        endpoints: BTreeMap::from([("rest".into(), endpoint)]),
        now,
        deadline: now + MINUTE,
    })
}

/// A cluster on offer for a minute.
pub async fn free(store: &SharedStore, host: &HostId, slot: u16, of: &str) -> Cluster {
    free_until(store, host, slot, of, clock::now() + MINUTE).await
}

pub async fn free_until(store: &SharedStore, host: &HostId, slot: u16, of: &str, until: Timestamp) -> Cluster {
    let new = creating(host, slot, of);
    store.insert_cluster(&new, event("made")).await.expect("a new cluster");
    let free = new.offer_out(rand::random(), until, clock::now()).expect("a legal move");
    store.move_cluster(&new, &free, None).await.expect("it becomes free");
    free
}

/// So many clusters on offer.
pub async fn pool(store: &SharedStore, count: u16, of: &str) -> Vec<Cluster> {
    let host = HostId::random();
    let all = (0..count).map(|slot| free(store, &host, slot, of));
    futures_util::future::join_all(all).await
}

pub fn apply(who: &str, flavors: &[&str], holding: Holding) -> Apply {
    Apply {
        user: user(who),
        flavors: flavors.iter().map(|text| flavor(text)).collect(),
        holding,
        most: None,
        key: None,
        metadata: Metadata::new(),
        now: clock::now(),
    }
}

pub fn key(text: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey::parse(text).expect("a key"))
}

pub fn new_one(applied: Applied) -> Cluster {
    match applied {
        Applied::New(cluster) => cluster,
        other => panic!("expected a new lease, not {other:?}"),
    }
}

/// Gives a held cluster back; what it is then.
pub async fn release(store: &SharedStore, held: &Cluster) -> Cluster {
    let released = held.release("test", clock::now()).expect("a legal move");
    store.move_cluster(held, &released, None).await.expect("it is released");
    released
}

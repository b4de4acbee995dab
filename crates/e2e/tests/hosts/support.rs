//! What these tests ask and say again and again.

use common::clock;
use common::model::*;
use common::store::{Applied, EventFilter, Page};
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;
use simdocker::{SimHost, SimOptions};

pub const FLAVOR: &str = "fabric-0.6-noops-4";

/// A simulated engine.
pub async fn sim() -> SimHost {
    SimHost::start(SimOptions::fresh()).await.unwrap()
}

/// A simulated engine and a pool of this many clusters on it, filled.
pub async fn full(capacity: u16) -> (SimHost, Pool) {
    let sim = sim().await;
    let pool = Pool::start(&sim.url(), &sim.address().to_string(), capacity, &[FLAVOR]).await.unwrap();
    pool.until(&format!("{capacity} free")).await;
    (sim, pool)
}

pub fn asked() -> Asked {
    Asked { since: clock::now(), by: "otto".into() }
}

/// Writes down what an operator wants of the pool's host, as her page does.
pub async fn want(pool: &Pool, purpose: HostPurpose) {
    change_host(pool, |host| host.with_purpose(purpose.clone())).await;
}

/// Changes the pool's host; again if it changed meanwhile.
pub async fn change_host(pool: &Pool, change: impl Fn(&Host) -> Host) {
    wait_until("the host to be changed", PATIENCE, || async {
        let host = pool.store.host(&pool.host).await.unwrap().unwrap();
        let actor = Actor::Operator { name: "otto".into() };
        let event = Event::new(clock::now(), EventKind::HostChanged, actor, "asked").about_host(&host.id);
        pool.store.change_host(&change(&host), event).await.map_err(|error| error.to_string())
    })
    .await;
    pool.reconciler.ring();
}

/// Waits until the host only serves; the event that says what was done.
pub async fn until_done(pool: &Pool) -> String {
    wait_until("the host to serve again", PATIENCE, || async {
        let host = pool.store.host(&pool.host).await.unwrap().unwrap();
        if host.purpose == HostPurpose::Serve {
            Ok(())
        } else {
            Err(format!("{:?}; {}; {:?}", host.purpose, pool.summary().await, pool.reconciler.outlook()))
        }
    })
    .await;
    let events = events(pool).await;
    let done = |event: &&Event| event.kind == EventKind::HostChanged && event.actor == Actor::Reconciler;
    events.iter().find(done).expect("an event that says what was done").reason.clone()
}

/// Events, the newest first.
pub async fn events(pool: &Pool) -> Vec<Event> {
    pool.store.list_events(&EventFilter::default(), &Page::first(200)).await.unwrap()
}

/// Takes one for a user.
pub async fn take(pool: &Pool, user: &str) -> Cluster {
    match pool.apply(user).await.unwrap() {
        Applied::New(cluster) => cluster,
        other => panic!("a new lease was expected: {other:?}"),
    }
}

pub async fn release(pool: &Pool, cluster: &Cluster, by: &str) {
    pool.change(&cluster.id, |c| c.release(by, clock::now()).ok()).await.unwrap();
}

/// What the reconciler says of the host.
pub fn words(pool: &Pool) -> String {
    pool.reconciler.outlook().into_iter().flat_map(|outlook| outlook.lines()).collect::<Vec<_>>().join("\n")
}

/// Waits until the reconciler says this of the host.
pub async fn until_said(pool: &Pool, text: &str) {
    wait_until(&format!("it to be said: {text}"), PATIENCE, || async {
        let words = words(pool);
        if words.contains(text) { Ok(()) } else { Err(words) }
    })
    .await;
}

/// Waits until a host has no record any more.
pub async fn until_gone(pool: &Pool, host: &HostId) {
    wait_until("the host to be gone", PATIENCE, || async {
        match pool.store.host(host).await.unwrap() {
            None => Ok(()),
            Some(host) => Err(format!("{:?}; {}; {}", host.contact, pool.summary().await, words(pool))),
        }
    })
    .await;
}

/// Makes a container that is not the pool's; its id.
pub async fn stranger(sim: &SimHost, name: &str) -> String {
    let body = r#"{"Image": "poolmanager/fabricsim:0.6"}"#;
    let (status, answer) = sim.call("POST", &format!("/containers/create?name={name}"), body).await;
    assert_eq!(status, 201, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["Id"].as_str().unwrap().to_owned()
}

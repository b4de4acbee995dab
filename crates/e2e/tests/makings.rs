//! What becomes of failures to make a cluster, told to the reconciler by a simulated engine: held, stopped, tried again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use common::clock;
use common::model::*;
use common::store::{EventFilter, Page};
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;
use simdocker::{FaultKind, FaultRule, SimHost, SimOptions};

const FLAVOR: &str = "fabric-0.6-noops-4";

async fn pool(sim: &SimHost, capacity: u16) -> Pool {
    Pool::start(&sim.url(), &sim.address().to_string(), capacity, &[FLAVOR]).await.unwrap()
}

/// How many events of this kind there were.
async fn events(pool: &Pool, kind: EventKind) -> usize {
    let events = pool.store.list_events(&EventFilter::default(), &Page::first(200)).await.unwrap();
    events.into_iter().filter(|event| event.kind == kind).count()
}

/// Waits until the reconciler says this of the host.
async fn until_told(pool: &Pool, words: &str) {
    wait_until(words, PATIENCE, || async {
        let lines: Vec<String> = pool.reconciler.outlook().iter().flat_map(|host| host.lines()).collect();
        if lines.iter().any(|line| line.contains(words)) { Ok(()) } else { Err(format!("{lines:#?}")) }
    })
    .await;
}

async fn host(pool: &Pool) -> Host {
    pool.store.host(&pool.host).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_holds_the_host_back_and_no_cluster_fails() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    sim.set_disk_full(true);
    let pool = pool(&sim, 2).await;
    until_told(&pool, "no space left on device; tried again in").await;
    wait_until("what was begun to be gone", PATIENCE, || async {
        let left = pool.clusters().await.len();
        if left == 0 { Ok(()) } else { Err(format!("{left} are left")) }
    })
    .await;
    sim.set_disk_full(false);
    // It finds out by itself.
    pool.until("2 free").await;
    assert_eq!(events(&pool, EventKind::Failed).await, 0);
    pool.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_the_engine_calls_wrong_is_stopped_until_it_works_or_an_operator_asks() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let wrong = FaultKind::error(400, "invalid command");
    sim.faults().add(FaultRule::next("POST", "/containers/create", wrong).for_ever());
    let pool = pool(&sim, 2).await;
    until_told(&pool, "could not be made 3 times").await;
    let begun = events(&pool, EventKind::Creating).await;
    assert!(begun <= 4, "two at first, then one at a time: {begun}");
    assert_eq!(host(&pool).await.contact.made_at, None, "that its engine answers proves nothing");
    sim.faults().clear();
    // The third wait is 20 s: somebody who asks waits for none of it.
    let asked = clock::now();
    wait_until("the host to be changed", PATIENCE, || async {
        let host = host(&pool).await.try_again(asked);
        let actor = Actor::Operator { name: "otto".into() };
        let event = Event::new(asked, EventKind::HostChanged, actor, "try again").about_host(&host.id);
        pool.store.change_host(&host, event).await.map_err(|error| error.to_string())
    })
    .await;
    pool.reconciler.ring();
    pool.until("2 free").await;
    wait_until("the host's record to tell that it made one", PATIENCE, || async {
        let made = host(&pool).await.contact.made_at;
        if made.is_some_and(|at| at >= asked) { Ok(()) } else { Err(format!("{made:?}")) }
    })
    .await;
    pool.end().await.unwrap();
}

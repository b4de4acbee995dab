//! A MongoDB of three under load: its primary steps down, is killed, and all three stand still for a minute.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::say;
use common::store::{ClusterFilter, LeaseFilter, Page, StoreTarget, StoreUser, open};
use e2e::answer::client;
use e2e::chaos::{Book, Crowd, Door, all, doubles, lost};
use e2e::house::House;
use e2e::pool::PATIENCE;
use e2e::replica_set::MEMBERS;
use e2e::wait::wait_until;
use futures_util::future::join_all;
use simdocker::{SimHost, SimOptions};

/// What counts here is the store, so many clusters and a simulated engine.
const CAPACITY: u16 = 16;
const USERS: u64 = 12;
/// Leases between two blows.
const BETWEEN: u64 = 15;

/// How long nothing of the store answers.
const STILL: Duration = Duration::from_secs(60);

/// Waits until users were given so many more leases.
async fn more_leases(book: &Book) {
    let before = book.counts().applies;
    wait_until("leases to be given", PATIENCE, || async {
        let now = book.counts().applies;
        if now >= before + BETWEEN { Ok(()) } else { Err(format!("{before}, then {now}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_primaries_step_down_and_die_no_lease_is_lost_or_doubled_and_everyone_is_told() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let house = House::on_replica_set(CAPACITY).await.unwrap();
    let mut house = house.with_engine(&sim.url(), &address).unwrap();
    let mut set = house.replica_set.take().unwrap();
    let admin = house.start_admin().await.unwrap();
    let app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, CAPACITY).await.unwrap();
    house.until(&operator, &format!("{CAPACITY} free")).await;

    let second = house.start_app().await.unwrap();
    let doors = [Door::at(&app.url), Door::at(&second.url)];
    let (book, over) = (Book::default(), AtomicBool::new(false));
    let seed = rand::random::<u32>().into();
    say(&format!("seed {seed}"));
    let http = client().unwrap();
    let crowd = Crowd::new(&doors, &book, &http, &over, seed);
    let blows = async {
        for _ in 0..3 {
            more_leases(&book).await;
            let old = set.step_down().await.unwrap();
            say(&format!("member {old} stepped down; {:?}", book.counts()));
        }
        more_leases(&book).await;
        let primary = set.primary().await.unwrap();
        set.kill(primary);
        let now = set.primary().await.unwrap();
        say(&format!("member {primary} was killed, {now} takes writes; {:?}", book.counts()));
        more_leases(&book).await;
        set.restart(primary).await.unwrap();
        more_leases(&book).await;
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(blows, join_all((0..USERS).map(|n| crowd.live(n))));

    let held = book.held();
    let (free, in_use) = (usize::from(CAPACITY) - held.len(), held.len());
    house.until(&operator, &format!("{free} free, {in_use} in_use")).await;
    let target = StoreTarget::Mongo { url: set.url(), database: "poolmanager".into() };
    let store = open(&target, StoreUser::App).await.unwrap();
    let clusters = store.list_clusters(&ClusterFilter::default(), &Page::first(1000)).await.unwrap();
    let records = store.list_lease_records(&LeaseFilter::default(), &Page::first(10_000)).await.unwrap();
    let (leases, ledger) = (all(&records, &clusters), book.all());
    assert_eq!(doubles(&leases, &ledger), Vec::<String>::new());
    assert_eq!(lost(&leases, &ledger), Vec::<String>::new());
    // Each answer was a network, a refusal with its reason, or a 503 with the time to come again.
    assert_eq!(ledger.wrong, Vec::<String>::new());
    for (user, cluster) in held {
        app.act("release", &[("cluster_id", &cluster)]).await.unwrap_or_else(|error| panic!("{user}: {error:#}"));
    }
    house.until(&operator, &format!("{CAPACITY} free")).await;
    house.leave(&operator, &host).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stands_still_for_a_minute_is_waited_for_in_the_dark_and_nothing_is_touched() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let house = House::on_replica_set(2).await.unwrap().with_engine(&sim.url(), &address).unwrap();
    let set = house.replica_set.as_ref().unwrap();
    let admin = house.start_admin().await.unwrap();
    let app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    house.until(&operator, "2 free").await;
    let lease = app.apply("alice").await.unwrap().unwrap();
    let clusters = house.until(&operator, "1 free, 1 in_use").await;
    let free = clusters.iter().find(|cluster| cluster["phase"] == "free").unwrap()["id"].as_str().unwrap().to_owned();

    for member in 0..MEMBERS {
        set.freeze(member).unwrap();
    }
    let since = Instant::now();
    let asked = sim.journal().count();
    // A node of the free one and one of hers die, which admin would mend at once if it saw the records.
    let nodes = house.engine.look().await.unwrap();
    for cluster in [free.as_str(), lease["id"].as_str().unwrap()] {
        let path = format!("/containers/{}/kill", nodes[cluster].node("vp2").unwrap().id);
        assert_eq!(sim.call("POST", &path, "").await.0, 204);
    }
    let mut answers = 0;
    while since.elapsed() < STILL {
        let ask = [("action", "apply"), ("user_id", "bob")];
        let begun = Instant::now();
        let answer = app.get("/v2/cluster_op", &ask).await.unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "no Retry-After in {:?}", answer.headers);
        assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
        answers += 1;
        assert_eq!(app.get("/healthz", &[]).await.unwrap().status, 200);
    }
    let calls = sim.journal().calls();
    let changed: Vec<_> = calls.iter().filter(|call| call.number > asked && call.method != "GET").collect();
    assert!(changed.iter().all(|call| call.method == "HEAD"), "in the dark: {changed:#?}");

    for member in 0..MEMBERS {
        set.thaw(member).unwrap();
    }
    let back = Instant::now();
    let again = wait_until("app to serve again", PATIENCE, || async {
        match app.apply("alice").await {
            Ok(Ok(again)) => Ok(again),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(again["id"], lease["id"], "she holds what she held");
    let served = back.elapsed();
    wait_until("the broken free one to go", PATIENCE, || async {
        let there = operator.get(&format!("/api/v1/clusters/{free}")).await.map_err(|error| format!("{error:#}"))?;
        if there.status == 404 { Ok(()) } else { Err(format!("{} {}", there.status, there.text)) }
    })
    .await;
    let clusters = house.until(&operator, "1 free, 1 in_use").await;
    say(&format!("{answers} answers in the dark; served again {served:?} after it, whole {:?} after", back.elapsed()));
    let hers = clusters.iter().find(|cluster| cluster["id"] == lease["id"]).unwrap();
    assert_eq!(hers["lease"]["user"], "alice");
    wait_until("her dead node to run again", PATIENCE, || async {
        let found = house.engine.look().await.map_err(|error| format!("{error:#}"))?;
        let node = found[lease["id"].as_str().unwrap()].node("vp2").map_err(|error| format!("{error:#}"))?.clone();
        if node.state == "running" { Ok(()) } else { Err(format!("{node:?}")) }
    })
    .await;
    app.release(lease["id"].as_str().unwrap()).await.unwrap();
    house.until(&operator, "2 free").await;
    assert_eq!(operator.items("/api/v1/records").await.unwrap().len(), 1);
    house.leave(&operator, &host).await.unwrap();
}

//! A leading admin is stopped (SIGSTOP) in the midst of its work, another takes over, and the first one wakes and does not
//! know that time has passed: nothing that it still does, wrote or sent hits what came after it.

use std::time::{Duration, Instant};

use crate::say;
use e2e::house::{Admin, House};
use e2e::mongod::Mongod;
use e2e::operator::Operator;
use e2e::pool::PATIENCE;
use e2e::relay::Relay;
use e2e::wait::wait_until;
use reqwest::Client;
use simdocker::{Call, FaultKind, FaultRule, Outcome, SimHost, SimOptions};

/// A call that the network keeps for so long: longer than it takes another admin to lead and to fill the slot again.
const LATE: Duration = Duration::from_secs(20);

/// A takeover takes no longer.
const TAKEOVER: Duration = Duration::from_secs(10);

/// Calls that change something.
fn changes(calls: &[Call]) -> Vec<&Call> {
    calls.iter().filter(|call| call.method != "GET" && call.method != "HEAD").collect()
}

async fn serves_pages(admin: &Admin) {
    let page = Client::new().get(format!("{}/login", admin.url)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    admin.operator().await.unwrap().get("/api/v1/hosts").await.unwrap().is(200);
}

/// The first leads, the second stands by; an operator at the second.
async fn two(house: &House, first: &Admin) -> (Admin, Operator) {
    first.until_leading().await;
    let second = house.start_admin().await.unwrap();
    wait_until("the second to stand by", PATIENCE, || async {
        let log = second.program.log();
        if log.contains("standing by") { Ok(()) } else { Err(log) }
    })
    .await;
    serves_pages(first).await;
    serves_pages(&second).await;
    let operator = second.operator().await.unwrap();
    (second, operator)
}

/// Stops the first; how long until the second led.
async fn stopped(first: &Admin, second: &Admin) -> Duration {
    first.program.freeze().unwrap();
    let since = Instant::now();
    second.until_leading().await;
    since.elapsed()
}

/// Wakes the first and waits until it knows that it leads no more.
async fn woken(first: &Admin) {
    let before = first.program.log().len();
    first.program.thaw().unwrap();
    wait_until("the first to stand by", PATIENCE, || async {
        let log = first.program.log()[before..].to_owned();
        if log.contains("standing by") { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_stopped_in_the_midst_of_a_removal_touches_nothing_of_the_next_tenant() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let house = House::on_mongodb(1).await.unwrap().with_engine(&sim.url(), &address).unwrap();
    let first = house.start_admin().await.unwrap();
    let (second, operator) = two(&house, &first).await;
    let app = house.start_app().await.unwrap();
    let host = house.add_host(&operator, 1).await.unwrap();
    house.until(&operator, "1 free").await;
    let old = app.apply("alice").await.unwrap().unwrap();
    let vp1 = house.engine.look().await.unwrap()[old["id"].as_str().unwrap()].node("vp1").unwrap().id.clone();

    // One of four removals is on its way to the engine for long; the network's is to come after it.
    let path = format!("/containers/{vp1}");
    sim.faults().add(FaultRule::next("DELETE", &path, FaultKind::slow(LATE)));
    app.release(old["id"].as_str().unwrap()).await.unwrap();
    let late = wait_until("the removal to be half done", PATIENCE, || async {
        let calls = sim.journal().calls();
        let late = calls.iter().find(|call| call.fault.is_some() && call.outcome == Outcome::Pending);
        match (late, sim.containers().len()) {
            (Some(late), 1) => Ok(late.number),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let took = stopped(&first, &second).await;
    say(&format!("the other admin led {took:?} after the leader was stopped"));
    assert!(took < TAKEOVER, "{took:?}");
    serves_pages(&second).await;

    // The second finishes the removal and builds the slot anew, for bob.
    let clusters = house.until(&operator, "1 free").await;
    assert_ne!(clusters[0]["id"], old["id"]);
    assert_eq!(clusters[0]["name"], old["name"], "the same slot, so the same names");
    let new = app.apply("bob").await.unwrap().unwrap();
    house.until(&operator, "1 in_use").await;
    let whole = (house.engine.look().await.unwrap(), operator.items("/api/v1/records").await.unwrap());
    // Now the late call is carried out.
    let outcome = wait_until("the late call to be carried out", PATIENCE, || async {
        let calls = sim.journal().calls();
        match calls.iter().find(|call| call.number == late).map(|call| call.outcome) {
            Some(Outcome::Pending) | None => Err("it is on its way".to_owned()),
            Some(outcome) => Ok(outcome),
        }
    })
    .await;
    assert_eq!(outcome, Outcome::Answered(404), "what it was about is gone, and nothing else is called so");
    assert_eq!(house.engine.look().await.unwrap(), whole.0);

    let woke_at = sim.journal().count();
    woken(&first).await;
    serves_pages(&first).await;
    let calls = sim.journal().calls();
    let after: Vec<Call> = calls.iter().filter(|call| call.number > woke_at).cloned().collect();
    assert_eq!(changes(&after), Vec::<&Call>::new(), "since the first woke");
    let by_id = |call: &&Call| match call.path.split('/').collect::<Vec<_>>()[..] {
        ["", "containers" | "networks", "create", ..] => true,
        ["", "containers" | "networks", id, ..] => id.len() == 64,
        _ => true,
    };
    assert_eq!(changes(&calls).into_iter().find(|call| !by_id(call)), None, "acted on by name");
    let now = (house.engine.look().await.unwrap(), operator.items("/api/v1/records").await.unwrap());
    assert_eq!(now, whole);
    assert_eq!(now.1.len(), 1, "alice's lease has one record");

    // The pool goes on, under the second.
    app.release(new["id"].as_str().unwrap()).await.unwrap();
    house.until(&operator, "1 free").await;
    house.leave(&operator, &host).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_a_stopped_leader_had_sent_is_refused_by_version_when_it_comes() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let mut house = House::on_mongodb(1).await.unwrap().with_engine(&sim.url(), &address).unwrap();
    let direct = house.environment["MONGO_URL"].clone();
    let relay = Relay::before(house.mongod.as_ref().unwrap().port()).await.unwrap();
    house.set("MONGO_URL", &Mongod::direct_url(relay.port()));
    let first = house.start_admin().await.unwrap();
    house.set("MONGO_URL", &direct);
    let (second, operator) = two(&house, &first).await;
    let app = house.start_app().await.unwrap();

    // That a cluster is free has been sent by the first, and does not arrive.
    relay.hold(&["\u{2}update\0", "creating", "free"]);
    let host = house.add_host(&operator, 1).await.unwrap();
    relay.held().await.unwrap();
    let took = stopped(&first, &second).await;
    assert!(took < TAKEOVER, "{took:?}");
    let made = house.until(&operator, "1 free").await[0].clone();
    let lease = app.apply("alice").await.unwrap().unwrap();
    assert_eq!(lease["id"], made["id"], "what the first had made, the second gives out");
    let hers = house.until(&operator, "1 in_use").await;

    relay.let_go().await.unwrap();
    let now = house.until(&operator, "1 in_use").await;
    assert_eq!((&now[0]["lease"], &now[0]["id"]), (&hers[0]["lease"], &lease["id"]));
    assert_eq!(app.apply("bob").await.unwrap().unwrap_err(), "No available res for bob");
    let woke_at = sim.journal().count();
    woken(&first).await;
    let calls: Vec<Call> = sim.journal().calls().into_iter().filter(|call| call.number > woke_at).collect();
    assert_eq!(changes(&calls), Vec::<&Call>::new());
    assert_eq!(house.until(&operator, "1 in_use").await[0]["lease"], hers[0]["lease"]);
    app.release(lease["id"].as_str().unwrap()).await.unwrap();
    house.until(&operator, "1 free").await;
    house.leave(&operator, &host).await.unwrap();
}

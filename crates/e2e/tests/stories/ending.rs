//! How the programs begin and end: by SIGTERM with 0, and by a plain message when they cannot begin.

use std::net::TcpListener;
use std::time::Duration;

use crate::say;
use e2e::house::House;
use e2e::mongod::free_port;
use e2e::pool::PATIENCE;
use e2e::program::Program;
use e2e::wait::wait_until;

const PROGRAMS: [&str; 2] = ["poolmanager-admin", "poolmanager-app"];

/// An idle program has nothing to wait for; a busy machine may make it wait for its turn.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_both_with_0_idle_and_in_the_middle_of_filling() {
    let house = House::on_mongodb(2).await.unwrap();
    // At once after the start.
    for _ in 0..2 {
        let (mut admin, mut app) = (house.start_admin().await.unwrap(), house.start_app().await.unwrap());
        for program in [&mut admin.program, &mut app.program] {
            let (status, took) = program.end(SOON).await.unwrap();
            assert!(status.success(), "{status} after {took:?}: {}", program.log());
        }
    }
    // In the middle of filling, and while app has a call that waits.
    let (mut admin, mut app) = (house.start_admin().await.unwrap(), house.start_app().await.unwrap());
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    wait_until("a first container", PATIENCE, || async {
        if house.engine.look().await.unwrap().values().all(|f| f.containers.is_empty()) {
            Err("none".into())
        } else {
            Ok(())
        }
    })
    .await;
    let (status, took) = admin.program.end(SOON).await.unwrap();
    say(&format!("in the middle of filling, admin ended after {took:?}"));
    assert!(status.success(), "{status}: {}", admin.program.log());
    let (status, _) = app.program.end(SOON).await.unwrap();
    assert!(status.success(), "{status}: {}", app.program.log());

    // The lock was given back, so the next need not wait for it to run out.
    let mut admin = house.start_admin().await.unwrap();
    let operator = operator.at(&admin.url);
    house.until(&operator, "2 free").await;
    house.leave(&operator, &host).await.unwrap();
    let (status, took) = admin.program.end(SOON).await.unwrap();
    assert!(status.success(), "{status} after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_does_not_hold_app_up_for_long() {
    let house = House::on_sqlite(1).unwrap();
    let mut admin = house.start_admin().await.unwrap();
    let mut app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 1).await.unwrap();
    house.until(&operator, "1 free").await;
    let lease = app.apply("alice").await.unwrap().unwrap();
    let id = lease["id"].as_str().unwrap();
    // Nobody carries the wish out, so the call waits.
    admin.program.end(SOON).await.unwrap();
    let (http, url) = (app.http.clone(), app.url.clone());
    let path = format!("{url}/v2/cluster_op?action=stop&cluster_id={id}&node_id=vp1");
    let call = tokio::spawn(async move { e2e::answer::Answer::of(http.get(path)).await });
    wait_until("the wish to be written", PATIENCE, || async {
        if app.program.log().contains("wished: stop") { Ok(()) } else { Err(app.program.log()) }
    })
    .await;
    let (status, took) = app.program.end(Duration::from_secs(15)).await.unwrap();
    assert!(status.success(), "{status} after {took:?}: {}", app.program.log());
    let answer = call.await.unwrap().unwrap();
    assert_eq!((answer.status, &answer.json()["error"]), (400, &"cluster stop failed".into()), "{}", answer.text);

    // The wish is in the store; the next admin carries it out.
    let admin = house.start_admin().await.unwrap();
    let operator = operator.at(&admin.url);
    wait_until("the wish to be carried out", PATIENCE, || async {
        let found = house.engine.look().await.unwrap();
        let vp1 = found[id].node("vp1").unwrap().clone();
        if vp1.state == "exited" { Ok(()) } else { Err(format!("{vp1:?}; {}", operator.words().await)) }
    })
    .await;
    let answer = operator.call(reqwest::Method::POST, &format!("/api/v1/clusters/{id}/release"), None).await.unwrap();
    answer.is(202);
    house.leave(&operator, &host).await.unwrap();
}

/// Starts a program that must not begin; its words. `code` is what it ends with.
async fn refused(house: &House, name: &'static str, arguments: &[&str], set: &[(&str, &str)], code: i32) -> String {
    let mut environment = house.environment.clone();
    environment.extend(set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut program = Program::start(name, arguments, &environment, &house.log_file()).unwrap();
    let status = program.ended(Duration::from_secs(40)).await.unwrap();
    let words = program.log();
    assert_eq!(status.code(), Some(code), "{name} {arguments:?} {set:?}: {words}");
    assert!(!words.contains("panicked") && !words.trim().is_empty(), "{words}");
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_says_why_in_plain_words() {
    let house = House::on_sqlite(1).unwrap();
    for name in PROGRAMS {
        for wrong in [&["--no-such"][..], &["serve"], &["healthcheck", "twice"]] {
            let words = refused(&house, name, wrong, &[], 2).await;
            assert!(words.contains(wrong.last().unwrap()) && words.contains("Usage"), "{words}");
        }
        // A wrong value: its name, the value, what is allowed.
        for (variable, value, allowed) in [
            ("DEBUG", "maybe", "True"),
            ("LOG_LEVEL", "loud", "debug"),
            ("MONGO_COLLECTION", "a.b", "letters"),
            ("FABRIC_PEER_IMAGE", "Not An Image", "image"),
        ] {
            let words = refused(&house, name, &[], &[(variable, value)], 2).await;
            assert!(words.contains(variable) && words.contains(value) && words.contains(allowed), "{name}: {words}");
        }
        // What may hold a password is not shown.
        let words = refused(&house, name, &[], &[("MONGO_URL", "postgres://joe:tellnobody@db")], 2).await;
        assert!(
            words.contains("MONGO_URL") && words.contains("mongodb://") && !words.contains("tellnobody"),
            "{words}"
        );
        // Nobody there.
        let nobody = format!("mongodb://joe:tellnobody@127.0.0.1:{}/?replicaSet=rs", free_port().unwrap());
        let secret = ("INTERNAL_SECRET", "0123456789abcdef");
        let words = refused(&house, name, &[], &[("MONGO_URL", &nobody), secret], 1).await;
        assert!(words.contains("store") && !words.contains("tellnobody"), "{words}");
        let words = refused(&house, name, &[], &[("MONGO_URL", &nobody)], 2).await;
        assert!(words.contains("INTERNAL_SECRET"), "{words}");
    }
    let words = refused(&house, "poolmanager-admin", &[], &[("CLUSTER_SUBNETS", "8.8.0.0/16")], 2).await;
    assert!(words.contains("CLUSTER_SUBNETS") && words.contains("8.8.0.0/16") && words.contains("private"), "{words}");
    let words = refused(&house, "poolmanager-admin", &[], &[("POOL_MIX", "no-such-flavor=1")], 2).await;
    assert!(words.contains("POOL_MIX") && words.contains("no-such-flavor"), "{words}");
    let words = refused(&house, "poolmanager-app", &[], &[("AUTH", "none")], 2).await;
    assert!(words.contains("AUTH") && words.contains("open"), "{words}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (name, variable) in [("poolmanager-admin", "ADMIN_PORT"), ("poolmanager-app", "APP_PORT")] {
        let words = refused(&house, name, &[], &[(variable, &port)], 1).await;
        assert!(words.contains(&port) && words.contains("in use") && words.contains(variable), "{words}");
    }
    // One admin and one app at most on SQLite.
    for name in PROGRAMS {
        let mut first = house.start(name).unwrap();
        first.address().await.unwrap();
        let words = refused(&house, name, &[], &[], 1).await;
        assert!(words.contains("another") || words.contains("already"), "{words}");
    }
}

//! SIGKILL, to admin and to app, wherever they are: what comes after finds everything, loses no lease and leaks nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::say;
use e2e::house::House;
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;
use simdocker::{SimHost, SimOptions};
use tokio::task::JoinSet;

/// Waits until the engine has at least so many containers of the house, running or not.
async fn until_containers(house: &House, wanted: usize) {
    wait_until(&format!("{wanted} containers"), PATIENCE, || async {
        let there: usize = house.engine.look().await.unwrap().values().map(|found| found.containers.len()).sum();
        if there >= wanted { Ok(()) } else { Err(format!("{there}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_admin_is_continued_by_the_next_and_nothing_leaks() {
    let house = House::on_mongodb(2).await.unwrap();
    let app = house.start_app().await.unwrap();
    let mut admin = house.start_admin().await.unwrap();
    let mut operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();

    // While it fills: a first container is there; then most are.
    for containers in [1, 6] {
        until_containers(&house, containers).await;
        admin.program.kill();
        admin = house.start_admin().await.unwrap();
    }
    operator = operator.at(&admin.url);
    house.until(&operator, "2 free").await;

    // While it removes: one of two goes, and its containers are not all gone.
    let alices = app.apply("alice").await.unwrap().unwrap();
    let bobs = app.apply("bob").await.unwrap().unwrap();
    let id = alices["id"].as_str().unwrap();
    app.release(id).await.unwrap();
    wait_until("its removal to have begun", PATIENCE, || async {
        let running = |found: &e2e::on_engine::Found| found.containers.iter().filter(|c| c.state == "running").count();
        match house.engine.look().await.unwrap().get(id) {
            Some(found) if running(found) == 4 => Err(format!("{found:?}")),
            _ => Ok(()),
        }
    })
    .await;
    admin.program.kill();
    // Nobody looks after the hosts, and a lease holds all the same.
    assert_eq!(app.apply("bob").await.unwrap().unwrap()["id"], bobs["id"]);
    let admin = house.start_admin().await.unwrap();
    operator = operator.at(&admin.url);
    let clusters = house.until(&operator, "1 free, 1 in_use").await;
    assert!(clusters.iter().all(|cluster| cluster["id"] != alices["id"]), "{clusters:?}");
    assert!(clusters.iter().any(|cluster| cluster["id"] == bobs["id"]), "bob keeps hers: {clusters:?}");
    let records = operator.items("/api/v1/records?user=alice").await.unwrap();
    assert_eq!(records.len(), 1, "one record, however often its removal was begun: {records:?}");

    app.release(bobs["id"].as_str().unwrap()).await.unwrap();
    house.leave(&operator, &host).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_app_loses_no_lease_that_it_told_and_gives_nobody_two() {
    // What counts here is the store, so many clusters and a simulated engine.
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let address = sim.address().to_string();
    let house = House::on_mongodb(24).await.unwrap().with_engine(&sim.url(), &address).unwrap();
    let admin = house.start_admin().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 24).await.unwrap();
    house.until(&operator, "24 free").await;

    // Every user applies until she is told of a lease. Each app is killed while they do.
    let told = Arc::new(Mutex::new(BTreeMap::<String, String>::new()));
    let door = Arc::new(Mutex::new(String::new()));
    let mut users = JoinSet::new();
    let mut app = house.start_app().await.unwrap();
    door.lock().unwrap().clone_from(&app.url);
    for n in 0..24 {
        let (told, door, http) = (told.clone(), door.clone(), app.http.clone());
        users.spawn(async move {
            let user = format!("user-{n}");
            wait_until(&format!("{user} to have a lease"), PATIENCE, || async {
                let url = format!("{}/v2/cluster_apply?user_id={user}", door.lock().unwrap());
                let answer = http.get(url).timeout(Duration::from_secs(15)).send().await.map_err(|e| e.to_string())?;
                let answer: serde_json::Value = answer.json().await.map_err(|e| e.to_string())?;
                match answer["data"]["id"].as_str() {
                    Some(id) => {
                        told.lock().unwrap().insert(user.clone(), id.to_owned());
                        Ok(())
                    }
                    None => Err(answer.to_string()),
                }
            })
            .await;
        });
    }
    for leases in [1, 5, 12] {
        wait_until("some leases to be told", PATIENCE, || async {
            let now = told.lock().unwrap().len();
            if now >= leases { Ok(()) } else { Err(now.to_string()) }
        })
        .await;
        app.program.kill();
        app = house.start_app().await.unwrap();
        door.lock().unwrap().clone_from(&app.url);
    }
    users.join_all().await;

    let clusters = house.until(&operator, "24 in_use").await;
    let told = told.lock().unwrap().clone();
    for cluster in &clusters {
        let user = cluster["lease"]["user"].as_str().unwrap();
        assert_eq!(told[user], cluster["id"].as_str().unwrap(), "{user} was told of what she holds");
    }
    for user in told.keys() {
        app.get("/v2/cluster_release", &[("user_id", user)]).await.unwrap().is(200);
    }
    house.until(&operator, "24 free").await;
    house.leave(&operator, &host).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leading_admin_is_killed_another_takes_over_within_ten_seconds() {
    let house = House::on_mongodb(1).await.unwrap();
    let app = house.start_app().await.unwrap();
    let mut first = house.start_admin().await.unwrap();
    first.until_leading().await;
    let second = house.start_admin().await.unwrap();
    let operator = second.operator().await.unwrap();
    // What the one that stands by takes in, the one that leads carries out.
    let host = house.add_host(&operator, 1).await.unwrap();
    house.until(&operator, "1 free").await;
    assert!(second.program.log().contains("standing by"), "{}", second.program.log());
    assert!(!second.program.log().contains("this process leads"), "one leads");
    let lease = app.apply("alice").await.unwrap().unwrap();

    first.program.kill();
    let killed = Instant::now();
    app.release(lease["id"].as_str().unwrap()).await.unwrap();
    second.until_leading().await;
    let took_over = killed.elapsed();
    let clusters = house.until(&operator, "1 free").await;
    say(&format!("the other admin led after {took_over:?}; the release was carried out after {:?}", killed.elapsed()));
    assert!(took_over < Duration::from_secs(10), "{took_over:?}");
    assert_ne!(clusters[0]["id"], lease["id"]);
    house.leave(&operator, &host).await.unwrap();
}

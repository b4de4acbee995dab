//! MongoDB is gone for a while: nobody is lied to, nothing is changed in the dark, and all go on by themselves.

use std::time::{Duration, Instant};

use crate::say;
use e2e::house::House;
use e2e::network::Network;
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;

/// Longer than the reconciler's lock holds, so that it has run out when the store is back.
const AWAY: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread")]
async fn without_its_store_the_pool_waits_and_then_goes_on_by_itself() {
    let mut house = House::on_mongodb(2).await.unwrap();
    let admin = house.start_admin().await.unwrap();
    let app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    house.until(&operator, "2 free").await;
    let lease = app.apply("alice").await.unwrap().unwrap();
    let id = lease["id"].as_str().unwrap().to_owned();
    let clusters = house.until(&operator, "1 free, 1 in_use").await;
    let (hers, free): (Vec<_>, Vec<_>) = clusters.into_iter().partition(|cluster| cluster["phase"] == "in_use");
    let network = Network::of(&hers[0]).unwrap();

    house.mongod.as_mut().unwrap().kill();
    let killed = Instant::now();
    // A node of the free one dies meanwhile, which admin would mend at once if it saw the records.
    let free = free[0]["id"].as_str().unwrap().to_owned();
    let vp2 = house.engine.look().await.unwrap()[&free].node("vp2").unwrap().id.clone();
    house.engine.stop(&vp2).await.unwrap();
    let before = house.engine.look().await.unwrap();

    for (path, query) in [
        ("/v2/cluster_op", &[("action", "apply"), ("user_id", "bob")][..]),
        ("/v1/cluster_apply", &[("user_id", "bob")][..]),
        ("/v2/cluster_op", &[("action", "release"), ("cluster_id", &id)][..]),
        ("/readyz", &[][..]),
    ] {
        let answer = app.get(path, query).await.unwrap();
        assert_eq!(answer.status, 503, "{path} {query:?}: {}", answer.text);
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{path}: no Retry-After in {:?}", answer.headers);
    }
    assert_eq!(app.get("/healthz", &[]).await.unwrap().status, 200);
    let answer = operator.get("/api/v1/hosts").await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{:?}", answer.headers);
    // Her network does not need us.
    assert_eq!(network.height("vp0").await.unwrap(), 1);
    while killed.elapsed() < AWAY {
        assert_eq!(house.engine.look().await.unwrap(), before, "nothing is changed while the store is away");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    house.mongod.as_mut().unwrap().restart().await.unwrap();
    let back = Instant::now();
    let again = wait_until("app to serve again", PATIENCE, || async {
        match app.apply("alice").await {
            Ok(Ok(again)) => Ok(again),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let app_after = back.elapsed();
    assert_eq!(again["id"], lease["id"], "she holds what she held");
    // The broken free one is replaced now.
    wait_until("the broken one to go", PATIENCE, || async {
        let clusters = operator.items("/api/v1/clusters").await.map_err(|error| format!("{error:#}"))?;
        let there = clusters.iter().any(|cluster| cluster["id"] == *free);
        if there { Err(operator.words().await) } else { Ok(()) }
    })
    .await;
    let clusters = house.until(&operator, "1 free, 1 in_use").await;
    say(&format!("app served {app_after:?} after MongoDB was back, the pool was whole {:?} after", back.elapsed()));
    assert!(clusters.iter().any(|cluster| cluster["id"] == lease["id"]), "{clusters:?}");
    app.release(&id).await.unwrap();
    let clusters = house.until(&operator, "2 free").await;
    assert!(clusters.iter().all(|cluster| cluster["id"] != lease["id"]), "{clusters:?}");
    assert_eq!(operator.items("/api/v1/records?user=alice").await.unwrap().len(), 1);
    house.leave(&operator, &host).await.unwrap();
}

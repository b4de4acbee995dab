//! Health and readiness, and the end of a server.

use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{House, PBFT, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_store_is_alive_and_ready() {
    let house = House::open().await;
    assert_eq!(house.get("/healthz").await.json(), json!({"status": "alive"}));
    assert_eq!(house.get("/readyz").await.json(), json!({"status": "ready"}));
    let head = house.send(house.request("HEAD", "/readyz")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_asks_for_readiness() {
    let house = House::open().await;
    app::health_check::health_check(house.address).await.unwrap();
    let everywhere = std::net::SocketAddr::from(([0, 0, 0, 0], house.address.port()));
    app::health_check::health_check(everywhere).await.unwrap();
    house.stop().await;
    assert!(app::health_check::health_check(house.address).await.is_err());
    let unknown = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let error = app::health_check::health_check(unknown).await.unwrap_err().to_string();
    assert!(error.contains("APP_PORT"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_who_waits_and_does_not_wait_for_the_wish() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    let path = format!("/v2/cluster_op?action=stop&cluster_id={}", held.id);
    let began = Instant::now();
    let stop = async {
        wait_until("the wish is written", || async {
            !house.store.cluster(&held.id).await.unwrap().unwrap().wishes_done()
        })
        .await;
        house.stop().await;
    };
    let (answer, ()) = tokio::join!(house.get(&path), stop);
    answer.fail(400, "cluster stop failed");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

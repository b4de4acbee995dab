//! A store that is away, broken or panics: what old clients see of it.

use std::sync::Arc;
use std::time::Duration;

use super::house::House;
use super::sick_store::{How, SickStore};

const CALLS: [&str; 9] = [
    "/v1/cluster_apply?user_id=a",
    "/v1/cluster_release?user_id=a",
    "/v1/cluster_release?cluster_id=0123456789abcdef01234567",
    "/v2/cluster_apply?user_id=a",
    "/v2/cluster_release?user_id=a",
    "/v2/cluster_release?cluster_id=0123456789abcdef01234567",
    "/v2/cluster_op?action=stop&cluster_id=0123456789abcdef01234567",
    "/v2/cluster/0123456789abcdef01234567",
    "/v2/clusters",
];

fn house(how: How) -> House {
    House::on(Arc::new(SickStore::new(how)), Duration::from_millis(50))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_503_and_when_to_come_again() {
    let house = house(How::Unavailable);
    for call in CALLS {
        let answer = house.get(call).await;
        assert_eq!((answer.status, &answer.json()["code"]), (503, &503.into()), "{call}");
        assert_eq!((&answer.json()["status"], &answer.headers["retry-after"]), (&"FAIL".into(), &"1".parse().unwrap()));
        assert!(!answer.text.contains("10.9.8.7"), "what the store says is for the log: {}", answer.text);
    }
    let ready = house.get("/readyz").await;
    assert_eq!((ready.status, ready.headers["content-type"].to_str().unwrap()), (503, "application/problem+json"));
    assert_eq!(house.get("/healthz").await.status, 200, "the process lives");
    assert!(app::health_check::health_check(house.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_store_is_500_and_keeps_its_words_to_itself() {
    let house = house(How::Broken);
    for call in CALLS {
        let answer = house.get(call).await;
        assert_eq!((answer.status, &answer.json()["status"]), (500, &"FAIL".into()), "{call}");
        assert!(!answer.text.contains("10.9.8.7"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_500_with_a_request_id_and_the_server_goes_on() {
    let house = house(How::Panic);
    for call in CALLS {
        let answer = house.send(house.request("GET", call).header("x-request-id", "find-me")).await;
        assert_eq!((answer.status, &answer.json()["status"]), (500, &"FAIL".into()), "{call}");
        assert_eq!(answer.headers["x-request-id"], "find-me");
        assert!(answer.text.contains("find-me") && !answer.text.contains("10.9.8.7"), "{}", answer.text);
    }
    let ready = house.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["status"]), (500, &500.into()));
    assert_eq!(house.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_makes_readiness_fail_in_time() {
    let house = house(How::Hang);
    let answer = house.get("/readyz").await;
    assert_eq!(answer.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_keep_changing_are_refused_with_the_text_of_old() {
    let house = house(How::Contended);
    let id = "0123456789abcdef01234567";
    house.get(&format!("/v1/cluster_release?cluster_id={id}")).await.fail(400, &format!("release fail for {id}"));
    house.get("/v1/cluster_release?user_id=alice").await.fail(400, "release fail for alice");
    house.get(&format!("/v2/cluster_op?action=release&cluster_id={id}")).await.fail(400, "cluster release failed");
    house.get(&format!("/v2/cluster_op?action=stop&cluster_id={id}")).await.fail(400, "cluster stop failed");
    let text = format!("cluster_release failed user_id=alice cluster_id={id}");
    house.get(&format!("/v2/cluster_release?user_id=alice&cluster_id={id}")).await.fail(400, &text);
}

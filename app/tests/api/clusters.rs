//! v2's looks: one cluster, and lists of them.

use std::collections::BTreeSet;
use std::time::Duration;

use common::clock;
use common::model::{Cluster, Health, Why};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::house::{House, NOOPS, PBFT, PBFT_6};

fn ids(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|cluster| cluster["id"].as_str().unwrap().to_owned()).collect()
}

fn set(clusters: &[&Cluster]) -> BTreeSet<String> {
    clusters.iter().map(|cluster| cluster.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_found_by_its_id() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    let shown = house.get(&format!("/v2/cluster/{}", free.id)).await.ok();
    assert_eq!(
        (&shown["id"], &shown["user_id"], &shown["apply_ts"]),
        (&free.id.as_str().into(), &"".into(), &"".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_cluster_is_http_400_and_404_in_the_body() {
    let house = House::open().await;
    for id in ["0123456789abcdef01234567", "nonsense", "ABC", "a%20b", "$ne"] {
        let shown = if id == "a%20b" { "a b" } else { id };
        house.get(&format!("/v2/cluster/{id}")).await.fail(404, &format!("cluster not found with id={shown}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_between_two_lives_show_the_users_of_old() {
    let house = House::open().await;
    let creating = house.creating(PBFT).await;
    let held = house.leased("alice", PBFT).await;
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    let failing = house.creating(PBFT).await;
    let failed = failing.fail(Why::CreateTimedOut { missing: "vp3".into() }, clock::now()).unwrap();
    house.store.move_cluster(&failing, &failed, None).await.unwrap();
    let free = house.free(NOOPS).await;
    let removing = free.remove(Why::PoolShrunk, clock::now()).unwrap();
    house.store.move_cluster(&free, &removing, None).await.unwrap();
    let user = async |cluster: &Cluster| house.get(&format!("/v2/cluster/{}", cluster.id)).await.ok();
    assert_eq!(user(&creating).await["user_id"], "__SYSTEM__CREATING");
    assert_eq!(user(&failed).await["user_id"], "__SYSTEM__DELETING");
    assert_eq!(user(&removing).await["user_id"], "__SYSTEM__DELETING");
    let releasing = user(&held).await;
    assert_eq!(releasing["user_id"], "__SYSTEM__DELETINGalice");
    assert!(httpdate::parse_http_date(releasing["release_ts"].as_str().unwrap()).is_ok());
    assert!(releasing["duration"].as_str().unwrap().starts_with("0:00:0"), "{releasing}");

    let list = async |user: &str| ids(&house.get(&format!("/v2/clusters?user_id={user}")).await.ok());
    assert_eq!(list("__SYSTEM__CREATING").await, set(&[&creating]));
    assert_eq!(list("__SYSTEM__DELETING").await, set(&[&failed, &removing]));
    assert_eq!(list("__SYSTEM__DELETINGalice").await, set(&[&held]));
    assert_eq!(list("__SYSTEM__RESETTING").await, set(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_picks_and_all_together_pick_what_has_all() {
    let house = House::open().await;
    let (pbft, six) = (house.free(PBFT).await, house.free(PBFT_6).await);
    let noops = house.leased("alice", NOOPS).await;
    let all = set(&[&pbft, &six, &noops]);
    let host = house.host.to_string();
    for (query, want) in [
        (String::new(), all.clone()),
        ("user_id=".into(), set(&[&pbft, &six])),
        ("user_id=alice".into(), set(&[&noops])),
        ("user_id=bob".into(), set(&[])),
        ("consensus_plugin=pbft".into(), set(&[&pbft, &six])),
        ("consensus_plugin=noops".into(), set(&[&noops])),
        ("consensus_plugin=raft".into(), set(&[])),
        ("consensus_mode=batch".into(), set(&[&pbft, &six])),
        ("size=4".into(), set(&[&pbft, &noops])),
        ("size=6".into(), set(&[&six])),
        ("size=5".into(), set(&[])),
        (format!("host_id={host}"), all.clone()),
        ("host_id=0123456789abcdef01234567".into(), set(&[])),
        ("host_id=nonsense".into(), set(&[])),
        ("status=running".into(), all.clone()),
        ("status=stopped".into(), set(&[])),
        ("health=OK".into(), all.clone()),
        ("health=FAIL".into(), set(&[])),
        ("consensus_plugin=&size=&status=".into(), all.clone()),
        (format!("user_id=&consensus_plugin=pbft&size=4&host_id={host}&status=running&health=OK"), set(&[&pbft])),
    ] {
        assert_eq!(ids(&house.get(&format!("/v2/clusters?{query}")).await.ok()), want, "{query}");
    }
    assert_eq!(ids(&house.post("/v2/clusters", &json!({"size": 6})).await.ok()), set(&[&six]));
    assert_eq!(ids(&house.form("/v2/clusters", &[("size", "4"), ("user_id", "")]).await.ok()), set(&[&pbft]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_cluster_that_fails_is_given_with_its_health() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    let ill = held.seen(Vec::new(), Health::Failing { since: clock::now(), times: 1, seen: "vp1 is gone".into() });
    house.store.move_cluster(&held, &ill, None).await.unwrap();
    let again = house.get("/v2/cluster_apply?user_id=alice").await.ok();
    assert_eq!((&again["id"], &again["health"]), (&held.id.as_str().into(), &"FAIL".into()));
    assert_eq!(again["health_reason"], "vp1 is gone", "its user is told what is wrong");
    let well = house.leased("bob", PBFT).await;
    let shown = house.get(&format!("/v2/cluster/{}", well.id)).await.ok();
    assert!(shown.get("health_reason").is_none(), "one that is well looks as of old: {shown}");
    assert_eq!(ids(&house.get("/v2/clusters?health=FAIL").await.ok()), set(&[&held]));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_clusters_are_streamed_whole() {
    let house = House::open().await;
    let want: BTreeSet<String> = stream::iter(0..5000)
        .map(|_| async { house.creating(PBFT).await.id.to_string() })
        .buffer_unordered(64)
        .collect()
        .await;
    let response = house.request("GET", "/v2/clusters").timeout(Duration::from_secs(60)).send().await.unwrap();
    assert!(response.headers().get("content-length").is_none(), "its length is not known when it begins");
    let chunks: Vec<_> = response.bytes_stream().try_collect().await.unwrap();
    assert!(chunks.len() > 10, "{} chunks", chunks.len());
    let list: Value = serde_json::from_slice(&chunks.concat()).unwrap();
    assert_eq!(ids(&list["data"]), want);
    assert_eq!(list["data"].as_array().unwrap().len(), 5000);
    let few = house.get("/v2/clusters?health=FAIL").await.ok();
    assert_eq!(few, json!([]), "pages without a match leave no stray commas");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_whole_at_every_length_around_a_page() {
    let house = House::open().await;
    for length in [0usize, 1, 199, 200, 201, 400] {
        let have = ids(&house.get("/v2/clusters").await.ok()).len();
        for _ in have..length {
            house.creating(PBFT).await;
        }
        assert_eq!(ids(&house.get("/v2/clusters").await.ok()).len(), length);
    }
}

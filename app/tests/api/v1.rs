//! v1, call by call, as the contract has it.

use serde_json::json;

use super::house::{DAEMON_URL, House, NOOPS, PBFT, PBFT_6};

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_gives_the_bare_cluster_without_an_envelope() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    let answer = house.get("/v1/cluster_apply?user_id=alice").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "id": free.id.as_str(),
            "name": "host_1_0",
            "user_id": "alice",
            "daemon_url": DAEMON_URL,
            "api_url": "http://10.20.30.40:7050",
            "consensus_type": "pbft",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_needs_a_user() {
    let house = House::open().await;
    for query in ["", "?user_id=", "?consensus_type=pbft"] {
        house.get(&format!("/v1/cluster_apply{query}")).await.fail(400, "No user_id is given");
    }
    let data = house.get("/v1/cluster_apply?consensus_type=noops").await.fail(400, "No user_id is given");
    assert_eq!(data, json!({"consensus_type": "noops"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn none_free_is_told_with_the_arguments() {
    let house = House::open().await;
    let data =
        house.get("/v1/cluster_apply?user_id=bob&consensus_type=pbft").await.fail(400, "No available res for bob");
    assert_eq!(data, json!({"user_id": "bob", "consensus_type": "pbft"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_apply_gives_the_same_cluster_of_that_type() {
    let house = House::open().await;
    for flavor in [PBFT, PBFT, NOOPS, NOOPS] {
        house.free(flavor).await;
    }
    let id =
        async |query: &str| house.get(&format!("/v1/cluster_apply?user_id=alice{query}")).await.json()["id"].clone();
    let pbft = id("").await;
    assert_eq!(id("&consensus_type=pbft").await, pbft, "pbft is the default");
    let noops = id("&consensus_type=noops").await;
    assert_ne!(noops, pbft, "one a type");
    assert_eq!(id("&consensus_type=noops").await, noops);
    assert_ne!(id("&consensus_type=noops&new=1").await, noops, "new=1 ignores what she holds");
    assert_eq!(id("&new=0").await, pbft);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_parameters_choose_plugin_mode_and_size() {
    let house = House::open().await;
    for flavor in [PBFT, PBFT_6, NOOPS] {
        house.free(flavor).await;
    }
    let kind = async |user: &str, query: &str| {
        let given = house.get(&format!("/v1/cluster_apply?user_id={user}{query}")).await.json();
        let cluster = house.cluster(given["id"].as_str().unwrap()).await.unwrap();
        (cluster.flavor.to_string(), given["consensus_type"].as_str().unwrap().to_owned())
    };
    assert_eq!(kind("a", "&consensus_plugin=pbft&consensus_mode=batch&size=6").await, (PBFT_6.into(), "pbft".into()));
    assert_eq!(kind("b", "&consensus_plugin=noops").await, (NOOPS.into(), "noops".into()));
    assert_eq!(kind("c", "&size=4").await, (PBFT.into(), "pbft".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sieve_is_known_and_never_free() {
    let house = House::open().await;
    house.free(PBFT).await;
    house.get("/v1/cluster_apply?user_id=a&consensus_type=sieve").await.fail(400, "No available res for a");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nothing_is_refused_by_its_name() {
    let house = House::open().await;
    house.free(PBFT).await;
    for (query, error) in [
        ("consensus_type=raft", "Invalid consensus_type"),
        ("consensus_plugin=raft", "Invalid consensus_plugin"),
        ("consensus_plugin=pbft&consensus_mode=x", "Invalid consensus_mode"),
        ("size=four", "Invalid cluster_size"),
        ("size=5", "Invalid cluster_size"),
        ("size=-4", "Invalid cluster_size"),
        ("new=maybe", "Invalid new"),
    ] {
        house.get(&format!("/v1/cluster_apply?user_id=a&{query}")).await.fail(400, error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_by_user_releases_all_that_she_holds_and_nothing_else() {
    let house = House::open().await;
    let hers = [house.leased("alice", PBFT).await, house.leased("alice", NOOPS).await];
    let his = house.leased("bob", PBFT).await;
    let answer = house.get("/v1/cluster_release?user_id=alice").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "OK", "code": 200, "error": "", "data": ""})));
    for cluster in hers {
        assert_eq!(house.cluster(cluster.id.as_str()).await.unwrap().phase.kind().as_str(), "releasing");
    }
    assert_eq!(house.cluster(his.id.as_str()).await.unwrap().phase.kind().as_str(), "in_use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_by_cluster_releases_that_one() {
    let house = House::open().await;
    let (first, second) = (house.leased("alice", PBFT).await, house.leased("alice", PBFT).await);
    house.get(&format!("/v1/cluster_release?cluster_id={}", first.id)).await.ok();
    assert_eq!(house.cluster(first.id.as_str()).await.unwrap().phase.kind().as_str(), "releasing");
    assert_eq!(house.cluster(second.id.as_str()).await.unwrap().phase.kind().as_str(), "in_use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_needs_a_user_or_a_cluster() {
    let house = House::open().await;
    house.get("/v1/cluster_release").await.fail(400, "No user_id is given");
    house.get("/v1/cluster_release?user_id=nobody").await.ok();
}

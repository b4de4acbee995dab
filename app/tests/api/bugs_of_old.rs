//! What was wrong in the old services and must stay mended: one test a bug that this service could have.

use common::clock;
use common::model::Health;
use common::store::{EventFilter, Page};
use serde_json::json;

use super::house::{House, NOOPS, PBFT, as_wished};

#[tokio::test(flavor = "multi_thread")]
async fn allow_multiple_false_is_false() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    house.free(PBFT).await;
    for no in ["False", "false", "0", "no", ""] {
        let given = house.get(&format!("/v2/cluster_apply?user_id=alice&allow_multiple={no}")).await.ok();
        assert_eq!(given["id"], held.id.as_str(), "allow_multiple={no:?}");
    }
    assert_eq!(
        house.post("/v2/cluster_apply", &json!({"user_id": "alice", "allow_multiple": false})).await.ok()["id"],
        held.id.as_str()
    );
    assert_ne!(house.get("/v2/cluster_apply?user_id=alice&allow_multiple=True").await.ok()["id"], held.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_in_a_query_is_a_number() {
    let house = House::open().await;
    house.free(PBFT).await;
    assert_eq!(house.get("/v2/clusters?size=4").await.ok().as_array().unwrap().len(), 1);
    house.get("/v2/clusters?size=four").await.fail(400, "size must be a whole number");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_filter_is_never_a_query_for_the_database() {
    let house = House::open().await;
    house.leased("alice", PBFT).await;
    for filter in [json!({"user_id": {"$ne": ""}}), json!({"status": {"$regex": ".*"}}), json!({"host_id": ["x"]})] {
        let answer = house.post("/v2/clusters", &filter).await;
        let name = filter.as_object().unwrap().keys().next().unwrap();
        answer.fail(400, &format!("{name} must be a text, a number or a truth value"));
    }
    let all = house.post("/v2/clusters", &json!({"$where": "sleep(1000)", "user_id.x": 1})).await.ok();
    assert_eq!(all.as_array().unwrap().len(), 1, "names that are no filter are passed over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_by_user_never_touches_another_users_cluster() {
    let house = House::open().await;
    let bobs = house.leased("bob", PBFT).await;
    for user in ["alice", "Bob", "bob%20", "b", ".*", "*"] {
        let _ = house.get(&format!("/v2/cluster_release?user_id={user}")).await;
    }
    assert_eq!(house.cluster(bobs.id.as_str()).await, Some(bobs));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_not_proven_well_is_not_handed_out() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    let ill = free.seen(Vec::new(), Health::Failing { since: clock::now(), times: 1, seen: "no answer".into() });
    house.store.move_cluster(&free, &ill, None).await.unwrap();
    let unknown = house.free(NOOPS).await;
    house.store.move_cluster(&unknown, &unknown.seen(Vec::new(), Health::Unknown), None).await.unwrap();
    house.get("/v2/cluster_apply?user_id=alice").await.fail(400, "No available res for alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_cluster_outlives_a_release_of_it() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    house.get(&format!("/v2/cluster_release?cluster_id={}", free.id)).await.ok();
    house.get(&format!("/v1/cluster_release?cluster_id={}", free.id)).await.ok();
    assert_eq!(house.cluster(free.id.as_str()).await, Some(free));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_written_down_before_anything_is_destroyed() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    house.get("/v1/cluster_release?user_id=alice").await.ok();
    let after = house.cluster(held.id.as_str()).await.unwrap();
    assert!(after.lease_record().is_some(), "whoever comes next finds what was held, by whom, and that it must go");
    let about = EventFilter { cluster: Some(held.id.clone()), ..EventFilter::default() };
    assert!(!house.store.list_events(&about, &Page::first(10)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_does_not_wait_for_hosts_or_admin() {
    // No admin has ever run here, and the host's daemon is an address that answers nobody.
    let house = House::open().await;
    let free = house.free(PBFT).await;
    let given = house.get("/v2/cluster_apply?user_id=alice").await.ok();
    assert_eq!(given["id"], free.id.as_str());
    assert!(as_wished(&free).wishes_done());
}

//! v2's release, both ways to call it.

use serde_json::json;

use super::house::{House, PBFT, event};
use common::model::EventKind;
use common::store::{EventFilter, Page};

async fn phase(house: &House, id: &str) -> &'static str {
    house.cluster(id).await.unwrap().phase.kind().as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_release_a_cluster_releases_it_and_says_who() {
    let house = House::open().await;
    for way in 0..4 {
        let held = house.leased("alice", PBFT).await;
        let id = held.id.as_str();
        let answer = match way {
            0 => house.get(&format!("/v2/cluster_op?action=release&cluster_id={id}")).await,
            1 => house.form("/v2/cluster_op", &[("action", "release"), ("cluster_id", id)]).await,
            2 => house.post("/v2/cluster_release", &json!({ "cluster_id": id })).await,
            _ => house.get(&format!("/v2/cluster_release?cluster_id={id}")).await,
        };
        assert_eq!(answer.ok(), json!({}));
        assert_eq!(phase(&house, id).await, "releasing");
        let about = EventFilter { cluster: Some(held.id.clone()), ..EventFilter::default() };
        let events = house.store.list_events(&about, &Page::first(10)).await.unwrap();
        let released = events.iter().find(|event| event.kind == EventKind::Released).expect("an event");
        assert_eq!(released.reason, "released by alice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_by_user_takes_more_than_a_page_of_clusters() {
    let house = House::open().await;
    for _ in 0..120 {
        house.leased("alice", PBFT).await;
    }
    house.get("/v2/cluster_op?action=release&user_id=alice").await.ok();
    assert_eq!(house.get("/v2/clusters?user_id=alice").await.ok(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_wins_over_the_user() {
    let house = House::open().await;
    let (first, second) = (house.leased("alice", PBFT).await, house.leased("alice", PBFT).await);
    house.get(&format!("/v2/cluster_release?user_id=alice&cluster_id={}", first.id)).await.ok();
    assert_eq!(phase(&house, first.id.as_str()).await, "releasing");
    assert_eq!(phase(&house, second.id.as_str()).await, "in_use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_without_anything_is_refused_with_the_text_of_the_call() {
    let house = House::open().await;
    house.get("/v2/cluster_op?action=release").await.fail(400, "No cluster_id is given");
    house.get("/v2/cluster_release").await.fail(400, "cluster_release without id");
    house.form("/v2/cluster_release", &[("cluster_id", "")]).await.fail(400, "cluster_release without id");
}

#[tokio::test(flavor = "multi_thread")]
async fn releasing_what_nobody_holds_is_ok_and_changes_nothing() {
    let house = House::open().await;
    let gone = house.leased("alice", PBFT).await;
    let (free, creating) = (house.free(PBFT).await, house.creating(PBFT).await);
    house.get(&format!("/v2/cluster_release?cluster_id={}", gone.id)).await.ok();
    let once = house.cluster(gone.id.as_str()).await.unwrap();
    for id in [free.id.as_str(), creating.id.as_str(), gone.id.as_str(), "0123456789abcdef01234567", "nonsense", "%00"]
    {
        assert_eq!(house.get(&format!("/v2/cluster_release?cluster_id={id}")).await.ok(), json!({}), "{id}");
    }
    house.get("/v2/cluster_release?user_id=nobody").await.ok();
    assert_eq!(house.cluster(free.id.as_str()).await.as_ref(), Some(&free));
    assert_eq!(house.cluster(creating.id.as_str()).await.as_ref(), Some(&creating));
    assert_eq!(house.cluster(gone.id.as_str()).await.as_ref(), Some(&once), "released once, not twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_survives_a_reconciler_that_writes_all_the_time() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    let store = house.store.clone();
    let id = held.id.clone();
    let writer = tokio::spawn(async move {
        while let Some(cluster) = store.cluster(&id).await.unwrap() {
            if cluster.phase.kind().as_str() != "in_use" {
                return;
            }
            // Losing to the release is what ends this.
            let _ = store
                .move_cluster(&cluster, &super::house::as_wished(&cluster), Some(event(EventKind::HealthChanged)))
                .await;
        }
    });
    // Losing ten times in a row is told as a failure that may be tried again.
    super::house::wait_until("released", || async {
        house.get(&format!("/v2/cluster_release?cluster_id={}", held.id)).await.status == 200
    })
    .await;
    writer.await.unwrap();
    assert_eq!(phase(&house, held.id.as_str()).await, "releasing");
}

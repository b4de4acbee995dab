//! start, stop and restart: written down, waited for, and told as done only when it is seen done.

use std::time::{Duration, Instant};

use common::model::{ClusterId, EventKind, Want};
use common::store::{EventFilter, Page};
use serde_json::json;

use super::house::{House, PBFT, wait_until};

/// Plays the reconciler for one wish: waits until it is written, then makes it so.
async fn carry_out_the_next_wish(house: &House, id: &ClusterId) {
    wait_until("a wish is written", || async { !house.store.cluster(id).await.unwrap().unwrap().wishes_done() }).await;
    house.carry_out(id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_start_and_restart_wait_until_it_is_done() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    for (action, status) in [("stop", "stopped"), ("start", "running"), ("restart", "running")] {
        let path = format!("/v2/cluster_op?action={action}&cluster_id={}", held.id);
        let (answer, ()) = tokio::join!(house.get(&path), carry_out_the_next_wish(&house, &held.id));
        assert_eq!(answer.ok(), json!({}), "{action}");
        assert_eq!(house.get(&format!("/v2/cluster/{}", held.id)).await.ok()["status"], status);
    }
    let after = house.cluster(held.id.as_str()).await.unwrap();
    assert!(after.wishes.values().all(|wish| wish.want == Want::Running && wish.restart_seq == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_woken_by_the_change_and_not_by_the_clock() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    // The first wait begins the watch; what is measured is a wait beside a watch that runs.
    for round in 0..3 {
        let action = if round % 2 == 0 { "stop" } else { "start" };
        let path = format!("/v2/cluster_op?action={action}&cluster_id={}", held.id);
        let done = async {
            carry_out_the_next_wish(&house, &held.id).await;
            Instant::now()
        };
        let (answer, done) = tokio::join!(
            async {
                house.get(&path).await.ok();
                Instant::now()
            },
            done
        );
        let late = answer.saturating_duration_since(done);
        assert!(round == 0 || late < Duration::from_millis(700), "woken {late:?} after the change: by the slow tick");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_stopped_alone() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    let path = format!("/v2/cluster_op?action=stop&node_id=vp2&cluster_id={}", held.id);
    let (answer, ()) = tokio::join!(house.get(&path), carry_out_the_next_wish(&house, &held.id));
    answer.ok();
    let after = house.cluster(held.id.as_str()).await.unwrap();
    let stopped: Vec<_> =
        after.wishes.iter().filter(|(_, wish)| wish.want == Want::Stopped).map(|(n, _)| n.as_str()).collect();
    assert_eq!(stopped, ["vp2"]);
    assert_eq!(house.get(&format!("/v2/cluster/{}", held.id)).await.ok()["status"], "running");
    let about = EventFilter { cluster: Some(held.id.clone()), ..EventFilter::default() };
    let events = house.store.list_events(&about, &Page::first(10)).await.unwrap();
    assert!(events.iter().any(|event| event.kind == EventKind::Wished && event.reason == "stop vp2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_done_at_once_and_writes_nothing() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    house.get(&format!("/v2/cluster_op?action=start&cluster_id={}", held.id)).await.ok();
    assert_eq!(house.cluster(held.id.as_str()).await.as_ref(), Some(&held));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_in_time_fails_and_goes_on() {
    let house = House::with_wait(Duration::from_millis(150)).await;
    let held = house.leased("alice", PBFT).await;
    for action in ["stop", "start", "restart"] {
        // Wanted stopped and never seen so; then wanted running, which it still is.
        let answer = house.get(&format!("/v2/cluster_op?action={action}&cluster_id={}", held.id)).await;
        if action == "start" {
            answer.ok();
        } else {
            answer.fail(400, &format!("cluster {action} failed"));
        }
    }
    let after = house.cluster(held.id.as_str()).await.unwrap();
    assert!(after.wishes.values().all(|wish| wish.restart_seq == 1), "the wish stays written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_goes_while_one_waits_is_a_failure_at_once() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    let path = format!("/v2/cluster_op?action=stop&cluster_id={}", held.id);
    let release = async {
        wait_until("a wish is written", || async {
            !house.store.cluster(&held.id).await.unwrap().unwrap().wishes_done()
        })
        .await;
        house.get("/v2/cluster_release?user_id=alice").await.ok();
    };
    let (answer, ()) = tokio::join!(house.get(&path), release);
    answer.fail(400, "cluster stop failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_nodes_of_leased_clusters_can_be_wished_about() {
    let house = House::open().await;
    let creating = house.creating(PBFT).await;
    let held = house.leased("alice", PBFT).await;
    for action in ["start", "stop", "restart"] {
        let op = format!("/v2/cluster_op?action={action}");
        house.get(&op).await.fail(400, "No cluster_id is given");
        let failed = format!("cluster {action} failed");
        for id in [creating.id.as_str(), "0123456789abcdef01234567", "nonsense"] {
            house.get(&format!("{op}&cluster_id={id}")).await.fail(400, &failed);
        }
        for node in ["vp9", "VP0", "../x", "%00"] {
            house.get(&format!("{op}&cluster_id={}&node_id={node}", held.id)).await.fail(400, &failed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_empty_the_pool_by_stopping_free_clusters() {
    let house = House::open().await;
    let free = house.free(PBFT).await;
    house.get(&format!("/v2/cluster_op?action=stop&cluster_id={}", free.id)).await.fail(400, "cluster stop failed");
    assert_eq!(house.cluster(free.id.as_str()).await.as_ref(), Some(&free));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_actions_are_unknown() {
    let house = House::open().await;
    for query in ["", "?action=", "?action=destroy", "?action=Apply"] {
        house.get(&format!("/v2/cluster_op{query}")).await.fail(400, "Unknown action type");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_share_one_watch() {
    let house = House::open().await;
    let mut held = Vec::new();
    for n in 0..20 {
        held.push(house.leased(&format!("user{n}"), PBFT).await);
    }
    let paths: Vec<_> = held.iter().map(|c| format!("/v2/cluster_op?action=stop&cluster_id={}", c.id)).collect();
    let asks = futures_util::future::join_all(paths.iter().map(|path| house.get(path)));
    let does = futures_util::future::join_all(held.iter().map(|c| carry_out_the_next_wish(&house, &c.id)));
    let (answers, _) = tokio::join!(asks, does);
    for answer in answers {
        answer.ok();
    }
}

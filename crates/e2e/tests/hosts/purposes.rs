//! What operators want of a host is carried out, through restarts, and said.

use common::clock;
use common::model::*;
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;

use super::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_cleaned_of_what_nobody_holds_and_filled_up_once() {
    let (_sim, pool) = full(3).await;
    let held = take(&pool, "alice").await;
    pool.until("2 free, 1 in_use").await;
    want(&pool, HostPurpose::Clean(asked())).await;
    let done = until_done(&pool).await;
    assert_eq!(done, "cleaned as otto asked: users hold 1; it is not kept filled any more");
    assert_eq!(pool.summary().await, "1 in_use");
    assert!(!pool.store.host(&pool.host).await.unwrap().unwrap().settings.autofill);
    let removed = events(&pool).await;
    assert!(removed.iter().any(|event| event.reason == "clean of its host, asked by otto"), "{removed:#?}");

    want(&pool, HostPurpose::FillUp(asked())).await;
    assert_eq!(until_done(&pool).await, "filled up as otto asked: it has 3 clusters");
    pool.until("2 free, 1 in_use").await;
    // Once: what is given back now is not made again.
    release(&pool, &held, "alice").await;
    pool.until("2 free").await;
    pool.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_host_stays_drained_through_a_restart_until_it_is_ended() {
    let (_sim, mut pool) = full(2).await;
    let held = take(&pool, "alice").await;
    pool.until("1 free, 1 in_use").await;
    want(&pool, HostPurpose::Drain(asked())).await;
    pool.until("1 in_use").await;
    until_said(&pool, "drained, asked by otto").await;
    pool.stop_reconciler().await;
    pool.start_reconciler();
    until_said(&pool, "drained, asked by otto").await;
    release(&pool, &held, "alice").await;
    pool.until("none").await;
    until_said(&pool, "0 in use").await;
    want(&pool, HostPurpose::Serve).await;
    pool.until("2 free").await;
    pool.end().await.unwrap();
}

/// Leases first, then all of ours, with and without a record, then what was confirmed; and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_waits_for_users_then_removes_ours_and_what_was_confirmed() {
    let (sim, mut pool) = full(2).await;
    let held = take(&pool, "alice").await;
    let confirmed = stranger(&sim, "web").await;
    stranger(&sim, "other").await;
    let thing = ForeignThing { kind: ForeignKind::Container, id: confirmed.clone(), name: "web".into() };
    // Gone and made anew under the same name: another thing, that nobody confirmed.
    let old = ForeignThing { kind: ForeignKind::Container, id: "0".repeat(64), name: "other".into() };
    want(&pool, HostPurpose::Reset { asked: asked(), foreign: vec![thing, old] }).await;
    until_said(&pool, "resetting, asked by otto: it waits for users: 1 in use").await;
    pool.until("1 in_use").await;
    assert!(sim.container(&confirmed).is_some(), "foreign things go last");
    // Nothing is made, and it goes on where it was.
    pool.stop_reconciler().await;
    pool.start_reconciler();
    release(&pool, &held, "alice").await;
    let done = until_done(&pool).await;
    assert!(done.starts_with("reset as otto asked: nothing of ours is left; foreign things"), "{done}");
    assert!(done.contains("container web"), "{done}");
    assert!(sim.container(&confirmed).is_none());
    assert!(sim.container("other").is_some(), "what was not confirmed is not touched");
    pool.until("2 free").await;
    pool.end().await.unwrap();
}

/// A container of ours without a record, which a crash may leave behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_sweeps_what_has_no_record() {
    let (sim, pool) = full(1).await;
    let cluster = pool.clusters().await.remove(0);
    let twin = ClusterId::random();
    let body = serde_json::json!({
        "Image": "poolmanager/fabricsim:0.6",
        "Labels": labels_of(&sim, &cluster, &twin),
    });
    want(&pool, HostPurpose::Drain(asked())).await;
    pool.until("none").await;
    let (status, answer) = sim.call("POST", "/containers/create?name=left-behind", &body.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    want(&pool, HostPurpose::Reset { asked: asked(), foreign: Vec::new() }).await;
    // The engine tells of starts, not of makings: the next full look may be far, so have one now.
    wait_until("it to be swept", PATIENCE, || async {
        if sim.container("left-behind").is_none() { Ok(()) } else { Err(words(&pool)) }
    })
    .await;
    pool.until("1 free").await;
    pool.end().await.unwrap();
}

/// The labels of a node of a cluster, with another cluster's id.
fn labels_of(
    sim: &simdocker::SimHost,
    cluster: &Cluster,
    id: &ClusterId,
) -> std::collections::BTreeMap<String, String> {
    let of_it = |c: &simdocker::ContainerSnapshot| c.labels.values().any(|value| *value == cluster.id.to_string());
    let one = sim.containers().into_iter().find(of_it).unwrap();
    let other =
        |(key, value): (String, String)| (key, if value == cluster.id.to_string() { id.to_string() } else { value });
    one.labels.into_iter().map(other).collect()
}

/// Whoever wants something else of the host meanwhile wins.
#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_was_taken_back_is_not_gone_on_with() {
    let (sim, pool) = full(2).await;
    let held = take(&pool, "alice").await;
    let web = stranger(&sim, "web").await;
    let thing = ForeignThing { kind: ForeignKind::Container, id: web.clone(), name: "web".into() };
    want(&pool, HostPurpose::Reset { asked: asked(), foreign: vec![thing] }).await;
    pool.until("1 in_use").await;
    want(&pool, HostPurpose::Serve).await;
    pool.until("1 free, 1 in_use").await;
    pool.change(&held.id, |c| c.release("alice", clock::now()).ok()).await.unwrap();
    pool.until("2 free").await;
    assert!(sim.container(&web).is_some());
    ended(pool).await;
}

async fn ended(pool: Pool) {
    pool.end().await.unwrap();
}

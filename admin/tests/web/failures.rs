//! What was kept of clusters that failed.

use std::time::Duration;

use common::clock::now;
use common::model::{Actor, Cluster, Event, EventKind, Evidence, NodeEvidence, NodeName, NodeState, Timing, Why};
use serde_json::json;

use crate::support::House;

const CODE: &str = "<script>alert('log')</script>";

/// A cluster that failed, was removed, and of which this was kept.
pub async fn failure(house: &House, slot: u16) -> Cluster {
    let hosts = house.store.list_hosts().await.unwrap();
    let cluster = house.add_cluster(&hosts[0], slot).await;
    let why = Why::CreateFailed { error: format!("vp0 ended: {CODE}") };
    let failed = cluster.fail(why.clone(), now()).unwrap();
    let event = |kind| Event::new(now(), kind, Actor::Reconciler, why.to_string()).about(&cluster);
    house.store.move_cluster(&cluster, &failed, Some(event(EventKind::Failed))).await.unwrap();
    let evidence = Evidence {
        cluster: cluster.id.clone(),
        name: cluster.name.clone(),
        host: cluster.host.clone(),
        host_name: cluster.host_name.clone(),
        flavor: cluster.flavor.clone(),
        why: why.clone(),
        created_at: cluster.created_at,
        failed_at: now() + Duration::from_millis(u64::from(slot)),
        timings: vec![Timing { what: "bring up".into(), at: now(), took_ms: 1234 }],
        plan: json!({"services": {"vp0": {"image": "x:1"}}}).to_string(),
        nodes: vec![NodeEvidence {
            node: Some(NodeName::parse("vp0").unwrap()),
            container: format!("{}-vp0", cluster.name),
            state: NodeState::Exited,
            exit_code: Some(137),
            oom_killed: true,
            restarts: 2,
            log: vec!["panic: no room".into(), CODE.into()],
            inspect: "{\"State\": {\"Status\": \"exited\"".into(),
        }],
        missing: vec!["the log of vp1: it was gone".into()],
    };
    house.store.put_evidence(&evidence).await.unwrap();
    let removing = failed.remove(why.clone(), now()).unwrap();
    house.store.move_cluster(&failed, &removing, Some(event(EventKind::Removing))).await.unwrap();
    house.store.vanish(&removing, event(EventKind::Removed)).await.unwrap();
    cluster
}

#[tokio::test]
async fn a_failure_is_listed_and_shown_with_logs_though_the_cluster_is_gone() {
    let house = House::new().await;
    house.add_host("h1").await;
    let gone = failure(&house, 0).await;
    let mut browser = house.browser_of("vera").await;
    let path = format!("/clusters/{}/evidence", gone.id);
    browser.get("/clusters?type=failed").await.is(200).has("could not be made: vp0 ended").has(&path);
    browser.get("/events?kind=failed").await.has(&path);
    browser.get(&format!("/clusters/{}", gone.id)).await.is(404).has("Cluster h1_0 is gone").has(&path);
    let page = browser.get(&path).await;
    page.is(200).has("Why h1_0 failed").has("panic: no room").has("for want of memory, exit code 137");
    page.has("1234 ms").has("the log of vp1: it was gone").has("&lt;script&gt;").has("2 times, by the engine");
    assert!(!page.text.contains("<script>"), "what a container wrote is text");
    let whole = browser.get(&format!("/api/v1/clusters/{}/evidence", gone.id)).await.is(200).json();
    assert_eq!((&whole["why"], &whole["nodes"][0]["exit_code"]), (&json!("create_failed"), &json!(137)));
    assert_eq!(whole["nodes"][0]["log"][0], "panic: no room");
    let listed = browser.get("/api/v1/evidence").await.is(200).json();
    assert_eq!(listed["items"][0]["cluster_id"], gone.id.as_str());
    assert_eq!(listed["items"][0]["nodes"], json!(null), "the list is without logs");
    house.end().await;
}

#[tokio::test]
async fn failures_come_in_parts_latest_first_and_by_host() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    for slot in 0..5 {
        failure(&house, slot).await;
    }
    let mut browser = house.browser_of("vera").await;
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let part = browser.get(&format!("/api/v1/evidence?limit=2&host={}{after}", host.id)).await.json();
        names.extend(part["items"].as_array().unwrap().iter().map(|one| one["cluster_name"].clone()));
        match part["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["h1_4", "h1_3", "h1_2", "h1_1", "h1_0"]);
    let none = browser.get("/api/v1/evidence?host=0123456789abcdef01234567").await.json();
    assert_eq!(none["items"], json!([]));
    browser.get("/api/v1/evidence?host=x").await.is(422);
    browser.get("/api/v1/evidence?user=x").await.is(422);
    house.end().await;
}

#[tokio::test]
async fn what_was_not_kept_is_said_to_be_so() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let free = house.add_free(&host, 0).await;
    let mut browser = house.browser_of("vera").await;
    for path in [format!("/clusters/{}/evidence", free.id), format!("/api/v1/clusters/{}/evidence", free.id)] {
        browser.get(&path).await.is(404).has("either the cluster did not fail, or it is too long ago");
    }
    browser.get("/clusters?type=failed").await.has("None that is still known");
    house.end().await;
}

//! What is kept of a cluster that failed, and that nothing waits for it.

use std::time::Instant;

use common::model::*;
use common::store::Page;
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;
use simdocker::{FaultKind, FaultRule};

use super::support::*;

/// Breaks the pool's one free cluster; its id, once another is there in its place.
async fn broken(pool: &Pool, sim: &simdocker::SimHost) -> ClusterId {
    let cluster = pool.clusters().await.remove(0);
    let vp1 = cluster.nodes[&NodeName::parse("vp1").unwrap()].container.clone().unwrap();
    assert!(sim.print(&vp1, "the last thing that it said"));
    let (status, answer) = sim.call("POST", &format!("/containers/{vp1}/kill"), "").await;
    assert!(status < 300, "{answer}");
    wait_until("it to be replaced", PATIENCE, || async {
        let now = pool.clusters().await;
        let other = now.iter().any(|c| c.id != cluster.id && c.phase.kind() == PhaseKind::Free);
        if other && now.len() == 1 { Ok(()) } else { Err(format!("{}; {}", pool.summary().await, words(pool))) }
    })
    .await;
    cluster.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_clusters_plan_timings_states_and_last_words_are_kept() {
    let (sim, pool) = full(1).await;
    let id = broken(&pool, &sim).await;
    let evidence = pool.store.evidence(&id).await.unwrap().expect("evidence of it");
    assert!(matches!(&evidence.why, Why::Unhealthy { seen } if seen.contains("vp1 is not running")), "{evidence:?}");
    let vp1 = evidence.nodes.iter().find(|node| node.node.as_ref().is_some_and(|name| name.as_str() == "vp1")).unwrap();
    assert_eq!((vp1.state, vp1.exit_code), (NodeState::Exited, Some(137)));
    assert!(vp1.log.iter().any(|line| line.contains("the last thing that it said")), "{:?}", vp1.log);
    assert!(vp1.inspect.contains("CORE_PEER_ID") && evidence.nodes.len() == 4, "{}", vp1.inspect);
    // Names of variables, no values of theirs.
    let plan: serde_json::Value = serde_json::from_str(&evidence.plan).unwrap();
    assert_eq!(plan["services"].as_array().map(Vec::len), Some(4));
    assert!(evidence.plan.contains("CORE_PEER_NETWORKID") && !evidence.plan.contains(&format!("\"{id}\"")));
    assert!(!vp1.inspect.contains(id.as_str()) || !vp1.inspect.contains(&format!("NETWORKID={id}")));
    assert!(evidence.timings.iter().any(|timing| timing.what == "called failed"), "{:?}", evidence.timings);
    assert_eq!(evidence.missing, Vec::<String>::new());
    pool.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_making_that_failed_are_kept() {
    let sim = sim().await;
    sim.faults().add(FaultRule::next("POST", "/containers/*/start", FaultKind::error(400, "no such device")));
    let pool = Pool::start(&sim.url(), &sim.address().to_string(), 1, &[FLAVOR]).await.unwrap();
    let kept = wait_until("evidence", PATIENCE, || async {
        let kept = pool.store.list_evidence(None, &Page::first(9)).await.unwrap();
        kept.into_iter().next().ok_or_else(|| words(&pool))
    })
    .await;
    assert!(matches!(&kept.why, Why::CreateFailed { error } if error.contains("no such device")), "{kept:?}");
    assert!(kept.timings.iter().any(|timing| timing.what.starts_with("brought up: ")), "{:?}", kept.timings);
    pool.until("1 free").await;
    pool.end().await.unwrap();
}

/// What the engine does not tell is a gap in the evidence, no reason to wait.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_cannot_be_had_is_said_to_be_missing() {
    let (sim, pool) = full(1).await;
    sim.faults().add(FaultRule::next("GET", "/containers/*/logs", FaultKind::error(500, "no log driver")).for_ever());
    let begun = Instant::now();
    let id = broken(&pool, &sim).await;
    println!("replaced, without logs, after {} ms", begun.elapsed().as_millis());
    let evidence = pool.store.evidence(&id).await.unwrap().expect("evidence of it");
    let gaps = format!("{:?} {:?}", evidence.missing, evidence.nodes);
    assert!(gaps.contains("no log driver"), "{gaps}");
    sim.faults().clear();
    pool.end().await.unwrap();
}

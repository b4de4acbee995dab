//! Each fault, and a fault at every call in turn.

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use serde_json::json;
use simdocker::{FaultKind, FaultRule, Latency, Outcome, SimHost};

use crate::support::{act, ask, bring_up, delete, docker, get, host, message, post, request, wait_state, wait_until};

async fn list(docker: &Docker) -> Result<usize, Error> {
    Ok(docker.list_networks(None).await?.len())
}

#[tokio::test]
async fn a_call_is_refused_reset_answered_with_an_error_or_cut() {
    let host = host().await;
    let docker = docker(&host);
    for kind in [FaultKind::Refuse, FaultKind::Reset, FaultKind::Cut, FaultKind::LoseAnswer] {
        host.faults().add(FaultRule::next("GET", "/networks", kind.clone()));
        let error = list(&docker).await.unwrap_err();
        assert!(!matches!(error, Error::DockerResponseServerError { .. }), "{kind:?}: {error:?}");
        assert_eq!(list(&docker).await.unwrap(), 3, "only the next one is struck");
    }
    host.faults().add(FaultRule::next("GET", "/networks", FaultKind::error(500, "disk on fire")));
    let refused = get(&host, "/v1.41/networks").await;
    assert_eq!((refused.0, message(&refused)), (500, "disk on fire"));
}

#[tokio::test]
async fn a_call_that_hangs_is_answered_never() {
    let host = host().await;
    host.faults().add(FaultRule::next("GET", "/info", FaultKind::Hang));
    let silent = tokio::time::timeout(Duration::from_millis(150), get(&host, "/info")).await;
    assert!(silent.is_err(), "{silent:?}");
    assert_eq!(host.journal().calls()[0].outcome, Outcome::Pending);
    assert_eq!(get(&host, "/info").await.0, 200);
}

#[tokio::test]
async fn an_answer_that_is_lost_or_cut_was_carried_out_and_a_refused_call_was_not() {
    let host = host().await;
    let make = async |name: &str, kind: FaultKind| {
        host.faults().add(FaultRule::next("POST", "/volumes/create", kind));
        let address = host.url().strip_prefix("tcp://").unwrap().parse().unwrap();
        request(address, "POST", "/volumes/create", Some(json!({ "Name": name }))).await
    };
    assert!(make("lost", FaultKind::LoseAnswer).await.is_err());
    assert!(make("cut", FaultKind::Cut).await.is_err());
    assert!(make("refused", FaultKind::Refuse).await.is_err());
    assert!(make("reset", FaultKind::Reset).await.is_err());
    assert_eq!(make("lie", FaultKind::Lie).await.unwrap().0, 201);
    assert_eq!(host.volumes(), ["cut", "lost"]);
}

#[tokio::test]
async fn what_is_withheld_or_slow_is_carried_out_though_the_caller_goes() {
    let host = host().await;
    for (name, kind) in [("withheld", FaultKind::Withhold), ("slow", FaultKind::Slow { by_ms: 300 })] {
        host.faults().add(FaultRule::next("POST", "/volumes/create", kind));
        let silent =
            tokio::time::timeout(Duration::from_millis(100), post(&host, "/volumes/create", json!({ "Name": name })));
        assert!(silent.await.is_err(), "{name}");
    }
    wait_until("both volumes", async || match host.volumes() {
        volumes if volumes == ["slow", "withheld"] => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn what_is_short_of_memory_is_killed_says_so_and_comes_back() {
    let host = host().await;
    bring_up(&host, "oom", "10.9.1.0/24", 1, 7050).await;
    assert!(host.run_out_of_memory("oom_vp0"));
    let seen = get(&host, "/containers/oom_vp0/json").await.1;
    assert!(seen["State"]["OOMKilled"] == json!(true) || seen["State"]["Running"] == json!(true), "{seen}");
    wait_state(&host, "oom_vp0", "running").await;
    assert_eq!(get(&host, "/containers/oom_vp0/json").await.1["State"]["OOMKilled"], json!(false));
}

#[tokio::test]
async fn a_lie_says_done_and_does_nothing() {
    let host = host().await;
    bring_up(&host, "lied", "10.9.1.0/24", 1, 7050).await;
    for (method, path) in [("POST", "/containers/lied_vp0/stop"), ("DELETE", "/containers/lied_vp0")] {
        host.faults().add(FaultRule::next(method, path, FaultKind::Lie));
        assert_eq!(ask(&host, method, path, None).await.0, 204);
        assert_eq!(host.container("lied_vp0").unwrap().state, "running");
    }
    host.faults().add(FaultRule::next("GET", "/containers/json", FaultKind::Lie));
    assert_eq!(get(&host, "/containers/json").await, (200, json!([])));
}

#[tokio::test]
async fn a_container_dies_later() {
    let host = host().await;
    let die = FaultKind::DieLater { after_ms: 1, exit_code: 9 };
    host.faults().add(FaultRule::next("POST", "/containers/*/start", die.clone()));
    bring_up(&host, "dies", "10.9.1.0/24", 0, 7050).await;
    let mut body = crate::support::peer_body("dies", 0, 1, 7050);
    body["HostConfig"]["RestartPolicy"]["Name"] = json!("no");
    assert_eq!(post(&host, "/containers/create?name=d1", body.clone()).await.0, 201);
    assert_eq!(act(&host, "/containers/d1/start").await.0, 204);
    wait_state(&host, "d1", "exited").await;
    assert_eq!(host.container("d1").unwrap().exit_code, 9);
    host.faults().add(FaultRule::next("POST", "/containers/create", die));
    assert_eq!(post(&host, "/containers/create?name=d2", body).await.0, 201);
    assert_eq!(act(&host, "/containers/d2/start").await.0, 204);
    wait_state(&host, "d2", "exited").await;
}

#[tokio::test]
async fn latency_slows_every_call_and_slow_only_one() {
    let host = host().await;
    let timed = async || {
        let start = Instant::now();
        assert_eq!(get(&host, "/_ping").await.0, 200);
        start.elapsed()
    };
    host.faults().add(FaultRule::next("GET", "/_ping", FaultKind::slow(Duration::from_millis(80))));
    assert!(timed().await >= Duration::from_millis(80));
    host.set_latency(Latency { least: Duration::from_millis(60), jitter: Duration::ZERO });
    assert!(timed().await >= Duration::from_millis(60));
}

/// A small up, which gives up at the first call that fails.
async fn small_up(host: &SimHost) -> Result<(), String> {
    let at = host.url().strip_prefix("tcp://").unwrap().parse().unwrap();
    let call = async |method: &str, path: &str, body| match request(at, method, path, body).await {
        Ok((status, _)) if status < 400 => Ok(()),
        other => Err(format!("{path}: {other:?}")),
    };
    let network = json!({"Name": "up", "CheckDuplicate": true, "IPAM": {"Config": [{"Subnet": "10.9.1.0/24"}]}});
    call("POST", "/networks/create", Some(network)).await?;
    let body = crate::support::peer_body("up", 0, 1, 7050);
    call("POST", "/containers/create?name=up_vp0", Some(body)).await?;
    call("POST", "/containers/up_vp0/start", None).await?;
    call("GET", "/containers/up_vp0/json", None).await
}

#[tokio::test]
async fn a_fault_can_be_put_at_every_call_in_turn() {
    let clean = host().await;
    small_up(&clean).await.unwrap();
    let calls = clean.journal().count();
    assert_eq!(calls, 4);
    for nth in 1..=calls {
        let host = host().await;
        host.faults().add(FaultRule::at_call(nth, FaultKind::error(500, "now")));
        small_up(&host).await.unwrap_err();
        assert_eq!(host.journal().count(), nth, "it gave up there");
        let last = host.journal().calls().pop().unwrap();
        assert_eq!((last.fault, last.outcome), (Some("error"), Outcome::Answered(500)));
        assert_eq!(host.containers().len(), usize::from(nth > 2));
    }
}

#[tokio::test]
async fn faults_and_the_rest_can_be_set_over_http() {
    let host = host().await;
    let rule = json!({"method": "GET", "path": "/info", "times": null, "fault": {"kind": "error", "status": 503, "message": "m"}});
    let added = post(&host, "/_sim/faults", rule).await;
    assert_eq!(added, (201, json!({"id": 1})));
    assert_eq!((get(&host, "/info").await.0, get(&host, "/info").await.0), (503, 503));
    let (_, listed) = get(&host, "/_sim/faults").await;
    assert_eq!((&listed[0]["struck"], &listed[0]["path"]), (&json!(2), &json!("/info")));
    assert_eq!(delete(&host, "/_sim/faults/1").await.0, 204);
    assert_eq!(get(&host, "/info").await.0, 200);
    let (_, journal) = get(&host, "/_sim/journal").await;
    assert_eq!(journal["count"], 3);
    assert_eq!(journal["calls"][0]["outcome"], json!({"answered": 503}));
    assert_eq!(delete(&host, "/_sim/journal").await.0, 204);
    assert_eq!(host.journal().count(), 0);
    assert_eq!(ask(&host, "PUT", "/_sim/latency", Some(json!({"least_ms": 1}))).await.0, 204);
    let wrong = post(&host, "/_sim/faults", json!({"fault": {"kind": "nope"}})).await;
    assert_eq!(wrong.0, 400, "{wrong:?}");
    assert_eq!(get(&host, "/_sim/nope").await.0, 404);
}

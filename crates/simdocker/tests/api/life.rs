//! What becomes of a container's process: restart policies, kill, wait, health.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use simdocker::SimHost;

use crate::support::{act, docker, get, host, post, wait_state, wait_until};

const IMAGE: &str = "poolmanager/fabricsim:0.6";

async fn run(host: &SimHost, name: &str, body: Value) {
    let mut whole = json!({ "Image": IMAGE });
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    assert_eq!(post(host, &format!("/containers/create?name={name}"), whole).await.0, 201);
    assert_eq!(act(host, &format!("/containers/{name}/start")).await.0, 204);
}

fn policy(name: &str) -> Value {
    json!({"HostConfig": {"RestartPolicy": {"Name": name}}})
}

#[tokio::test]
async fn a_crashed_process_comes_back_and_is_counted() {
    let host = host().await;
    run(&host, "crash", policy("unless-stopped")).await;
    for round in 1..=3 {
        assert!(host.crash_process("crash", 2));
        wait_until("the restart", async || match host.container("crash") {
            Some(c) if c.state == "running" && c.restart_count == round => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
    assert_eq!(act(&host, "/containers/crash/restart").await.0, 204);
    assert_eq!(host.container("crash").unwrap().restart_count, 0, "a start by hand counts anew");
}

#[tokio::test]
async fn docker_kill_counts_as_a_stop_by_hand() {
    let host = host().await;
    for name in ["unless-stopped", "always", "on-failure"] {
        run(&host, name, policy(name)).await;
        assert_eq!(act(&host, &format!("/containers/{name}/kill")).await.0, 204);
        let seen = host.container(name).unwrap();
        assert_eq!((seen.state.as_str(), seen.exit_code, seen.restart_count), ("exited", 137, 0));
    }
    // Whoever died by itself meanwhile has been started again, so these had their time.
    run(&host, "other", policy("always")).await;
    assert!(host.crash_process("other", 1));
    wait_until("the other's restart", async || match host.container("other") {
        Some(c) if c.restart_count == 1 && c.state == "running" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    for name in ["unless-stopped", "always", "on-failure"] {
        assert_eq!(host.container(name).unwrap().state, "exited");
    }
}

#[tokio::test]
async fn on_failure_gives_up_after_its_count() {
    let host = host().await;
    let body = json!({
        "Env": ["SIMDOCKER_EXIT_AFTER_MS=1", "SIMDOCKER_EXIT_CODE=4"],
        "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}},
    });
    run(&host, "tries", body).await;
    wait_until("its giving up", async || match host.container("tries") {
        Some(c) if c.state == "exited" && c.restart_count == 2 && c.exit_code == 4 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_process_without_a_policy_stays_dead() {
    let host = host().await;
    run(&host, "once", json!({"Env": ["SIMDOCKER_EXIT_AFTER_MS=1", "SIMDOCKER_EXIT_CODE=3"]})).await;
    wait_state(&host, "once", "exited").await;
    let (_, seen) = get(&host, "/containers/once/json").await;
    assert_eq!((&seen["State"]["ExitCode"], &seen["RestartCount"]), (&json!(3), &json!(0)));
}

#[tokio::test]
async fn wait_gives_the_exit_code_once_it_is_known() {
    let host = host().await;
    run(&host, "awaited", json!({})).await;
    let docker = docker(&host);
    let mut waiting = docker.wait_container("awaited", None);
    let first = tokio::time::timeout(Duration::from_millis(100), waiting.next()).await;
    assert!(first.is_err(), "answered while it runs: {first:?}");
    assert!(host.crash_process("awaited", 0));
    assert_eq!(waiting.next().await.unwrap().unwrap().status_code, 0);
}

#[tokio::test]
async fn a_health_check_turns_healthy_and_says_so() {
    let host = host().await;
    run(&host, "well", json!({"Healthcheck": {"Test": ["CMD", "/fabricsim", "healthcheck"]}})).await;
    run(&host, "ill", json!({"Healthcheck": {"Test": ["CMD", "x"]}, "Env": ["SIMDOCKER_UNHEALTHY=1"]})).await;
    for (name, status) in [("well", "healthy"), ("ill", "unhealthy")] {
        wait_until("its health", async || {
            let (_, seen) = get(&host, &format!("/containers/{name}/json")).await;
            if seen["State"]["Health"]["Status"] == status { Ok(()) } else { Err(seen["State"].to_string()) }
        })
        .await;
    }
    let (_, list) = get(&host, "/containers/json").await;
    assert!(list[1]["Status"].as_str().unwrap().ends_with("(healthy)"), "{list}");
}

#[tokio::test]
async fn an_auto_remove_container_goes_with_its_process() {
    let host = host().await;
    run(&host, "brief", json!({"HostConfig": {"AutoRemove": true}, "Volumes": {"/data": {}}})).await;
    assert_eq!(host.volumes().len(), 1);
    assert!(host.crash_process("brief", 0));
    assert_eq!(host.container("brief"), None);
    assert!(host.volumes().is_empty());
}

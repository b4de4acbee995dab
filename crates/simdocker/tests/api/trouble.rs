//! Rules of trouble on demand: memory, health, disk, processes that end.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use simdocker::SimHost;

use crate::support::{DEADLINE, act, ask, delete, docker, get, host, message, post, wait_state, wait_until};

const IMAGE: &str = "poolmanager/fabricsim:0.6";

async fn run(host: &SimHost, name: &str, body: Value) {
    let mut whole = json!({ "Image": IMAGE });
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    assert_eq!(post(host, &format!("/containers/create?name={name}"), whole).await.0, 201);
    assert_eq!(act(host, &format!("/containers/{name}/start")).await.0, 204);
}

async fn state(host: &SimHost, name: &str) -> Value {
    get(host, &format!("/containers/{name}/json")).await.1["State"].clone()
}

#[tokio::test]
async fn a_process_killed_for_want_of_memory_says_so_until_it_is_started_again() {
    let host = host().await;
    let docker = docker(&host);
    let past = bollard::query_parameters::EventsOptionsBuilder::default().since("0").build();
    run(&host, "greedy", json!({"HostConfig": {"RestartPolicy": {"Name": "no"}}})).await;
    assert!(host.run_out_of_memory("greedy"));
    let dead = state(&host, "greedy").await;
    assert_eq!((&dead["OOMKilled"], &dead["ExitCode"], &dead["Status"]), (&json!(true), &json!(137), &json!("exited")));
    assert!(host.container("greedy").unwrap().oom_killed && !host.run_out_of_memory("greedy"));
    assert_eq!(act(&host, "/containers/greedy/start").await.0, 204);
    assert_eq!(state(&host, "greedy").await["OOMKilled"], json!(false));
    assert_eq!(act(&host, "/_sim/containers/greedy/oom").await.0, 204);
    assert_eq!(act(&host, "/_sim/containers/greedy/oom").await.0, 404);
    let mut events = docker.events(Some(past));
    let mut told: Vec<String> = Vec::new();
    while told.last().is_none_or(|last| last != "die") {
        let event = tokio::time::timeout(DEADLINE, events.next()).await.unwrap();
        told.push(event.unwrap().unwrap().action.unwrap());
    }
    assert_eq!(told[told.len() - 2..], ["oom", "die"], "{told:?}");
}

#[tokio::test]
async fn a_restart_policy_brings_back_what_was_killed_for_want_of_memory() {
    let host = host().await;
    run(&host, "peer", json!({"HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}}})).await;
    assert!(host.run_out_of_memory("peer"));
    wait_until("it is back", async || match host.container("peer") {
        Some(c) if c.state == "running" && c.restart_count == 1 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_check_changes_its_mind_when_it_is_told_to() {
    let host = host().await;
    run(&host, "plain", json!({})).await;
    assert!(!host.set_health("plain", false), "it has no check");
    run(&host, "checked", json!({"Healthcheck": {"Test": ["CMD", "x"]}})).await;
    let docker = docker(&host);
    let filters = std::collections::HashMap::from([("event", vec!["health_status"])]);
    let options = bollard::query_parameters::EventsOptionsBuilder::default().filters(&filters).since("0").build();
    let mut events = docker.events(Some(options));
    let mut next = async || {
        let event = tokio::time::timeout(DEADLINE, events.next()).await.unwrap();
        event.unwrap().unwrap().action.unwrap()
    };
    assert_eq!(next().await, "health_status: healthy");
    assert_eq!(post(&host, "/_sim/containers/checked/health", json!({"healthy": false})).await.0, 204);
    assert_eq!(next().await, "health_status: unhealthy");
    assert_eq!(state(&host, "checked").await["Health"]["Status"], json!("unhealthy"));
    assert!(host.set_health("checked", true));
    assert_eq!(state(&host, "checked").await["Health"]["FailingStreak"], json!(0));
}

#[tokio::test]
async fn a_full_disk_refuses_all_that_is_new_and_lets_everything_go() {
    let host = host().await;
    run(&host, "old", json!({"Volumes": {"/data": {}}})).await;
    run(&host, "ended", json!({})).await;
    assert_eq!(act(&host, "/containers/ended/stop").await.0, 204);
    assert_eq!(ask(&host, "PUT", "/_sim/disk", Some(json!({"full": true}))).await.0, 204);
    let refused = [
        post(&host, "/containers/create?name=new", json!({ "Image": IMAGE })).await,
        post(&host, "/volumes/create", json!({"Name": "new"})).await,
        post(&host, "/networks/create", json!({"Name": "new"})).await,
        act(&host, "/containers/ended/start").await,
    ];
    for answer in refused {
        assert!(answer.0 == 500 && message(&answer).contains("no space left on device"), "{answer:?}");
    }
    assert_eq!(host.container("ended").unwrap().state, "exited");
    assert_eq!(host.container("old").unwrap().state, "running");
    assert_eq!(act(&host, "/containers/old/stop").await.0, 204);
    assert_eq!(delete(&host, "/containers/old?v=1").await.0, 204);
    assert!(host.volumes().is_empty());
    host.set_disk_full(false);
    assert_eq!(act(&host, "/containers/ended/start").await.0, 204);
}

#[tokio::test]
async fn a_container_may_fail_from_a_start_on_that_is_chosen() {
    let host = host().await;
    run(&host, "second", json!({"Env": ["SIMDOCKER_EXIT_FROM_START=2", "SIMDOCKER_EXIT_CODE=5"]})).await;
    assert_eq!(act(&host, "/containers/second/restart").await.0, 204);
    wait_state(&host, "second", "exited").await;
    assert_eq!(host.container("second").unwrap().exit_code, 5);
    assert_eq!(act(&host, "/containers/second/start").await.0, 204);
    wait_state(&host, "second", "exited").await;
}

#[tokio::test]
async fn a_doomed_container_ends_after_its_next_start_or_at_once_if_it_runs() {
    let host = host().await;
    run(&host, "doomed", json!({})).await;
    host.doom("doomed", Duration::ZERO, 3);
    wait_state(&host, "doomed", "exited").await;
    let doom = post(&host, "/_sim/containers/doomed/doom", json!({"exit_code": 4})).await;
    assert_eq!(doom.0, 204);
    assert_eq!(act(&host, "/containers/doomed/start").await.0, 204);
    wait_until("its end", async || match host.container("doomed") {
        Some(c) if c.state == "exited" && c.exit_code == 4 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(act(&host, "/containers/doomed/start").await.0, 204);
    assert!(host.pause("doomed") && !host.pause("doomed"));
    assert!(host.unpause("doomed") && !host.unpause("doomed"));
    assert!(host.kill("doomed") && !host.kill("doomed"));
    assert_eq!(host.container("doomed").unwrap().exit_code, 137);
}

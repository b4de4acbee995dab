//! The event stream: order, shapes, filters, past and end.

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use serde_json::{Value, json};
use simdocker::SimHost;
use std::collections::HashMap;

use crate::support::{act, bring_up, delete, docker, filters, get, host};

/// Everything that happened, as lines of JSON.
async fn past(host: &SimHost, wanted: Value) -> Vec<Value> {
    // All of it is before now, and an end in the past ends the stream.
    let (_, info) = get(host, "/info").await;
    let now = info["SystemTime"].as_str().unwrap();
    let path = format!("/events?since=0&until={now}&filters={}", filters(wanted));
    let (_, body) = get(host, &path).await;
    let text = match body {
        Value::String(text) => text,
        Value::Null => String::new(),
        one => one.to_string(),
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn brief(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| format!("{} {}", event["Type"].as_str().unwrap(), event["Action"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_life_is_told_in_dockers_order() {
    let host = host().await;
    bring_up(&host, "life", "10.9.1.0/24", 1, 7050).await;
    assert_eq!(act(&host, "/containers/life_vp0/stop").await.0, 204);
    assert_eq!(act(&host, "/containers/life_vp0/restart").await.0, 204);
    assert_eq!(delete(&host, "/containers/life_vp0?force=1&v=1").await.0, 204);
    assert_eq!(delete(&host, "/networks/life").await.0, 204);
    let told = brief(&past(&host, json!({})).await);
    let expected = [
        "network create",
        "container create",
        "network connect",
        "container start",
        "container kill",
        "container die",
        "network disconnect",
        "container stop",
        "network connect",
        "container start",
        "container restart",
        "container kill",
        "container die",
        "network disconnect",
        "container destroy",
        "network destroy",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_event_has_dockers_shape() {
    let host = host().await;
    bring_up(&host, "shape", "10.9.1.0/24", 1, 7050).await;
    assert_eq!(act(&host, "/containers/shape_vp0/kill").await.0, 204);
    let id = host.container("shape_vp0").unwrap().id;
    let dies = past(&host, json!({"event": ["die"], "container": ["shape_vp0"]})).await;
    let [die] = dies.as_slice() else { panic!("{dies:?}") };
    let image = "poolmanager/fabricsim:0.6";
    let attributes = json!({
        "com.docker.compose.project": "shape", "com.docker.compose.service": "vp0", "exitCode": "137",
        "image": image, "name": "shape_vp0",
    });
    assert_eq!(die["Actor"], json!({"ID": id, "Attributes": attributes}));
    assert_eq!((&die["status"], &die["id"], &die["from"]), (&json!("die"), &json!(id), &json!(image)));
    assert_eq!(die["timeNano"].as_i64().unwrap() / 1_000_000_000, die["time"].as_i64().unwrap());
    let joined = past(&host, json!({"type": ["network"], "event": ["connect"]})).await;
    assert_eq!(joined[0]["Actor"]["Attributes"], json!({"container": id, "name": "shape", "type": "bridge"}));
    assert_eq!(joined[0].get("status"), None);
}

#[tokio::test]
async fn a_label_matches_containers_and_never_networks() {
    let host = host().await;
    bring_up(&host, "label", "10.9.1.0/24", 1, 7050).await;
    let told = past(&host, json!({"label": ["com.docker.compose.project=label"]})).await;
    assert_eq!(brief(&told), ["container create", "container start"]);
    assert!(past(&host, json!({"label": ["net=label"]})).await.is_empty());
}

#[tokio::test]
async fn bollard_hears_what_happens_from_now_on() {
    let host = host().await;
    let docker = docker(&host);
    let only = HashMap::from([("type", vec!["container"]), ("event", vec!["start", "die"])]);
    let wanted = EventsOptionsBuilder::default().filters(&only).build();
    let mut stream = docker.events(Some(wanted));
    // The stream is open once its head is here, which bollard asks for when it is first polled.
    let (first, ()) = tokio::join!(stream.next(), async {
        crate::support::wait_until("the listener", async || {
            let (_, info) = get(&host, "/info").await;
            if info["NEventsListener"] == 1 { Ok(()) } else { Err(info["NEventsListener"].to_string()) }
        })
        .await;
        bring_up(&host, "live", "10.9.1.0/24", 1, 7050).await;
    });
    assert_eq!(first.unwrap().unwrap().action.as_deref(), Some("start"));
    assert!(host.crash_process("live_vp0", 1));
    let die = stream.next().await.unwrap().unwrap();
    assert_eq!(die.action.as_deref(), Some("die"));
    assert_eq!(die.actor.and_then(|actor| actor.attributes).unwrap()["exitCode"], "1");
}

#[tokio::test]
async fn a_start_that_fails_tells_of_no_start() {
    let host = host().await;
    bring_up(&host, "ok", "10.9.1.0/24", 1, 7050).await;
    bring_up(&host, "late", "10.9.2.0/24", 0, 7050).await;
    let body = crate::support::peer_body("late", 0, 1, 7050);
    assert_eq!(crate::support::post(&host, "/containers/create?name=late_vp0", body).await.0, 201);
    assert_eq!(act(&host, "/containers/late_vp0/start").await.0, 500);
    let told = past(&host, json!({"container": ["late_vp0"]})).await;
    assert_eq!(brief(&told), ["container create"]);
    let told = past(&host, json!({"network": ["late"]})).await;
    assert_eq!(brief(&told), ["network create", "network disconnect"], "as seen on engine 20.10");
}

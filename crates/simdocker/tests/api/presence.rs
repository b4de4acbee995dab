//! The host as a whole: by socket and by TCP, down and up, and its end.

use bollard::Docker;
use serde_json::json;
use simdocker::{Listen, SimHost, SimOptions, SimSwarm};

use crate::support::{bring_up, docker, get, host, listed, port, post, request, wait_until};

#[tokio::test]
async fn it_speaks_by_unix_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let host = SimHost::start(SimOptions { listen: Listen::Unix(path.clone()), ..SimOptions::fresh() }).await.unwrap();
    assert_eq!(host.url(), format!("unix://{}", path.display()));
    let docker = Docker::connect_with_unix(path.to_str().unwrap(), 5, bollard::API_DEFAULT_VERSION).unwrap();
    assert_eq!(docker.ping().await.unwrap(), "OK");
    let again = SimHost::start(SimOptions { listen: Listen::Unix(path.clone()), ..SimOptions::fresh() }).await;
    assert!(again.is_err(), "two on one socket");
    host.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_host_that_is_down_refuses_all_and_comes_back_with_what_it_had() {
    let host = host().await;
    bring_up(&host, "down", "10.9.1.0/24", 2, 7050).await;
    let url = host.url();
    host.go_down();
    assert!(docker(&host).ping().await.is_err());
    let refused = port(&host, 7050, "/chain").await.unwrap_err();
    assert!(refused.contains("refused"), "{refused}");
    assert_eq!(host.container("down_vp0").unwrap().state, "running");
    host.come_up().await.unwrap();
    assert_eq!(host.url(), url);
    assert_eq!(listed(&host, 7050).await, ["vp0", "vp1"]);
}

#[tokio::test]
async fn a_host_can_be_taken_down_for_a_while_over_http() {
    let host = host().await;
    assert_eq!(post(&host, "/_sim/down", json!({"for_ms": 300})).await.0, 204);
    let at = host.url().strip_prefix("tcp://").unwrap().parse().unwrap();
    wait_until("its going", async || {
        request(at, "GET", "/_ping", None).await.map_or(Ok(()), |a| Err(format!("{a:?}")))
    })
    .await;
    wait_until("its return", async || request(at, "GET", "/_ping", None).await).await;
}

#[tokio::test]
async fn an_open_event_stream_breaks_when_the_host_goes_down() {
    use futures_util::StreamExt;
    let host = host().await;
    let docker = docker(&host);
    let mut events = docker.events(None);
    let (end, ()) = tokio::join!(events.next(), async {
        wait_until("the listener", async || {
            let (_, info) = get(&host, "/info").await;
            if info["NEventsListener"] == 1 { Ok(()) } else { Err(info["NEventsListener"].to_string()) }
        })
        .await;
        host.go_down();
    });
    assert!(end.is_none_or(|end| end.is_err()));
}

#[tokio::test]
async fn after_its_end_nothing_answers() {
    let host = host().await;
    bring_up(&host, "end", "10.9.1.0/24", 1, 7050).await;
    let (address, url) = (host.address(), host.url());
    host.shutdown().await;
    let api = url.strip_prefix("tcp://").unwrap().parse().unwrap();
    for at in [api, (address, 7050).into()] {
        assert!(request(at, "GET", "/_ping", None).await.unwrap_err().contains("refused"), "{at}");
    }
}

#[tokio::test]
async fn hosts_differ_in_id_and_say_what_they_are() {
    let (one, two) = (host().await, host().await);
    let (_, first) = get(&one, "/info").await;
    let (_, second) = get(&two, "/v1.41/info").await;
    assert_ne!(first["ID"], second["ID"]);
    assert_eq!(first["ID"], one.engine_id());
    assert_eq!(first["Swarm"]["LocalNodeState"], "inactive");
    let manager = SimHost::start(SimOptions { swarm: SimSwarm::Manager, ..SimOptions::fresh() }).await.unwrap();
    let info = docker(&manager).info().await.unwrap();
    let swarm = info.swarm.unwrap();
    assert_eq!(swarm.control_available, Some(true));
    let (status, _) = get(&one, "/services").await;
    assert_eq!(status, 503);
    let version = docker(&one).version().await.unwrap();
    assert_eq!(version.api_version.as_deref(), Some("1.41"));
}

#[tokio::test]
async fn it_does_not_listen_where_others_could_reach_it() {
    let listen = Listen::Tcp("0.0.0.0:0".parse().unwrap());
    let refused = SimHost::start(SimOptions { listen, ..SimOptions::fresh() }).await.unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

//! Containers: made, listed, inspected, refused, removed, in Docker's shapes and words.

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::support::{act, bring_up, delete, docker, filters, get, host, message, post};

const IMAGE: &str = "poolmanager/fabricsim:0.6";

#[tokio::test]
async fn bollard_makes_starts_lists_inspects_and_removes_a_container() {
    let host = host().await;
    let docker = docker(&host).negotiate_version().await.unwrap();
    assert_eq!(docker.client_version().to_string(), "1.41");
    let binding = PortBinding { host_ip: Some("0.0.0.0".to_owned()), host_port: Some("7050".to_owned()) };
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        env: Some(vec!["CORE_PEER_ID=vp0".to_owned()]),
        labels: Some(HashMap::from([("pool".to_owned(), "p1".to_owned())])),
        exposed_ports: Some(vec!["7050/tcp".to_owned()]),
        host_config: Some(HostConfig {
            memory: Some(64 << 20),
            pids_limit: Some(64),
            port_bindings: Some(HashMap::from([("7050/tcp".to_owned(), Some(vec![binding]))])),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
                maximum_retry_count: None,
            }),
            cap_drop: Some(vec!["ALL".to_owned()]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let named = CreateContainerOptionsBuilder::default().name("solo").build();
    let made = docker.create_container(Some(named), body).await.unwrap();
    docker.start_container(&made.id, None).await.unwrap();
    docker.start_container(&made.id, None).await.unwrap();
    let labelled = HashMap::from([("label", vec!["pool=p1"])]);
    let wanted = ListContainersOptionsBuilder::default().filters(&labelled).build();
    let list = docker.list_containers(Some(wanted)).await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].names.as_deref(), Some(&["/solo".to_owned()][..]));
    let seen = docker.inspect_container("solo", None).await.unwrap();
    assert_eq!(seen.id.as_deref(), Some(made.id.as_str()));
    assert_eq!(seen.state.and_then(|state| state.running), Some(true));
    let config = seen.host_config.unwrap();
    assert_eq!((config.memory, config.memory_swap, config.pids_limit), (Some(64 << 20), Some(128 << 20), Some(64)));
    let ports = seen.network_settings.and_then(|settings| settings.ports).unwrap();
    assert_eq!(ports["7050/tcp"].as_ref().unwrap()[0].host_port.as_deref(), Some("7050"));
    let with_force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    docker.remove_container("solo", Some(with_force)).await.unwrap();
    assert!(host.containers().is_empty());
}

#[tokio::test]
async fn refusals_have_dockers_status_and_words() {
    let host = host().await;
    let made = post(&host, "/containers/create?name=a1", json!({ "Image": IMAGE })).await;
    let id = made.1["Id"].as_str().unwrap().to_owned();
    let twice = post(&host, "/v1.41/containers/create?name=a1", json!({ "Image": IMAGE })).await;
    assert_eq!(twice.0, 409);
    assert_eq!(
        message(&twice),
        format!(
            "Conflict. The container name \"/a1\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
        )
    );
    let cases = [
        (post(&host, "/containers/create?name=x1", json!({"Image": "nosuch:9"})).await, 404, "No such image: nosuch:9"),
        (
            post(&host, "/containers/create", json!({})).await,
            400,
            "Config cannot be empty in order to create a container",
        ),
        (
            post(&host, "/containers/create?name=bad%2Fname", json!({ "Image": IMAGE })).await,
            400,
            "Invalid container name (bad/name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
        (
            post(&host, "/containers/create", json!({"Image": IMAGE, "HostConfig": {"Memory": 1000}})).await,
            400,
            "Minimum memory limit allowed is 6MB",
        ),
        (
            post(
                &host,
                "/containers/create",
                json!({"Image": IMAGE, "HostConfig": {"RestartPolicy": {"Name": "foo"}}}),
            )
            .await,
            400,
            "invalid restart policy 'foo'",
        ),
        (act(&host, "/containers/nosuch/start").await, 404, "No such container: nosuch"),
        (get(&host, "/containers/nosuch/json").await, 404, "No such container: nosuch"),
        (delete(&host, "/containers/nosuch").await, 404, "No such container: nosuch"),
        (act(&host, "/containers/a1/kill?signal=NOPE").await, 400, "Invalid signal: NOPE"),
        (get(&host, "/containers/a1/logs").await, 400, "Bad parameters: you must choose at least one stream"),
        (get(&host, "/nothing").await, 404, "page not found"),
        (get(&host, "/v1.53/info").await, 400, "client version 1.53 is too new. Maximum supported API version is 1.41"),
    ];
    for (answer, status, text) in cases {
        assert_eq!((answer.0, message(&answer)), (status, text));
    }
    let states = [
        (act(&host, "/containers/a1/stop").await, 304, String::new()),
        (
            act(&host, "/containers/a1/kill").await,
            409,
            format!("Cannot kill container: a1: Container {id} is not running"),
        ),
        (act(&host, "/containers/a1/pause").await, 409, format!("Container {id} is not running")),
        (act(&host, "/containers/a1/unpause").await, 500, format!("Container {id} is not paused")),
    ];
    for (answer, status, text) in states {
        assert_eq!((answer.0, message(&answer).to_owned()), (status, text));
    }
    assert_eq!(act(&host, "/containers/a1/start").await.0, 204);
    assert_eq!(act(&host, "/containers/a1/start").await.0, 304);
    let running = delete(&host, "/containers/a1").await;
    assert_eq!(
        (running.0, message(&running)),
        (
            409,
            format!(
                "You cannot remove a running container {id}. Stop the container before attempting removal or force remove"
            )
            .as_str()
        )
    );
}

#[tokio::test]
async fn a_port_that_is_taken_fails_the_start_and_leaves_nothing_held() {
    let host = host().await;
    bring_up(&host, "first", "10.9.1.0/24", 1, 7050).await;
    let body = json!({
        "Image": IMAGE, "HostConfig": {"PortBindings": {"7050/tcp": [{"HostIp": "0.0.0.0", "HostPort": "7050"}]}},
    });
    assert_eq!(post(&host, "/containers/create?name=second", body).await.0, 201);
    let refused = act(&host, "/containers/second/start").await;
    assert_eq!(refused.0, 500);
    let text = message(&refused);
    assert!(text.starts_with("driver failed programming external connectivity on endpoint second ("), "{text}");
    assert!(text.ends_with("): Bind for 0.0.0.0:7050 failed: port is already allocated"), "{text}");
    let (_, seen) = get(&host, "/containers/second/json").await;
    assert_eq!(seen["State"]["Status"], "created");
    assert_eq!(seen["State"]["ExitCode"], 128);
    assert_eq!(seen["State"]["Error"], text);
    assert_eq!(seen["NetworkSettings"]["Networks"]["bridge"]["IPAddress"], "");
    assert_eq!(act(&host, "/containers/first_vp0/stop").await.0, 204);
    assert_eq!(act(&host, "/containers/second/start").await.0, 204);
}

#[tokio::test]
async fn a_port_held_outside_docker_is_told_apart() {
    let host = host().await;
    let taken = std::net::TcpListener::bind((host.address(), 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let body = json!({
        "Image": IMAGE, "HostConfig": {"PortBindings": {"7050/tcp": [{"HostPort": port.to_string()}]}},
    });
    assert_eq!(post(&host, "/containers/create?name=clash", body).await.0, 201);
    let refused = act(&host, "/containers/clash/start").await;
    let end = format!("listen tcp4 0.0.0.0:{port}: bind: address already in use");
    assert_eq!((refused.0, message(&refused).ends_with(&end)), (500, true), "{refused:?}");
}

#[tokio::test]
async fn a_random_port_is_chosen_and_shown() {
    let host = host().await;
    let body = json!({"Image": IMAGE, "HostConfig": {"PortBindings": {"7050/tcp": [{"HostPort": "0"}]}}});
    assert_eq!(post(&host, "/containers/create?name=random", body).await.0, 201);
    assert_eq!(act(&host, "/containers/random/start").await.0, 204);
    let port = host.container("random").unwrap().ports[0].host_port;
    assert!(port >= 32768, "{port}");
    assert_eq!(crate::support::port(&host, port, "/chain").await.unwrap().0, 200);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let host = host().await;
    bring_up(&host, "f", "10.9.1.0/24", 3, 7050).await;
    assert_eq!(act(&host, "/containers/f_vp1/stop").await.0, 204);
    assert_eq!(act(&host, "/containers/f_vp2/pause").await.0, 204);
    let names = async |query: &str| -> Vec<String> {
        let (status, list) = get(&host, &format!("/containers/json?{query}")).await;
        assert_eq!(status, 200, "{list}");
        let name = |entry: &Value| entry["Names"][0].as_str().unwrap().trim_start_matches("/f_").to_owned();
        list.as_array().unwrap().iter().map(name).collect()
    };
    let with = |all: u8, wanted: Value| format!("all={all}&filters={}", filters(wanted));
    assert_eq!(names("").await, ["vp2", "vp0"], "the newest first, and only what runs");
    assert_eq!(names("all=1").await, ["vp2", "vp1", "vp0"]);
    assert_eq!(names("all=1&limit=1").await, ["vp2"]);
    assert_eq!(names(&with(0, json!({"status": ["exited", "paused"]}))).await, ["vp2", "vp1"]);
    assert_eq!(names(&with(1, json!({"name": ["^/f_vp0$"]}))).await, ["vp0"]);
    assert_eq!(names(&with(1, json!({"network": {"f": true}}))).await, ["vp2", "vp1", "vp0"]);
    assert_eq!(names(&with(1, json!({"network": ["other"]}))).await, [""; 0]);
    assert_eq!(
        names(&with(1, json!({"label": ["com.docker.compose.project=f", "com.docker.compose.service=vp1"]}))).await,
        ["vp1"]
    );
    let wrong = get(&host, &format!("/containers/json?filters={}", filters(json!({"foo": ["x"]})))).await;
    assert_eq!((wrong.0, message(&wrong)), (400, "Invalid filter 'foo'"));
    let wrong = get(&host, &format!("/containers/json?filters={}", filters(json!({"status": ["foo"]})))).await;
    assert_eq!((wrong.0, message(&wrong)), (400, "Invalid filter 'status=foo'"));
}

#[tokio::test]
async fn inspect_shows_what_was_asked_for_and_what_came_of_it() {
    let host = host().await;
    bring_up(&host, "look", "10.9.7.0/24", 1, 7050).await;
    let (_, seen) = get(&host, "/containers/look_vp0/json").await;
    let id = seen["Id"].as_str().unwrap();
    assert_eq!(seen["Path"], "/fabricsim");
    assert_eq!(seen["Args"], json!(["peer", "node", "start"]));
    assert_eq!(seen["HostConfig"]["NetworkMode"], "look");
    assert_eq!(seen["HostConfig"]["LogConfig"], json!({"Type": "json-file", "Config": {"max-size": "1m"}}));
    assert_eq!(seen["HostConfig"]["RestartPolicy"], json!({"Name": "unless-stopped", "MaximumRetryCount": 0}));
    assert_eq!(seen["Config"]["Hostname"], id[..12]);
    let exposed: Vec<&String> = seen["Config"]["ExposedPorts"].as_object().unwrap().keys().collect();
    assert_eq!(exposed, ["7050/tcp", "7051/tcp", "7052/tcp", "7053/tcp"]);
    let network = &seen["NetworkSettings"]["Networks"]["look"];
    assert_eq!(network["IPAddress"], "10.9.7.2");
    assert_eq!(network["Gateway"], "10.9.7.1");
    assert_eq!(network["MacAddress"], "02:42:0a:09:07:02");
    assert_eq!(network["Aliases"], json!(["vp0", &id[..12]]));
    let both = json!([{"HostIp": "0.0.0.0", "HostPort": "7050"}, {"HostIp": "::", "HostPort": "7050"}]);
    assert_eq!(seen["NetworkSettings"]["Ports"]["7050/tcp"], both);
    assert_eq!(seen["NetworkSettings"]["Ports"]["7051/tcp"], Value::Null);
}

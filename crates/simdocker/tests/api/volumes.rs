//! Volumes: named ones stay, anonymous ones go with their container if asked.

use serde_json::json;

use crate::support::{delete, filters, get, host, message, post};

const IMAGE: &str = "poolmanager/fabricsim:0.6";

#[tokio::test]
async fn named_volumes_outlive_their_container_and_anonymous_ones_need_not() {
    let host = host().await;
    let body = json!({
        "Image": IMAGE, "Volumes": {"/anon": {}},
        "HostConfig": {"Mounts": [
            {"Type": "volume", "Source": "kept", "Target": "/data"}, {"Type": "volume", "Target": "/more"},
        ]},
    });
    assert_eq!(post(&host, "/containers/create?name=holder", body).await.0, 201);
    assert_eq!(host.volumes().len(), 3);
    let id = host.container("holder").unwrap().id;
    let busy = delete(&host, "/volumes/kept").await;
    assert_eq!((busy.0, message(&busy)), (409, format!("remove kept: volume is in use - [{id}]").as_str()));
    assert_eq!(delete(&host, "/containers/holder?v=1").await.0, 204);
    assert_eq!(host.volumes(), ["kept"]);
    assert_eq!(delete(&host, "/volumes/kept").await.0, 204);
    let gone = delete(&host, "/volumes/kept").await;
    assert_eq!((gone.0, message(&gone)), (404, "get kept: no such volume"));
}

#[tokio::test]
async fn without_v_anonymous_volumes_are_orphaned_as_on_a_real_engine() {
    let host = host().await;
    let body = json!({"Image": IMAGE, "Volumes": {"/anon": {}}});
    assert_eq!(post(&host, "/containers/create?name=orphaner", body).await.0, 201);
    assert_eq!(delete(&host, "/containers/orphaner").await.0, 204);
    let (_, list) = get(&host, &format!("/volumes?filters={}", filters(json!({"dangling": ["true"]})))).await;
    assert_eq!(list["Volumes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_volume_twice_is_the_same_volume() {
    let host = host().await;
    let first = post(&host, "/volumes/create", json!({"Name": "vv", "Labels": {"a": "1"}})).await;
    let second = post(&host, "/volumes/create", json!({"Name": "vv"})).await;
    assert_eq!(first, second);
    assert_eq!(first.1["Labels"], json!({"a": "1"}));
    let (_, list) = get(&host, &format!("/volumes?filters={}", filters(json!({"label": ["a=1"]})))).await;
    assert_eq!(list["Volumes"][0], first.1);
    assert_eq!(post(&host, "/volumes/create", json!({"Name": "b/d"})).await.0, 400);
}

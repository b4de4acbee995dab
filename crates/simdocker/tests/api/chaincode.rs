//! The image that starts chaincode beside itself, as Fabric does: unlabelled, on the cluster's network, its name unique.

use serde_json::json;

use crate::support::{act, bring_up, delete, get, host, post};

#[tokio::test]
async fn a_peer_starts_an_unlabelled_container_beside_itself_that_outlives_it() {
    let host = host().await;
    bring_up(&host, "cc", "10.9.1.0/24", 0, 7050).await;
    let body = json!({
        "Image": "poolmanager/chaincode-starter:test",
        "Env": ["CORE_PEER_ID=vp0", "CORE_PEER_NETWORKID=c1x", "CORE_VM_DOCKER_HOSTCONFIG_NETWORKMODE=cc"],
        "Labels": {"ours": "1"},
        "HostConfig": {"NetworkMode": "cc"},
    });
    assert_eq!(post(&host, "/containers/create?name=cc_vp0", body).await.0, 201);
    assert_eq!(act(&host, "/containers/cc_vp0/start").await.0, 204);
    let containers = host.containers();
    let child = containers.iter().find(|container| container.name != "cc_vp0").unwrap();
    let digits = child.name.strip_prefix("c1x-vp0-").unwrap();
    assert!(digits.len() == 128 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{digits}");
    assert_eq!((child.state.as_str(), child.image == child.name, child.labels.len()), ("running", true, 0));
    assert!(child.addresses.contains_key("cc"));
    assert!(host.images().contains(&format!("{}:latest", child.name)));
    assert_eq!(delete(&host, "/containers/cc_vp0?force=1").await.0, 204);
    let left = host.containers();
    assert_eq!((left.len(), left[0].state.as_str()), (1, "exited"));
    let (_, network) = get(&host, "/networks/cc").await;
    assert_eq!(network["Containers"], json!({}));
    assert_eq!(delete(&host, &format!("/containers/{}", left[0].name)).await.0, 204);
    assert_eq!(delete(&host, &format!("/images/{}", left[0].name)).await.0, 200);
}

//! Images: there, pulled, refused, removed.

use bollard::query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder};
use futures_util::StreamExt;
use serde_json::json;
use simdocker::{PullOutcome, SimHost, SimImage, SimOptions};
use std::collections::HashMap;

use crate::support::{act, delete, docker, get, message, post};

async fn host() -> SimHost {
    let mut options = SimOptions::fresh();
    options.images.push(SimImage::peer("registry.example/peer:1").pullable());
    let broken = PullOutcome::BreaksMidway("unexpected EOF".to_owned());
    options.images.push(SimImage { pull: broken, ..SimImage::peer("broken:1") });
    SimHost::start(options).await.unwrap()
}

async fn pull(host: &SimHost, name: &str, tag: &str) -> Result<Vec<String>, bollard::errors::Error> {
    let wanted = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
    let docker = docker(host);
    let mut stream = docker.create_image(Some(wanted), None, None);
    let mut said = Vec::new();
    while let Some(step) = stream.next().await {
        said.extend(step?.status);
    }
    Ok(said)
}

#[tokio::test]
async fn a_pull_brings_an_image_and_a_second_one_finds_it() {
    let host = host().await;
    let missing = get(&host, "/images/registry.example/peer:1/json").await;
    assert_eq!(
        (missing.0, message(&missing)),
        (404, "no such image: registry.example/peer:1: No such image: registry.example/peer:1")
    );
    let said = pull(&host, "registry.example/peer", "1").await.unwrap();
    assert_eq!(said.first().unwrap(), "Pulling from registry.example/peer");
    assert_eq!(said.last().unwrap(), "Status: Downloaded newer image for registry.example/peer:1");
    let again = pull(&host, "registry.example/peer", "1").await.unwrap();
    assert_eq!(again.last().unwrap(), "Status: Image is up to date for registry.example/peer:1");
    let reference = HashMap::from([("reference", vec!["registry.example/peer:1"])]);
    let wanted = ListImagesOptionsBuilder::default().filters(&reference).build();
    let list = docker(&host).list_images(Some(wanted)).await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].repo_tags, ["registry.example/peer:1"]);
}

#[tokio::test]
async fn a_pull_that_cannot_be_says_why() {
    let host = host().await;
    match pull(&host, "nosuch", "9").await.unwrap_err() {
        bollard::errors::Error::DockerResponseServerError { status_code: 404, message } => {
            assert!(message.starts_with("pull access denied for nosuch, repository does not exist"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    match pull(&host, "broken", "1").await.unwrap_err() {
        bollard::errors::Error::DockerStreamError { error } => assert_eq!(error, "unexpected EOF"),
        other => panic!("{other:?}"),
    }
    assert_eq!(get(&host, "/images/broken:1/json").await.0, 404);
}

#[tokio::test]
async fn an_image_in_use_is_kept_unless_forced_and_another_name_is_only_a_name() {
    let host = host().await;
    const NAME: &str = "poolmanager/fabricsim:0.6";
    assert_eq!(act(&host, &format!("/images/{NAME}/tag?repo=other&tag=2")).await.0, 201);
    let untagged = delete(&host, "/images/other:2").await;
    assert_eq!(untagged, (200, json!([{"Untagged": "other:2"}])));
    assert_eq!(post(&host, "/containers/create?name=user", json!({ "Image": NAME })).await.0, 201);
    let refused = delete(&host, &format!("/images/{NAME}")).await;
    assert_eq!(refused.0, 409);
    assert!(message(&refused).contains("(must force) - container"), "{refused:?}");
    let forced = delete(&host, &format!("/images/{NAME}?force=1")).await;
    assert_eq!(forced.1[0], json!({"Untagged": NAME}));
    let (_, list) = get(&host, "/containers/json?all=1").await;
    assert!(list[0]["Image"].as_str().unwrap().starts_with("sha256:"), "{list}");
    let gone = delete(&host, &format!("/images/{NAME}")).await;
    assert_eq!((gone.0, message(&gone)), (404, format!("No such image: {NAME}").as_str()));
}

//! The examples of docs/api.md, run as a reader would run them.

use std::process::Command;

use common::store::ClusterFilter;
use common::store::Page;
use serde_json::Value;

use super::house::{House, NOOPS, PBFT};

/// A shell example, and the answer that the page shows right after it.
fn examples() -> Vec<(String, Option<Value>)> {
    let page = include_str!("../../../docs/api.md");
    let mut examples: Vec<(String, Option<Value>)> = Vec::new();
    for block in page.split("\n```").skip(1) {
        if let Some(command) = block.strip_prefix("sh\n") {
            examples.push((command.to_owned(), None));
        } else if let Some(answer) = block.strip_prefix("json\n") {
            examples.last_mut().unwrap().1 = Some(serde_json::from_str(answer).unwrap());
        }
    }
    examples
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_page_work_and_answer_as_it_says() {
    let house = House::open().await;
    let examples = examples();
    assert!(examples.len() > 10);
    for (command, shown) in examples {
        house.get("/v2/cluster_release?user_id=alice").await.ok();
        for flavor in [PBFT, PBFT, NOOPS] {
            house.free(flavor).await;
        }
        let held = house.leased("alice", PBFT).await;
        let run = {
            let (app, id) = (format!("http://{}", house.address), held.id.to_string());
            tokio::task::spawn_blocking(move || {
                Command::new("sh").args(["-euc", &command]).env("APP", app).env("ID", id).output().unwrap()
            })
        };
        let reconciler = async {
            loop {
                for cluster in house.store.list_clusters(&ClusterFilter::default(), &Page::first(500)).await.unwrap() {
                    if cluster.phase.kind().as_str() == "in_use" && !cluster.wishes_done() {
                        house.carry_out(&cluster.id).await;
                    }
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let output = tokio::select! {
            output = run => output.unwrap(),
            () = reconciler => unreachable!(),
        };
        assert!(output.status.success(), "curl is needed (apt-get install curl): {output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        assert_ne!(answer["status"], "FAIL", "{answer}");
        if let Some(shown) = shown {
            assert_eq!((keys(&answer), keys(&answer["data"])), (keys(&shown), keys(&shown["data"])));
        }
    }
}

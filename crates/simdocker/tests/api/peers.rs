//! Containers of the peer image answer, see each other, and ail as real ones do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{act, ask, bring_up, host, listed, port, request, wait_state, wait_until};

#[tokio::test]
async fn four_peers_answer_on_their_published_ports_and_see_each_other() {
    let host = host().await;
    bring_up(&host, "alpha", "10.9.1.0/24", 4, 7050).await;
    for number in 0..4 {
        assert_eq!(listed(&host, 7050 + number).await, ["vp0", "vp1", "vp2", "vp3"]);
    }
    let (status, chain) = port(&host, 7050, "/chain").await.unwrap();
    assert_eq!((status, &chain["height"]), (200, &json!(1)));
    let addresses: Vec<String> =
        host.containers().iter().map(|container| container.addresses["alpha"].to_string()).collect();
    assert_eq!(addresses, ["10.9.1.2", "10.9.1.3", "10.9.1.4", "10.9.1.5"]);
}

#[tokio::test]
async fn clusters_on_one_host_do_not_see_each_other() {
    let host = host().await;
    bring_up(&host, "one", "10.9.1.0/24", 2, 7050).await;
    bring_up(&host, "two", "10.9.2.0/24", 3, 7150).await;
    assert_eq!(listed(&host, 7050).await.len(), 2);
    assert_eq!(listed(&host, 7150).await.len(), 3);
}

#[tokio::test]
async fn a_transaction_raises_the_height_of_every_peer_while_there_is_a_quorum() {
    let host = host().await;
    bring_up(&host, "tx", "10.9.1.0/24", 4, 7050).await;
    assert_eq!(listed(&host, 7050).await.len(), 4);
    invoke(&host).await;
    for number in 0..4 {
        wait_height(&host, 7050 + number, 2).await;
    }
    assert_eq!(act(&host, "/containers/tx_vp3/kill").await.0, 204);
    assert_eq!(act(&host, "/containers/tx_vp2/kill").await.0, 204);
    invoke(&host).await;
    let (_, chain) = port(&host, 7050, "/chain").await.unwrap();
    assert_eq!(chain["height"], 2, "two of four are no quorum");
    assert_eq!(act(&host, "/containers/tx_vp2/start").await.0, 204);
    wait_height(&host, 7050, 3).await;
}

async fn wait_height(host: &simdocker::SimHost, rest: u16, height: u64) {
    wait_until("the height", async || match port(host, rest, "/chain").await {
        Ok((200, chain)) if chain["height"] == height => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

async fn invoke(host: &simdocker::SimHost) {
    let body = json!({
        "jsonrpc": "2.0", "method": "invoke", "id": 1,
        "params": {"type": 1, "chaincodeID": {"name": "nobody"}, "ctorMsg": {"function": "f", "args": ["a"]}},
    });
    let at = (host.address(), 7050).into();
    let (status, answer) = request(at, "POST", "/chaincode", Some(body)).await.unwrap();
    assert_eq!((status, &answer["result"]["status"]), (200, &json!("OK")), "{answer}");
}

#[tokio::test]
async fn a_stopped_peer_refuses_connections_and_is_listed_by_none() {
    let host = host().await;
    bring_up(&host, "stop", "10.9.1.0/24", 4, 7050).await;
    assert_eq!(listed(&host, 7050).await.len(), 4);
    assert_eq!(act(&host, "/containers/stop_vp1/stop").await.0, 204);
    assert_eq!(listed(&host, 7050).await, ["vp0", "vp2", "vp3"]);
    let refused = port(&host, 7051, "/chain").await.unwrap_err();
    assert!(refused.contains("refused"), "{refused}");
    assert_eq!(act(&host, "/containers/stop_vp1/start").await.0, 204);
    assert_eq!(listed(&host, 7050).await.len(), 4);
}

#[tokio::test]
async fn a_paused_peer_is_still_listed_connects_and_says_nothing_until_it_goes_on() {
    let host = host().await;
    bring_up(&host, "pause", "10.9.1.0/24", 4, 7050).await;
    assert_eq!(listed(&host, 7050).await.len(), 4);
    assert_eq!(act(&host, "/containers/pause_vp1/pause").await.0, 204);
    assert_eq!(host.container("pause_vp1").unwrap().state, "paused");
    assert_eq!(listed(&host, 7050).await.len(), 4);
    let mut waiting = Box::pin(port(&host, 7051, "/chain"));
    let silent = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(silent.is_err(), "a paused peer answered: {silent:?}");
    assert_eq!(act(&host, "/containers/pause_vp1/unpause").await.0, 204);
    assert_eq!(waiting.await.unwrap().0, 200);
}

#[tokio::test]
async fn the_ledger_survives_stop_and_start_but_not_a_new_container() {
    let host = host().await;
    bring_up(&host, "ledger", "10.9.1.0/24", 1, 7050).await;
    invoke(&host).await;
    wait_height(&host, 7050, 2).await;
    assert_eq!(act(&host, "/containers/ledger_vp0/restart").await.0, 204);
    wait_height(&host, 7050, 2).await;
    assert_eq!(ask(&host, "DELETE", "/containers/ledger_vp0?force=1", None).await, (204, Value::Null));
    let body = crate::support::peer_body("ledger", 0, 1, 7050);
    assert_eq!(crate::support::post(&host, "/containers/create?name=ledger_vp0", body).await.0, 201);
    assert_eq!(act(&host, "/containers/ledger_vp0/start").await.0, 204);
    wait_height(&host, 7050, 1).await;
}

#[tokio::test]
async fn a_peer_with_a_wrong_setting_ends_with_the_reason_in_its_log() {
    let host = host().await;
    let body = json!({
        "Image": "poolmanager/fabricsim:0.6", "Env": ["CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN=nope"],
        "HostConfig": {"NetworkMode": "bridge"},
    });
    assert_eq!(crate::support::post(&host, "/containers/create?name=wrong", body).await.0, 201);
    assert_eq!(act(&host, "/containers/wrong/start").await.0, 204);
    wait_state(&host, "wrong", "exited").await;
    assert_eq!(host.container("wrong").unwrap().exit_code, 1);
    let (_, log) = crate::support::get(&host, "/containers/wrong/logs?stderr=1").await;
    assert!(log.as_str().unwrap().contains("CORE_PEER_VALIDATOR_CONSENSUS_PLUGIN"), "{log}");
}

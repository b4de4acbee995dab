//! The main job: an operator adds her engine, users lease, use, stop, start and release networks.

use std::collections::BTreeSet;

use e2e::house::{Admin, App, House};
use e2e::network::Network;
use e2e::operator::Operator;
use serde_json::Value;

const ALL: [&str; 4] = ["vp0", "vp1", "vp2", "vp3"];

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_fills_a_pool_and_users_lease_from_it_on_mongodb() {
    tell(House::on_mongodb(2).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_fills_a_pool_and_users_lease_from_it_on_sqlite() {
    tell(House::on_sqlite(2).unwrap()).await;
}

async fn tell(house: House) {
    let admin = house.start_admin().await.unwrap();
    let app = house.start_app().await.unwrap();
    let operator = admin.operator().await.unwrap();
    let host = house.add_host(&operator, 2).await.unwrap();
    house.until(&operator, "2 free").await;
    let shown = operator.get(&format!("/api/v1/hosts/{host}")).await.unwrap().json();
    assert_eq!((&shown["state"], &shown["clusters"]["free"]), (&"active".into(), &2.into()), "{shown}");

    // v1 answers with the bare object, v2 in the envelope.
    let alices = app.get("/v1/cluster_apply", &[("user_id", "alice")]).await.unwrap().is(200).json();
    assert_eq!((&alices["user_id"], &alices["consensus_type"]), (&"alice".into(), &"pbft".into()), "{alices}");
    let bobs = app.apply("bob").await.unwrap().unwrap();
    assert_eq!((&bobs["user_id"], &bobs["size"], &bobs["health"]), (&"bob".into(), &4.into(), &"OK".into()), "{bobs}");
    assert_ne!(alices["id"], bobs["id"]);
    assert_eq!(app.apply("carol").await.unwrap().unwrap_err(), "No available res for carol");

    let mut code = String::new();
    for lease in [&bobs, &alices] {
        let network = network_of(&operator, lease).await;
        assert_eq!(format!("http://{}", endpoint(&operator, lease).await), lease["api_url"].as_str().unwrap());
        code = use_it(&network).await;
    }
    nodes_are_stopped_started_and_restarted(&house, &operator, &app, &alices, &code).await;
    released_is_replaced_by_another(&house, &operator, &app, &alices).await;
    end(&house, &operator, &host, admin, app, &bobs).await;
}

async fn cluster(operator: &Operator, lease: &Value) -> Value {
    operator.get(&format!("/api/v1/clusters/{}", id(lease))).await.unwrap().is(200).json()
}

async fn network_of(operator: &Operator, lease: &Value) -> Network {
    Network::of(&cluster(operator, lease).await).unwrap()
}

async fn endpoint(operator: &Operator, lease: &Value) -> String {
    let rest = cluster(operator, lease).await["endpoints"]["rest"].clone();
    format!("{}:{}", rest["address"].as_str().unwrap(), rest["port"])
}

fn id(lease: &Value) -> &str {
    lease["id"].as_str().unwrap()
}

/// Deploys and uses the example; its name.
async fn use_it(network: &Network) -> String {
    network.until_listed(&ALL).await;
    for node in ALL {
        assert_eq!(network.height(node).await.unwrap(), 1, "a fresh ledger at {node}");
    }
    let code = network.deploy("vp0").await.unwrap();
    let height = network.until_grown(&ALL, 1).await;
    network.invoke("vp2", &code, "10").await.unwrap();
    network.until_grown(&ALL, height).await;
    for node in ALL {
        assert_eq!(network.query(node, &code, "a").await.unwrap(), "90", "at {node}");
    }
    code
}

async fn nodes_are_stopped_started_and_restarted(
    house: &House,
    operator: &Operator,
    app: &App,
    lease: &Value,
    code: &str,
) {
    let network = network_of(operator, lease).await;
    let containers = async || {
        let shown = app.get(&format!("/v2/cluster/{}", id(lease)), &[]).await.unwrap().is(200).json();
        shown["data"]["containers"].clone()
    };
    let before = containers().await;
    assert_eq!(before.as_object().unwrap().len(), 4, "{before}");
    let vp3 = [("cluster_id", id(lease)), ("node_id", "vp3")];
    let state = async |node: &str| house.engine.look().await.unwrap()[id(lease)].node(node).unwrap().state.clone();

    let height = network.height("vp0").await.unwrap();
    app.act("stop", &vp3).await.unwrap();
    assert_eq!(state("vp3").await, "exited");
    let container = before["vp3"].as_str().unwrap();
    let started = house.engine.started_at(container).await.unwrap();
    assert_eq!(state("vp0").await, "running");
    // Three of four go on, and vp0's REST no longer lists the fourth.
    network.until_listed(&ALL[..3]).await;
    network.invoke("vp1", code, "1").await.unwrap();
    network.until_grown(&ALL[..3], height).await;
    // It was stopped on purpose: that is no illness, and nobody starts it again.
    let shown = app.get(&format!("/v2/cluster/{}", id(lease)), &[]).await.unwrap().is(200).json();
    assert_ne!(shown["data"]["health"], "FAIL", "{shown}");
    assert_eq!(house.engine.started_at(container).await.unwrap(), started);
    assert_eq!((&shown["data"]["status"], &shown["data"]["user_id"]), (&"running".into(), &"alice".into()), "{shown}");

    app.act("start", &vp3).await.unwrap();
    assert_eq!(state("vp3").await, "running");
    network.until_listed(&ALL).await;
    let height = network.height("vp0").await.unwrap();
    network.until_grown(&ALL, height - 1).await;
    assert_eq!(containers().await, before, "start makes nothing anew");

    app.act("restart", &[("cluster_id", id(lease))]).await.unwrap();
    network.until_listed(&ALL).await;
    assert_eq!(containers().await, before, "restart makes nothing anew");
    assert_eq!(network.until_grown(&ALL, height - 1).await, height, "and keeps the ledgers");
}

async fn released_is_replaced_by_another(house: &House, operator: &Operator, app: &App, lease: &Value) {
    let old = house.engine.look().await.unwrap()[id(lease)].clone();
    let answer = app.get("/v1/cluster_release", &[("user_id", "alice")]).await.unwrap().is(200).json();
    assert_eq!(answer["status"], "OK", "{answer}");
    let clusters = house.until(operator, "1 free, 1 in_use").await;
    assert!(clusters.iter().all(|cluster| cluster["id"] != lease["id"]), "another id");
    let replacement = clusters.iter().find(|cluster| cluster["name"] == lease["name"]).expect("the same name");
    assert_eq!(replacement["phase"], "free");
    let found = house.engine.look().await.unwrap();
    let there: BTreeSet<&str> = found
        .values()
        .flat_map(|f| f.containers.iter().map(|c| c.id.as_str()).chain(f.networks.iter().map(|n| &**n)))
        .collect();
    let gone = |id: &str| assert!(!there.contains(id), "{id} of the released one is still there");
    old.containers.iter().for_each(|container| gone(&container.id));
    old.networks.iter().for_each(|network| gone(network));
    let network = Network::of(replacement).unwrap();
    for node in ALL {
        assert_eq!(network.height(node).await.unwrap(), 1, "a fresh ledger at {node}");
    }
    let records = operator.items("/api/v1/records?user=alice").await.unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((&records[0]["cluster_id"], &records[0]["ended"]), (&lease["id"], &"released".into()), "{records:?}");
    let shown = app.get("/v2/clusters", &[("user_id", "alice")]).await.unwrap().json();
    assert_eq!(shown["data"], serde_json::json!([]), "{shown}");
}

async fn end(house: &House, operator: &Operator, host: &str, mut admin: Admin, mut app: App, bobs: &Value) {
    // A host stays while somebody holds a network on it.
    let answer = operator.call(reqwest::Method::DELETE, &format!("/api/v1/hosts/{host}"), None).await.unwrap();
    answer.is(409).has("by bob");
    network_of(operator, bobs).await.until_listed(&ALL).await;
    app.release(id(bobs)).await.unwrap();
    house.leave(operator, host).await.unwrap_or_else(|error| panic!("{error:#}"));
    let limit = std::time::Duration::from_secs(20);
    for program in [&mut app.program, &mut admin.program] {
        let (status, _) = program.end(limit).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

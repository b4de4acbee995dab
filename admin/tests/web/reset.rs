//! Resetting a host, and what is foreign there, against the simulated engine.

use std::time::Duration;

use common::model::{Host, HostId, HostPurpose, Metadata};
use serde_json::{Value, json};
use simdocker::{FaultKind, FaultRule, SimHost, SimOptions};

use crate::support::{Browser, House};

const SCRIPT: &str = "<script>alert(1)</script>";

/// A host on a simulated engine on which somebody else has a container and a network.
async fn with_strangers(house: &House, browser: &mut Browser) -> (SimHost, Host) {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let image = sim.images()[0].clone();
    let made = sim.call("POST", "/containers/create?name=somebodys", &json!({"Image": image}).to_string()).await;
    assert_eq!(made.0, 201, "{}", made.1);
    let made = sim.call("POST", "/networks/create", &json!({"Name": "their-net"}).to_string()).await;
    assert_eq!(made.0, 201, "{}", made.1);
    let body = json!({"name": "h1", "daemon_url": sim.url(), "address": sim.address().to_string(), "capacity": 3});
    let added = browser.json("POST", "/api/v1/hosts", body).await.is(201).json();
    let id = HostId::parse(added["id"].as_str().unwrap()).unwrap();
    let host = house.store.host(&id).await.unwrap().unwrap();
    (sim, host)
}

#[tokio::test]
async fn a_reset_is_refused_while_users_hold_clusters_and_says_who() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    house.add_held(&made, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let page = browser.get(&format!("/hosts/{}/reset", made.id)).await;
    page.is(200).has("h1_0, held by <strong>alice</strong>");
    assert!(!page.text.contains("class=\"btn btn-danger\" type=\"submit\""), "there is no button to press in vain");
    let body = json!({"confirm": "h1"});
    let answer = browser.json("POST", &format!("/api/v1/hosts/{}/reset", made.id), body).await;
    answer.is(409).has("1 cluster held by users (h1_0 by alice)").has("Drain it");
    let answer = browser.post(&format!("/hosts/{}/reset", made.id), &[("version", "1"), ("confirm", "h1")]).await;
    browser.follow(&answer).await.has("h1_0 by alice").has("class=\"alert bad\"");
    assert_eq!(house.store.host(&made.id).await.unwrap().unwrap().purpose, HostPurpose::Serve);
    house.end().await;
}

#[tokio::test]
async fn a_reset_needs_the_name_of_the_host_and_leaves_what_is_foreign() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    let path = format!("/hosts/{}/reset", made.id);
    browser.get(&path).await.is(200).has("Reset host h1?");
    for typed in ["", "H1", SCRIPT] {
        let page = browser.post(&path, &[("version", "1"), ("confirm", typed)]).await;
        page.is(422).has("id=\"confirm-error\"");
        assert!(!page.text.contains(SCRIPT));
    }
    let answer = browser.post(&path, &[("version", "1"), ("confirm", "h1")]).await;
    browser.follow(&answer).await.has("Resetting host h1 has begun").has("This host is being reset");
    let after = house.store.host(&made.id).await.unwrap().unwrap();
    assert!(
        matches!(&after.purpose, HostPurpose::Reset { foreign, asked } if foreign.is_empty() && asked.by == "otto")
    );
    let again = browser.post(&path, &[("version", "1"), ("confirm", "h1")]).await;
    browser.follow(&again).await.has("Resetting host h1 was asked for already");
    let answer = browser.post(&format!("/hosts/{}/serve", made.id), &[("version", "2")]).await;
    browser.follow(&answer).await.has("What the reset has removed already is gone");
    house.end().await;
}

#[tokio::test]
async fn what_is_foreign_is_listed_live_and_only_what_was_ticked_goes_into_the_wish() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let (sim, host) = with_strangers(&house, &mut browser).await;
    let path = format!("/hosts/{}/foreign", host.id);
    let page = browser.get(&path).await;
    page.is(200).has("somebodys").has("their-net").has("belong to somebody else");
    let listed = browser.get(&format!("/api/v1/hosts/{}/foreign", host.id)).await.json()["items"].clone();
    let of = |name: &str| -> Value {
        listed.as_array().unwrap().iter().find(|thing| thing["name"] == name).unwrap().clone()
    };
    assert_eq!((&of("somebodys")["kind"], &of("their-net")["kind"]), (&json!("container"), &json!("network")));
    let container = of("somebodys")["id"].as_str().unwrap().to_owned();
    let ticked: String = container.chars().take(24).collect();
    page.has(&format!("value=\"{ticked}\" checked"));

    // Without the second confirmation nothing is written.
    let fields = [("version", "1"), ("confirm", "h1"), ("foreign", ticked.as_str())];
    let page = browser.post(&path, &fields).await;
    page.is(422).has("Needed:").has("their-net").has("value=\"h1\"");
    let page = browser.post(&path, &[("version", "1"), ("known", "on"), ("foreign", &ticked)]).await;
    page.is(422).has("id=\"confirm-error\"");
    let purpose = |host: Option<Host>| host.unwrap().purpose;
    assert_eq!(purpose(house.store.host(&host.id).await.unwrap()), HostPurpose::Serve);

    let mut all = fields.to_vec();
    all.push(("known", "on"));
    let answer = browser.post(&path, &all).await;
    browser.follow(&answer).await.has("and 1 thing that is not").has("then 1 foreign things");
    match purpose(house.store.host(&host.id).await.unwrap()) {
        HostPurpose::Reset { foreign, .. } => {
            assert_eq!(foreign.len(), 1, "the network was not ticked");
            assert_eq!((foreign[0].id.as_str(), foreign[0].name.as_str()), (container.as_str(), "somebodys"));
        }
        other => panic!("{other:?}"),
    }
    browser.get("/events").await.has("1 things there that are not PoolManager").has("somebodys");
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn what_is_gone_or_was_never_there_is_not_named_in_the_wish() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let (sim, host) = with_strangers(&house, &mut browser).await;
    let api = format!("/api/v1/hosts/{}/reset", host.id);
    for (foreign, words) in [
        (json!("all"), "must be a list"),
        (json!([1]), "must be a list of ids"),
        (json!(["abc"]), "first 12 or more"),
        (json!([""]), "first 12 or more"),
    ] {
        let answer = browser.json("POST", &api, json!({"confirm": "h1", "foreign": foreign})).await;
        assert_eq!(answer.is(422).json()["field"], "foreign");
        answer.has(words);
    }
    let body = json!({"confirm": "h1", "foreign": ["f".repeat(64)]});
    browser.json("POST", &api, body).await.is(202).has("1 of the things named are gone already");
    let after = house.store.host(&host.id).await.unwrap().unwrap();
    assert!(matches!(&after.purpose, HostPurpose::Reset { foreign, .. } if foreign.is_empty()), "{:?}", after.purpose);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn an_engine_that_does_not_say_what_is_there_is_a_refusal_within_seconds() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let (sim, host) = with_strangers(&house, &mut browser).await;
    let list = format!("/api/v1/hosts/{}/foreign", host.id);
    sim.faults().add(FaultRule::next("GET", "/containers/json", FaultKind::slow(Duration::from_secs(60))).for_ever());
    browser.get(&list).await.is(409).has("no answer within 5 s").has("Try again when it answers");
    sim.faults().clear();
    sim.go_down();
    browser.get(&list).await.is(409).has("cannot be asked what else is there");
    let answer = browser.get(&format!("/hosts/{}/foreign", host.id)).await;
    browser.follow(&answer).await.has("cannot be asked what else is there");
    let body = json!({"confirm": "h1", "foreign": ["f".repeat(64)]});
    browser.json("POST", &format!("/api/v1/hosts/{}/reset", host.id), body).await.is(409).has("nothing was changed");
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap().purpose, HostPurpose::Serve);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn poolmanager_itself_is_named_and_not_ticked_and_a_thousand_ids_are_taken() {
    let house = House::new().await;
    let mut browser = house.browser_of("otto").await;
    let (sim, host) = with_strangers(&house, &mut browser).await;
    let labels = json!({"com.docker.compose.project": "pm", "org.opencontainers.image.title": "PoolManager admin"});
    let body = json!({"Image": sim.images()[0].clone(), "Labels": labels}).to_string();
    assert_eq!(sim.call("POST", "/containers/create?name=pm-admin-1", &body).await.0, 201);
    let body = json!({"Image": sim.images()[0].clone(), "Labels": {"com.docker.compose.project": "pm"}}).to_string();
    assert_eq!(sim.call("POST", "/containers/create?name=pm-mongo-1", &body).await.0, 201);
    let page = browser.get(&format!("/hosts/{}/foreign", host.id)).await;
    page.has("PoolManager itself runs on this engine:").has("2 of these belong to it");
    let row = |name: &str| {
        let at = page.text.find(&format!("Remove container {name}\"")).unwrap();
        page.text[..at].rsplit("<tr>").next().unwrap().to_owned()
    };
    assert!(row("somebodys").contains(" checked") && !row("pm-admin-1").contains(" checked"));
    assert!(!row("pm-mongo-1").contains(" checked"));
    let listed = browser.get(&format!("/api/v1/hosts/{}/foreign", host.id)).await.json()["items"].clone();
    let own = listed.as_array().unwrap().iter().filter(|thing| thing["poolmanager"] == true).count();
    assert_eq!(own, 2, "{listed}");
    let ids: Vec<String> = (0..1000).map(|n| format!("{n:064x}")).collect();
    let body = json!({"confirm": "h1", "foreign": ids});
    browser
        .json("POST", &format!("/api/v1/hosts/{}/reset", host.id), body)
        .await
        .is(202)
        .has("1000 of the things named");
    sim.shutdown().await;
    house.end().await;
}

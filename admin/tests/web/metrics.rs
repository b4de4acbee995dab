//! `/metrics`: it moves when what it counts happens, costs no call of the store, and names nobody.

use std::collections::BTreeSet;

use common::model::HostId;
use common::store::{ClusterFilter, Page};
use serde_json::json;
use simdocker::{SimHost, SimOptions};

use crate::support::{Browser, House};

async fn page(house: &House) -> String {
    let answer = Browser::new(&house.url).get("/metrics").await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.text
}

/// The sum of a family's values, of those lines that have these words.
fn sum(page: &str, family: &str, words: &str) -> f64 {
    let of_family = |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
    let lines = page.lines().filter(of_family).filter(|line| line.contains(words));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Waits until this holds of the page.
async fn until(house: &House, what: &str, holds: impl Fn(&str) -> bool) -> String {
    let begun = std::time::Instant::now();
    loop {
        let page = page(house).await;
        if holds(&page) {
            return page;
        }
        assert!(begun.elapsed().as_secs() < 60, "not in time: {what}: {page}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The families that a document's section says there are, and those of a page.
fn families(section: &str, page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let document = include_str!("../../../docs/monitoring.md");
    let of = |section: &str| {
        let rest = document.split_once(&format!("\n## {section}\n")).unwrap().1;
        let rows = rest.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let told = &of("Both programs") | &of(section);
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let named = types.map(|(name, kind)| format!("{name}{}", if kind == "counter" { "_total" } else { "" }));
    (told, named.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pool_does_is_counted_and_every_family_is_in_the_document() {
    let house = House::leading().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut otto = house.browser_of("otto").await;
    let body = json!({
        "name": "metrics-host", "daemon_url": sim.url(), "address": sim.address().to_string(),
        "bind_address": sim.address().to_string(), "capacity": 2,
    });
    let id = otto.json("POST", "/api/v1/hosts", body).await.is(201).json()["id"].as_str().unwrap().to_owned();
    let host = HostId::parse(&id).unwrap();
    until(&house, "two are free", |page| sum(page, "poolmanager_clusters", "phase=\"free\"") == 2.0).await;
    let page = until(&house, "the leader has turned", |page| {
        sum(page, "poolmanager_capacity_clusters", "state=\"active\"") == 2.0
            && sum(page, "poolmanager_clusters_wanted", "") == 2.0
    })
    .await;
    assert_eq!(sum(&page, "poolmanager_leader", ""), 1.0);
    assert_eq!(sum(&page, "poolmanager_leader_term", ""), 1.0);
    assert_eq!(sum(&page, "poolmanager_hosts", "state=\"active\""), 1.0);
    assert_eq!(sum(&page, "poolmanager_breakers_open", ""), 0.0);
    assert_eq!(sum(&page, "poolmanager_cluster_makes_total", "outcome=\"made\""), 2.0);
    assert_eq!(sum(&page, "poolmanager_cluster_make_duration_seconds_count", ""), 2.0);
    assert!(sum(&page, "poolmanager_engine_calls_total", "kind=\"starting\",outcome=\"ok\"") >= 4.0, "{page}");
    assert!(sum(&page, "poolmanager_store_calls_total", "kind=\"take_lock\",outcome=\"ok\"") >= 1.0, "{page}");
    assert!(sum(&page, "poolmanager_reconciler_pass_duration_seconds_count", "") >= 2.0, "{page}");

    let held = house.store.list_clusters(&ClusterFilter::default(), &Page::first(10)).await.unwrap();
    otto.json("DELETE", &format!("/api/v1/clusters/{}", held[0].id), json!(null)).await.is(202);
    let page =
        until(&house, "it is gone", |page| sum(page, "poolmanager_cluster_removals_total", "deleted") == 1.0).await;
    for name in ["metrics-host", "otto", id.as_str(), held[0].id.as_str(), host.as_str(), &sim.url()] {
        assert!(!page.contains(name), "{name} in {page}");
    }
    let (told, named) = families("admin", &page);
    assert_eq!(named, told);

    sim.shutdown().await;
    let silent = |page: &str| sum(page, "poolmanager_hosts_silent", "") == 1.0;
    let page = until(&house, "the engine is silent", silent).await;
    assert!(sum(&page, "poolmanager_events_dropped_total", "engine_events") >= 1.0, "{page}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_costs_no_call_of_the_store() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    for slot in 0..3 {
        house.add_free(&host, slot).await;
    }
    let counted = |page: &str| sum(page, "poolmanager_clusters", "phase=\"free\"") == 3.0;
    until(&house, "the clusters are counted", counted).await;
    let calls = |page: &str| sum(page, "poolmanager_store_calls_total", "");
    let before = calls(&page(&house).await);
    for _ in 0..20 {
        page(&house).await;
    }
    // The task that counts may have its turn meanwhile, and live pages may look for events; twenty askings make no twenty calls.
    assert!(calls(&page(&house).await) - before < 10.0);
    house.end().await;
}

#[tokio::test]
async fn one_that_stands_by_tells_nothing_of_hosts() {
    let house = House::new().await;
    house.add_host("h1").await;
    let page = page(&house).await;
    assert_eq!(sum(&page, "poolmanager_leader", ""), 0.0);
    assert!(!page.contains("\npoolmanager_hosts{") && !page.contains("\npoolmanager_held_back "), "{page}");
    house.end().await;
}

#[tokio::test]
async fn routes_are_told_as_the_table_has_them() {
    let house = House::new().await;
    let mut vera = house.browser_of("vera").await;
    vera.get("/clusters/0123456789abcdef01234567").await.is(404);
    vera.get("/nowhere/at/all").await.is(404);
    let page = page(&house).await;
    let seen: BTreeSet<&str> = page.split("route=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let known: BTreeSet<&str> = admin::routes::table().iter().map(|entry| entry.path).chain(["none"]).collect();
    assert!(seen.is_subset(&known), "{seen:?}");
    assert!(seen.contains("/clusters/{id}") && seen.contains("none"), "{seen:?}");
    house.end().await;
}

#[tokio::test]
async fn with_a_token_set_it_is_shown_to_whoever_has_it() {
    let house = House::set(&[("METRICS_TOKEN", "a-token-for-prometheus")]).await;
    Browser::new(&house.url).get("/metrics").await.is(401);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |token: &'static str| client.get(format!("{}/metrics", house.url)).bearer_auth(token).send();
    assert_eq!(ask("a-token-for-prometheuS").await.unwrap().status(), 401);
    assert_eq!(ask("a-token-for-prometheus").await.unwrap().status(), 200);
    // An operator who is signed in is not who it is for.
    house.browser_of("ada").await.get("/metrics").await.is(401);
    house.end().await;
}

#[tokio::test]
async fn live_streams_are_counted_while_they_are_open() {
    let house = House::new().await;
    let vera = house.browser_of("vera").await;
    let cookies: Vec<String> = vera.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/live?page=%2F", house.url)).header("cookie", cookies.join("; "));
    let stream = request.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    until(&house, "it is counted", |page| sum(page, "poolmanager_live_streams", "") == 1.0).await;
    drop(stream);
    drop(client);
    house.stop.cancel();
    until(&house, "it is not there any more", |page| sum(page, "poolmanager_live_streams", "") == 0.0).await;
    house.end().await;
}

//! `/metrics`: it moves when what it counts happens, and names nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::house::{DAEMON_URL, House, NOOPS, PBFT};
use super::sick_store::{How, SickStore};

/// The value of a line, given all before the value.
async fn value(house: &House, line: &str) -> f64 {
    let answer = house.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let start = format!("{line} ");
    let found = answer.text.lines().find_map(|line| line.strip_prefix(&start));
    found.unwrap_or_else(|| panic!("no {line} in {}", answer.text)).parse().unwrap()
}

fn applies(outcome: &str) -> String {
    format!("poolmanager_applies_total{{outcome=\"{outcome}\"}}")
}

fn releases(outcome: &str) -> String {
    format!("poolmanager_releases_total{{outcome=\"{outcome}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_openmetrics_and_kept_by_nobody() {
    let house = House::open().await;
    let answer = house.get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    assert_eq!(house.form("/metrics", &[]).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_set_it_is_shown_to_whoever_has_it() {
    let house = House::with_metrics_token("a-token-for-prometheus").await;
    assert_eq!(house.get("/metrics").await.status, 401);
    for wrong in ["Bearer a-token-for-prometheuS", "Bearer ", "a-token-for-prometheus"] {
        assert_eq!(house.send(house.request("GET", "/metrics").header("authorization", wrong)).await.status, 401);
    }
    let right = house.request("GET", "/metrics").bearer_auth("a-token-for-prometheus");
    assert_eq!(house.send(right).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_are_counted_by_what_came_of_them() {
    let house = House::open().await;
    assert_eq!(value(&house, &applies("given")).await, 0.0);
    let missed = format!("poolmanager_demand_missed_total{{flavor=\"{NOOPS}\"}}");
    assert_eq!(value(&house, &missed).await, 0.0);
    let free = house.free(PBFT).await;
    house.get("/v2/cluster_op?action=apply&user_id=alice").await.ok();
    house.get("/v2/cluster_op?action=apply&user_id=alice").await.ok();
    house.get("/v1/cluster_apply?user_id=alice&consensus_plugin=noops").await.fail(400, "No available res for alice");
    house.get("/v1/cluster_apply?user_id=alice&consensus_plugin=raft").await.fail(400, "Invalid consensus_plugin");
    house.get("/v2/cluster_apply?user_id=alice&size=7").await.fail(400, "Invalid cluster_size");
    for (outcome, count) in [("given", 1.0), ("held", 1.0), ("none_free", 1.0), ("refused", 2.0), ("failed", 0.0)] {
        assert_eq!(value(&house, &applies(outcome)).await, count, "{outcome}");
    }
    assert_eq!(value(&house, &format!("poolmanager_demand_given_total{{flavor=\"{PBFT}\"}}")).await, 1.0);
    assert_eq!(value(&house, &missed).await, 1.0);
    house.get(&format!("/v2/cluster_op?action=release&cluster_id={}", free.id)).await.ok();
    house.get(&format!("/v2/cluster_op?action=release&cluster_id={}", free.id)).await.ok();
    assert_eq!(value(&house, &releases("released")).await, 1.0);
    assert_eq!(value(&house, &releases("nothing")).await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_as_many_as_she_may_is_counted_as_such() {
    let house = House::with_tokens(Some(1)).await;
    let token = house.token_of("alice").await;
    for _ in 0..2 {
        house.free(PBFT).await;
        let request = house.request("GET", "/v2/cluster_apply?allow_multiple=True").bearer_auth(&token);
        house.send(request).await;
    }
    house.get("/v2/cluster_apply").await;
    assert_eq!(value(&house, &applies("quota")).await, 1.0);
    assert_eq!(value(&house, "poolmanager_tokens_refused_total{kind=\"missing\"}").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_shows() {
    let house = House::on(Arc::new(SickStore::new(How::Unavailable)), Duration::from_millis(50));
    house.get("/v2/cluster_apply?user_id=alice").await;
    house.get("/v2/cluster_op?action=release&cluster_id=0123456789abcdef01234567").await;
    house.get("/v2/cluster_op?action=stop&cluster_id=0123456789abcdef01234567").await;
    assert_eq!(value(&house, &applies("failed")).await, 1.0);
    assert_eq!(value(&house, &releases("failed")).await, 1.0);
    assert_eq!(value(&house, "poolmanager_wishes_total{kind=\"stop\",outcome=\"failed\"}").await, 1.0);
    let store = "poolmanager_store_calls_total{kind=\"apply\",outcome=\"unavailable\"}";
    assert_eq!(value(&house, store).await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_route_and_no_label_is_a_name_or_an_id() {
    let house = House::open().await;
    let held = house.leased("alice", PBFT).await;
    house.get(&format!("/v2/cluster/{}", held.id)).await.ok();
    house.get("/v2/clusters?user_id=alice").await.ok();
    for path in ["/nowhere/alice", "/v2/nowhere/alice", "/v2/cluster/a/b", &format!("/v2/{}", "a".repeat(9000))] {
        house.get(path).await;
    }
    house.send(house.request("BREW", "/healthz")).await;
    let text = house.get("/metrics").await.text;
    for name in ["alice", held.id.as_str(), held.host.as_str(), held.name.as_str(), DAEMON_URL] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    let routes: BTreeSet<&str> = text.split("route=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let known = BTreeSet::from(["none", "/healthz", "/v2/cluster/{id}", "/v2/clusters"]);
    assert_eq!(routes, known);
    let line = "poolmanager_http_requests_total{route=\"/v2/cluster/{id}\",method=\"GET\",status=\"2xx\"}";
    assert_eq!(value(&house, line).await, 1.0);
    let line = "poolmanager_http_requests_total{route=\"/healthz\",method=\"other\",status=\"4xx\"}";
    assert_eq!(value(&house, line).await, 1.0);
}

/// The families that a section of the document says there are.
fn documented(section: &str) -> BTreeSet<String> {
    let document = include_str!("../../../docs/monitoring.md");
    let rest = document.split_once(&format!("\n## {section}\n")).unwrap().1;
    let rows = rest.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_is_in_the_document_and_no_other() {
    let house = House::with_tokens(None).await;
    house.get("/v2/clusters").await;
    let token = house.token_of("alice").await;
    house.send(house.request("GET", "/v2/cluster_op?action=stop&cluster_id=x1").bearer_auth(&token)).await;
    let path = "/v2/cluster_op?action=stop&cluster_id=0123456789abcdef01234567";
    house.send(house.request("GET", path).bearer_auth(&token)).await;
    let page = house.get("/metrics").await.text;
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let named = types.map(|(name, kind)| format!("{name}{}", if kind == "counter" { "_total" } else { "" }));
    assert_eq!(named.collect::<BTreeSet<_>>(), &documented("Both programs") | &documented("app"));
}

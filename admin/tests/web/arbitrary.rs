//! Whatever is sent: never a 5xx.

use admin::routes::table;
use common::model::{Actor, DaemonUrl, Event, EventKind, Metadata};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::House;

/// A value of the sort that people, programs and attackers send.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,24}",
        "[a-z0-9_-]{0,18}",
        Just("0123456789abcdef01234567".to_owned()),
        Just("99999999999999999999999".to_owned()),
        Just("%00%ff%zz".to_owned()),
        Just("'; DROP TABLE hosts; --{$gt: 1}".to_owned()),
        Just("unix:///nowhere/docker.sock".to_owned()),
        Just("tcp://127.0.0.1:1".to_owned()),
    ]
}

fn field() -> impl Strategy<Value = String> {
    let known = [
        "name",
        "daemon_url",
        "address",
        "bind_address",
        "capacity",
        "log_level",
        "log_type",
        "log_server",
        "schedulable",
        "autofill",
        "chaincode_endpoint",
        "version",
        "node",
        "restarts",
        "username",
        "password",
        "next",
        "type",
        "phase",
        "host",
        "user",
        "flavor",
        "after",
        "limit",
        "cluster",
        "kind",
        "actor",
        "since",
        "until",
        "failed_after",
        "mix",
        "confirm",
        "foreign",
        "force",
        "known",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            proptest::collection::vec((field(), inner), 0..4).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

#[tokio::test]
async fn no_input_makes_a_server_error() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    // One that refuses at once: what asks an engine is not to wait for one that is not there.
    let mut settings = host.settings.clone();
    settings.daemon_url = DaemonUrl::parse("tcp://127.0.0.1:1").unwrap();
    let event = Event::new(common::clock::now(), EventKind::HostChanged, Actor::Reconciler, "moved");
    house.store.change_host(&host.configured(settings), event).await.unwrap();
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("ada").await;
    let mut runner = TestRunner::default();
    let ids = [host.id.to_string(), held.id.to_string()];
    let actions = [
        "start", "stop", "restart", "release", "delete", "fillup", "clean", "drain", "serve", "retry", "cordon",
        "uncordon", "other",
    ];
    let draw = (text(), proptest::collection::vec((field(), text()), 0..6), json(), 0usize..4, 0usize..13);
    for _ in 0..16 {
        for entry in table().into_iter().filter(|entry| !entry.path.contains("log") && !entry.path.contains("session"))
        {
            let (odd, fields, body, which, action) = draw.new_tree(&mut runner).unwrap().current();
            let odd: String = odd.bytes().map(|b| format!("%{b:02x}")).collect();
            let id = ids.get(which).map_or(odd.as_str(), String::as_str);
            let mut path = entry.path.replace("{id}", id).replace("{action}", actions[action]).replace("{name}", &odd);
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = match (entry.method.as_str(), entry.path.starts_with("/api/")) {
                ("GET", _) => {
                    let query: String =
                        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
                    path = format!("{path}?{query}");
                    browser.get(&path).await
                }
                ("POST", false) => browser.post(&path, &pairs).await,
                (method, _) => browser.json(method, &path, body.clone()).await,
            };
            assert!(answer.status < 500, "{} {path} {fields:?} {body}: {}", entry.method, answer.text);
        }
    }
    house.end().await;
}

#[tokio::test]
async fn broken_bodies_are_refused_as_such() {
    let house = House::new().await;
    let mut browser = house.browser_of("ada").await;
    browser.headers = vec![("x-csrf-token", browser.csrf.clone())];
    let json = "application/json";
    for body in [&b"{"[..], b"[]", b"\"x\"", b"{\"name\": }", b"\xff\xfe", b"nul", &[b'['; 5000]] {
        let answer = browser.raw("POST", "/api/v1/hosts", json, body.to_vec()).await;
        assert_eq!(answer.is(400).json()["status"], 400);
    }
    let form = "application/x-www-form-urlencoded";
    for body in [&b"%ff%fe=%00"[..], b"&&&&==", b"\xff\xfe\x00", b"csrf"] {
        browser.raw("POST", "/hosts/new", form, body.to_vec()).await.is(403);
    }
    let mut deep = format!("csrf={}", browser.csrf).into_bytes();
    deep.extend_from_slice(b"&name=%ff%fe&capacity=\xff&x");
    browser.raw("POST", "/hosts/new", form, deep).await.is(422);
    house.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new().await;
    let address = house.url.trim_start_matches("http://").to_owned();
    let mut line = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!("POST /login HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\ncsrf=");
    line.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = line.read_exact(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(30), read).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    house.end().await;
}

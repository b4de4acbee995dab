//! Whatever is sent, nothing a sender does is a 5xx, and the old calls always answer in the old envelope.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::house::{House, PBFT};

const NAMES: [&str; 14] = [
    "action",
    "user_id",
    "cluster_id",
    "node_id",
    "consensus_type",
    "consensus_plugin",
    "consensus_mode",
    "size",
    "new",
    "allow_multiple",
    "host_id",
    "status",
    "health",
    "$where",
];

const VALUES: [&str; 20] = [
    "apply",
    "release",
    "start",
    "stop",
    "restart",
    "alice",
    "bob",
    "pbft",
    "noops",
    "sieve",
    "batch",
    "4",
    "6",
    "-1",
    "true",
    "False",
    "",
    "__SYSTEM__DELETING",
    "vp0",
    "CLUSTER",
];

const PATHS: [&str; 9] = [
    "/v1/cluster_apply",
    "/v1/cluster_release",
    "/v2/cluster_op",
    "/v2/cluster_apply",
    "/v2/cluster_release",
    "/v2/clusters",
    "/v2/cluster/CLUSTER",
    "/v2/cluster/x",
    "/v2/none",
];

#[derive(Clone, Debug)]
struct Call {
    method: &'static str,
    path: &'static str,
    query: Vec<(String, String)>,
    content_type: &'static str,
    body: Vec<u8>,
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![8 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    let value = prop_oneof![6 => prop::sample::select(&VALUES[..]).prop_map(str::to_owned), 2 => any::<String>()];
    prop::collection::vec((name, value), 0..5)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        prop::sample::select(&VALUES[..]).prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::vec((prop::sample::select(&NAMES[..]), value), 0..5).prop_map(|pairs| {
        serde_json::Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    prop_oneof![
        2 => Just(("", Vec::new())),
        3 => json().prop_map(|value| ("application/json", value.to_string().into_bytes())),
        3 => pairs().prop_map(|pairs| {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            ("application/x-www-form-urlencoded", text.into_bytes())
        }),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| ("application/json", bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| ("application/x-www-form-urlencoded", bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| ("text/plain", bytes)),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let method = prop::sample::select(&["GET", "POST"][..]);
    (method, prop::sample::select(&PATHS[..]), pairs(), body())
        .prop_map(|(method, path, query, (content_type, body))| Call { method, path, query, content_type, body })
}

#[test]
fn no_query_form_or_body_makes_a_5xx() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (house, id) = runtime.block_on(async {
        let house = House::with_wait(Duration::from_millis(5)).await;
        for _ in 0..30 {
            house.free(PBFT).await;
        }
        let held = house.leased("alice", PBFT).await;
        (house, held.id.to_string())
    });
    let mut runner = TestRunner::new(Config { cases: 1500, ..Config::default() });
    let outcome = runner.run(&call(), |call| {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
        let path = format!("{}?{query}", call.path).replace("CLUSTER", &id);
        let mut request = house.request(call.method, &path).body(call.body.clone());
        if !call.content_type.is_empty() {
            request = request.header("content-type", call.content_type);
        }
        let answer = runtime.block_on(house.send(request));
        prop_assert!(answer.status < 500, "{:?}", answer);
        let body: serde_json::Value =
            serde_json::from_str(&answer.text).map_err(|e| TestCaseError::fail(format!("{e}: {answer:?}")))?;
        if !(answer.status == 200 && call.path == "/v1/cluster_apply") {
            let word = if answer.status == 200 { "OK" } else { "FAIL" };
            prop_assert_eq!(&body["status"], word, "{:?}", answer);
            prop_assert!(
                body["code"].is_u64() && body["error"].is_string() && body.get("data").is_some(),
                "{:?}",
                answer
            );
        }
        Ok(())
    });
    outcome.unwrap();
}

//! Rules of deep probes.

use std::time::Duration;

use serde_json::json;

use super::testing::{file_with, plan, shipped, slot_2, variables};
use super::{DeepStep, HttpMethod, JsonExpect, Project};

fn with_deep(deep: &str) -> String {
    format!("{}  deep: {deep}\n", file_with(""))
}

fn check(deep: &str, path: &str, words: &str) {
    let refusal = plan(&with_deep(deep), &variables(&[]), &slot_2()).expect_err(deep);
    assert_eq!(refusal.path, format!("x-poolmanager.{path}"), "{deep}: {refusal}");
    assert!(refusal.message.contains(words), "{deep}: {refusal}");
}

fn fabric(flavor: usize) -> Project {
    let catalog = shipped(&[]);
    catalog.plan(&catalog.flavors()[flavor], &slot_2()).expect("planned")
}

#[test]
fn fabric_is_proven_deeply_by_a_transaction_that_the_first_and_the_last_peer_commit() {
    for (flavor, last) in [(0, "vp3_rest"), (1, "vp5_rest")] {
        let deep = fabric(flavor).deep_probe.expect("it has one");
        assert_eq!((deep.every, deep.needs_chaincode), (Duration::from_secs(1800), false));
        let said = |step: &DeepStep| {
            format!("{:?} {}{} within {:?} {:?}", step.method, step.endpoint, step.path, step.within, step.grows)
        };
        assert_eq!(
            deep.steps.iter().map(said).collect::<Vec<_>>(),
            [
                "Get rest/chain within 3s []".to_owned(),
                format!("Get {last}/chain within 3s []"),
                "Post rest/chaincode within 3s []".to_owned(),
                "Get rest/chain within 15s [\"/height\"]".to_owned(),
                format!("Get {last}/chain within 15s [\"/height\"]"),
            ]
        );
        let invoke = &deep.steps[2];
        assert_eq!(invoke.expect, [JsonExpect::Equals { pointer: "/result/status".to_owned(), value: json!("OK") }]);
        let body = invoke.body.as_ref().expect("a body");
        assert_eq!(
            *body,
            json!({"jsonrpc": "2.0", "id": 1, "method": "invoke", "params": {"type": 1,
                   "chaincodeID": {"name": "poolmanager-probe"}, "ctorMsg": {"args": ["probe"]}}})
        );
    }
}

#[test]
fn a_template_without_one_has_none() {
    assert_eq!(plan(&file_with(""), &variables(&[]), &slot_2()).expect("good").deep_probe, None);
}

#[test]
fn one_that_needs_chaincode_suits_only_hosts_that_allow_it() {
    let deep =
        "{every: 1h, needs_chaincode: true, steps: [{method: POST, endpoint: e, path: /deploy, body: {a: [1]}}]}";
    let project = plan(&with_deep(deep), &variables(&[]), &slot_2()).expect("good");
    let deep = project.deep_probe.expect("it has one");
    assert!(deep.suits(Some("tcp://10.0.0.1:2375")) && !deep.suits(None));
    assert_eq!((deep.steps[0].method, &deep.steps[0].body), (HttpMethod::Post, &Some(json!({"a": [1]}))));
    assert!(fabric(0).deep_probe.expect("it has one").suits(None));
}

#[test]
fn a_deep_probe_that_cannot_be_carried_out_is_refused_with_its_field() {
    let get = "{endpoint: e, path: /a}";
    for (deep, path, words) in [
        ("{}", "deep.every", "missing"),
        ("{every: 1h}", "deep.steps", "missing"),
        ("{every: 1h, steps: []}", "deep.steps", "1 to 16 steps"),
        ("{every: 1s, steps: []}", "deep.every", "at least 10s"),
        ("{every: 1h, steps: [], evry: 1h}", "deep.evry", "not known here"),
        ("{every: 1h, needs_chaincode: maybe, steps: []}", "deep.needs_chaincode", "true or false"),
    ] {
        check(deep, path, words);
    }
    for (step, field, words) in [
        ("{path: /a}", ".endpoint", "missing"),
        ("{endpoint: x, path: /a}", ".endpoint", "no endpoint \"x\""),
        ("{endpoint: e}", ".path", "missing"),
        ("{endpoint: e, path: a}", ".path", "begin with /"),
        ("{endpoint: e, path: /a, method: PUT}", ".method", "GET or POST"),
        ("{endpoint: e, path: /a, body: {}}", ".body", "a GET has none"),
        ("{endpoint: e, path: /a, within: 0s}", ".within", "longer than nothing"),
        ("{endpoint: e, path: /a, within: 2m}", ".within", "at most 60s"),
        ("{endpoint: e, path: /a, timeout: 2s}", ".timeout", "not known here"),
        ("{endpoint: e, path: /a, expect: [{pointer: /h, grows: false}]}", ".expect[0].grows", "must be true"),
        ("{endpoint: e, path: /a, expect: [{pointer: h, grows: true}]}", ".expect[0].pointer", "JSON pointer"),
        ("{endpoint: e, path: /a, expect: [{pointer: /h, grows: true, length: 1}]}", ".expect[0].length", "not known"),
        ("{endpoint: e, path: /b, expect: [{pointer: /h, grows: true}]}", ".expect[0]", "a step before"),
        ("{endpoint: e, path: /a, expect: [{pointer: /h}]}", ".expect[0]", "one of length"),
    ] {
        check(&format!("{{every: 1h, steps: [{get}, {step}]}}"), &format!("deep.steps[1]{field}"), words);
    }
    let post = "{method: POST, endpoint: e, path: /a, expect: [{pointer: /h, grows: true}]}";
    check(&format!("{{every: 1h, steps: [{get}, {post}]}}"), "deep.steps[1].expect[0]", "only a GET");
    let long = format!("{{method: POST, endpoint: e, path: /a, body: {}}}", "x".repeat(17_000));
    check(&format!("{{every: 1h, steps: [{long}]}}"), "deep.steps[0].body", "at most 16384 bytes");
    let many = vec![get; 17].join(", ");
    check(&format!("{{every: 1h, steps: [{many}]}}"), "deep.steps", "1 to 16");
}

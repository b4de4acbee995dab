//! The API's document is true: of every route, with its role; of real answers; of the fields and parameters that are taken.

use std::collections::BTreeSet;

use admin::access::Needs;
use admin::routes;
use common::model::{Metadata, Role};
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};

use crate::support::{Answer, House};

async fn document(house: &House) -> Value {
    house.browser_of("vera").await.get("/openapi.json").await.is(200).json()
}

fn calls(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, call)| (method.as_str(), path.as_str(), call))
    })
}

/// Says of every object of fields that it has no others: what is answered and not described is a fault here.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && !map.contains_key("oneOf") && !map.contains_key("anyOf") {
                map.entry("additionalProperties").or_insert(json!(false));
            }
            map.values_mut().for_each(strict);
        }
        Value::Array(list) => list.iter_mut().for_each(strict),
        _ => {}
    }
}

/// That an answer is what the document says of it.
#[track_caller]
fn fits(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let said = &responses[answer.status.to_string()];
    assert!(said.is_object(), "{method} {path} says nothing of {}: {}", answer.status, answer.text);
    let said = match said["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => said,
    };
    let kind = answer.header("content-type").split(';').next().unwrap();
    if kind.is_empty() {
        assert_eq!(said["content"], Value::Null, "{method} {path}");
        return;
    }
    let mut schema = json!({"components": document["components"], "allOf": [said["content"][kind]["schema"]]});
    strict(&mut schema["components"]["schemas"]);
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let body = answer.json();
    let faults: Vec<String> = validator.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{method} {path}: {faults:#?} in {body:#}");
}

#[tokio::test]
async fn every_route_of_the_table_is_in_the_document_with_its_role_and_none_more() {
    let house = House::new().await;
    let document = document(&house).await;
    assert_eq!(document["openapi"], "3.1.0");
    let role = |needs: Needs| match needs {
        Needs::Role(Role::Viewer) => json!("viewer"),
        Needs::Role(Role::Operator) => json!("operator"),
        Needs::Role(Role::Admin) => json!("admin"),
        Needs::Nothing | Needs::OwnForm | Needs::SignedIn | Needs::InternalSecret | Needs::MetricsToken => Value::Null,
    };
    let table: BTreeSet<String> = routes::table()
        .into_iter()
        .filter(|entry| entry.path.starts_with("/api/v1/"))
        .map(|entry| format!("{} {} {}", entry.method.as_str().to_lowercase(), entry.path, role(entry.needs)))
        .collect();
    let said: BTreeSet<String> =
        calls(&document).map(|(method, path, call)| format!("{method} {path} {}", call["x-role"])).collect();
    assert_eq!(said, table);
    let mut names = BTreeSet::new();
    for (method, path, call) in calls(&document) {
        assert!(call["summary"].is_string(), "{method} {path} is described by nobody: see admin/src/api/docs");
        assert!(names.insert(call["operationId"].as_str().unwrap()), "{} twice", call["operationId"]);
        let statuses = call["responses"].as_object().unwrap().keys();
        assert!(statuses.into_iter().any(|status| status.starts_with('2')), "{method} {path}");
    }
    house.end().await;
}

#[tokio::test]
async fn schemas_are_sound_and_every_reference_leads_somewhere() {
    let house = House::new().await;
    let document = document(&house).await;
    let mut all = BTreeSet::new();
    fn references(of: &Value, all: &mut BTreeSet<String>) {
        match of {
            Value::Object(map) => {
                all.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, all));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, all)),
            _ => {}
        }
    }
    references(&document, &mut all);
    assert!(all.len() > 20, "{all:?}");
    for reference in all {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema:#}");
    }
    for (method, path, call) in calls(&document) {
        let content = &call["requestBody"]["content"]["application/json"];
        if content.is_object() {
            let schema = json!({"components": document["components"], "allOf": [content["schema"]]});
            let validator = jsonschema::validator_for(&schema).unwrap();
            assert!(validator.is_valid(&content["example"]), "the example of {method} {path}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn fields_and_parameters_are_those_that_are_taken() {
    let house = House::new().await;
    let document = document(&house).await;
    let host = house.add_host("h1").await;
    let cluster = house.add_free(&host, 0).await;
    let mut browser = house.browser_of("ada").await;
    let known = |text: &str| -> BTreeSet<String> {
        let names = text.split("there are ").nth(1).unwrap_or_else(|| panic!("{text}"));
        names.split(", ").filter(|name| *name != "none").map(str::to_owned).collect()
    };
    for (method, path, call) in calls(&document) {
        let id = if path.contains("/clusters/") { cluster.id.to_string() } else { host.id.to_string() };
        let place = path.replace("{id}", &id);
        let place = place.replace("{action}", if path.contains("clusters") { "restart" } else { "drain" });
        if let Some(name) = call["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str() {
            let fields = document.pointer(&format!("{}/properties", name.trim_start_matches('#'))).unwrap();
            let said: BTreeSet<String> = fields.as_object().unwrap().keys().cloned().collect();
            let answer = browser
                .json(
                    &method.to_uppercase(),
                    &place,
                    json!({"zzz": 1, "username": "x", "present": "y", "password": "y"}),
                )
                .await;
            let errors = answer.is(422).json()["errors"].as_array().unwrap().clone();
            let fault =
                errors.iter().find(|fault| fault["field"] == "zzz").unwrap_or_else(|| panic!("{}", answer.text));
            assert_eq!(said, known(fault["reason"].as_str().unwrap()), "{method} {path}");
        }
        let query = call["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "query");
        let said: BTreeSet<String> = query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        if method == "get" && !said.is_empty() {
            let answer = browser.get(&format!("{place}?zzz=1")).await;
            assert_eq!(said, known(answer.is(422).json()["errors"][0]["reason"].as_str().unwrap()), "{method} {path}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn real_answers_are_as_the_document_says() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let document = document(&house).await;
    let other = house.add_host("other").await;
    house.add_record(&other, 0, "alice").await;
    let held = house.add_held(&other, 1, "alice", Metadata::from([("team".into(), "<b>".into())])).await;
    let broken = crate::failures::failure(&house, 2).await;
    let mut browser = house.browser_of("ada").await;

    let host = json!({"name": "h1", "daemon_url": sim.url(), "address": sim.address().to_string(), "autofill": false});
    let added = browser.json("POST", "/api/v1/hosts", host.clone()).await;
    fits(&document, "post", "/api/v1/hosts", added.is(201));
    fits(&document, "post", "/api/v1/hosts", browser.json("POST", "/api/v1/hosts", host).await.is(200));
    let id = added.json()["id"].as_str().unwrap().to_owned();
    let record = browser.get("/api/v1/records").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let flavor = house.catalog.flavors()[0].id.to_string();
    let (of_host, of_cluster) = (format!("/api/v1/hosts/{id}"), format!("/api/v1/clusters/{}", held.id));
    let of_failed = format!("/api/v1/clusters/{}/evidence", broken.id);
    let looks = [
        ("/api/v1/session", "/api/v1/session".to_owned()),
        ("/api/v1/explain", "/api/v1/explain".into()),
        ("/api/v1/hosts", "/api/v1/hosts".into()),
        ("/api/v1/hosts/{id}", of_host.clone()),
        ("/api/v1/hosts/{id}/foreign", format!("{of_host}/foreign")),
        ("/api/v1/hosts/{id}/explain", format!("{of_host}/explain")),
        ("/api/v1/clusters", "/api/v1/clusters".into()),
        ("/api/v1/clusters/{id}", of_cluster.clone()),
        ("/api/v1/clusters/{id}/explain", format!("{of_cluster}/explain")),
        ("/api/v1/clusters/{id}/evidence", of_failed),
        ("/api/v1/evidence", "/api/v1/evidence".into()),
        ("/api/v1/records", "/api/v1/records".into()),
        ("/api/v1/records/{id}", format!("/api/v1/records/{record}")),
        ("/api/v1/flavors", "/api/v1/flavors".into()),
        ("/api/v1/flavors/{id}/explain", format!("/api/v1/flavors/{flavor}/explain")),
        ("/api/v1/events", "/api/v1/events?limit=1".into()),
        ("/api/v1/events/tail", "/api/v1/events/tail?after=0".into()),
    ];
    for (path, place) in looks {
        fits(&document, "get", path, browser.get(&place).await.is(200));
    }
    let network = json!({"Name": "lab"}).to_string();
    assert_eq!(sim.call("POST", "/networks/create", &network).await.0, 201);
    fits(&document, "get", "/api/v1/hosts/{id}/foreign", &browser.get(&format!("{of_host}/foreign")).await);

    let missing = "/api/v1/hosts/0123456789abcdef01234567";
    fits(&document, "get", "/api/v1/hosts/{id}", browser.get(missing).await.is(404));
    fits(&document, "get", "/api/v1/clusters", browser.get("/api/v1/clusters?limit=0").await.is(422));
    let changes = [
        ("POST", "/api/v1/hosts/many", "/api/v1/hosts/many".to_owned(), json!({"text": "h2 tcp://127.0.0.1:1\nh3"})),
        (
            "PATCH",
            "/api/v1/hosts/{id}",
            of_host.clone(),
            json!({"capacity": 7, "mix": [{"flavor": flavor, "weight": 1}]}),
        ),
        ("PATCH", "/api/v1/hosts/{id}", of_host.clone(), json!({"capacity": 7, "version": 99, "log_level": "debug"})),
        ("POST", "/api/v1/clusters", "/api/v1/clusters".into(), json!({"host": id, "flavor": flavor})),
        ("POST", "/api/v1/clusters/{id}/{action}", format!("{of_cluster}/stop"), json!({"node": "vp1"})),
        ("POST", "/api/v1/clusters/{id}/{action}", format!("{of_cluster}/release"), json!({})),
        ("DELETE", "/api/v1/clusters/{id}", of_cluster, json!(null)),
        ("POST", "/api/v1/hosts/{id}/{action}", format!("{of_host}/drain"), json!({})),
        ("POST", "/api/v1/hosts/{id}/reset", format!("{of_host}/reset"), json!({"confirm": "h1"})),
        ("POST", "/api/v1/hosts/{id}/reset", format!("{of_host}/reset"), json!({"confirm": "h2"})),
        ("DELETE", "/api/v1/hosts/{id}", of_host.clone(), json!({"version": 1})),
        ("DELETE", "/api/v1/hosts/{id}", of_host, json!({})),
        ("DELETE", "/api/v1/records/{id}", format!("/api/v1/records/{record}"), json!(null)),
        ("DELETE", "/api/v1/session", "/api/v1/session".into(), json!(null)),
        ("DELETE", "/api/v1/session", "/api/v1/session".into(), json!(null)),
    ];
    for (method, path, place, body) in changes {
        let answer = browser.json(method, &place, body).await;
        fits(&document, &method.to_lowercase(), path, &answer);
    }
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn the_page_has_every_call_and_is_for_who_is_signed_in() {
    let house = House::new().await;
    let document = document(&house).await;
    let mut browser = house.browser_of("vera").await;
    let page = browser.get("/docs").await;
    for (method, path, call) in calls(&document) {
        page.is(200).has(&format!("<code>{} {path}</code>", method.to_uppercase()));
        page.has(&format!("id=\"{}\"", call["operationId"].as_str().unwrap()));
    }
    page.has("id=\"type-Host\"").has("urn:poolmanager:problem:").has("<code>conflict</code>");
    for name in page.text.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.text.contains(&format!("id=\"{name}\"")), "{name} leads nowhere");
    }
    let of = |call: &str| {
        let rest = page.text.split(&format!("<section id=\"{call}\">")).nth(1).unwrap_or_else(|| panic!("no {call}"));
        rest.split("</section>").next().unwrap().to_owned()
    };
    for (method, path, call) in calls(&document) {
        let entry =
            routes::table().into_iter().find(|e| e.method.as_str().eq_ignore_ascii_case(method) && e.path == path);
        let words = match entry.unwrap().needs {
            Needs::Role(Role::Admin) => "for the role admin<",
            Needs::Role(Role::Operator) => "for the role operator or a higher one<",
            Needs::Role(Role::Viewer) => "for the role viewer or a higher one<",
            Needs::SignedIn => "for whoever is signed in<",
            Needs::Nothing | Needs::OwnForm | Needs::InternalSecret | Needs::MetricsToken => "for anybody<",
        };
        assert!(of(call["operationId"].as_str().unwrap()).contains(words), "{method} {path}: {words}");
    }
    let mut stranger = crate::support::Browser::new(&house.url);
    assert_eq!(stranger.get("/docs").await.is(303).location(), "/login?next=%2Fdocs");
    stranger.get("/openapi.json").await.is(401).has("not-signed-in");
    house.end().await;
}

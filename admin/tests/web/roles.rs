//! Who may call which route: the whole table, route by route.

use std::collections::BTreeMap;

use admin::access::{Needs, SESSION_COOKIE};
use admin::routes::{Entry, table};
use common::clock::now;
use common::model::{Actor, Event, EventKind, Role};
use serde_json::json;

use crate::support::{Answer, Browser, House, INTERNAL_SECRET, PASSWORD};

async fn call(browser: &mut Browser, entry: &Entry) -> Answer {
    let path = entry.path.replace("{id}", "0123456789abcdef01234567").replace("{action}", "release");
    let path = path.replace("{name}", "app.css");
    match (entry.method.as_str(), path.starts_with("/api/")) {
        ("GET", _) => browser.get(&path).await,
        ("POST", false) => browser.post(&path, &[]).await,
        (method, _) => browser.json(method, &path, json!({})).await,
    }
}

#[tokio::test]
async fn every_route_asks_for_what_the_table_says() {
    let house = House::new().await;
    let mut browsers: BTreeMap<Option<&str>, Browser> = BTreeMap::new();
    for entry in table() {
        let line = format!("{} {}", entry.method, entry.path);
        for (name, role) in [
            (None, None),
            (Some("vera"), Some(Role::Viewer)),
            (Some("otto"), Some(Role::Operator)),
            (Some("ada"), Some(Role::Admin)),
        ] {
            // One sign-in for each, and another where the route before has ended the session.
            let signed_in = |browser: &Browser| browser.cookies.contains_key(SESSION_COOKIE);
            if browsers.get(&name).is_none_or(|browser| name.is_some() && !signed_in(browser)) {
                let new = match name {
                    None => Browser::new(&house.url),
                    Some(name) => house.browser_of(name).await,
                };
                browsers.insert(name, new);
            }
            let browser = browsers.get_mut(&name).unwrap();
            let answer = call(browser, &entry).await;
            // Signing out leads to the sign-in too, for whoever was signed in.
            let signed_out = matches!(entry.path, "/logout" | "/access/sign-out") && name.is_some();
            let to_login = answer.status == 303 && answer.location().starts_with("/login") && !signed_out;
            let turned_away = to_login || matches!(answer.status, 401 | 403);
            let expected = match entry.needs {
                Needs::Nothing => true,
                // None is set in these houses.
                Needs::MetricsToken => true,
                // A wrong form is refused too, whoever sends it; that is tested with signing in.
                Needs::OwnForm => continue,
                Needs::InternalSecret => false,
                Needs::SignedIn => role.is_some(),
                Needs::Role(needed) => role >= Some(needed),
            };
            assert_eq!(!turned_away, expected, "{line} as {name:?}: {} {}", answer.status, answer.text);
            assert!(answer.status < 500, "{line} as {name:?}: {}", answer.text);
        }
    }
    house.end().await;
}

/// Whoever she is: the form must be ours, and the browser must not say that another site sent it.
#[tokio::test]
async fn every_change_without_our_token_or_from_another_site_is_refused() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let (csrf, mut tried) = (ada.csrf.clone(), 0);
    for entry in table() {
        if entry.method == "GET" || entry.needs == Needs::InternalSecret {
            continue;
        }
        let line = format!("{} {}", entry.method, entry.path);
        for (token, header) in [
            ("", None),
            ("0123456789abcdef", None),
            (csrf.as_str(), Some(("origin", "https://evil.example"))),
            (csrf.as_str(), Some(("origin", "null"))),
            (csrf.as_str(), Some(("sec-fetch-site", "cross-site"))),
            (csrf.as_str(), Some(("sec-fetch-site", "same-site"))),
        ] {
            // Signing in by JSON has no token: other sites cannot send its type without asking first.
            if entry.path == "/api/v1/session" && entry.needs == Needs::OwnForm && header.is_none() {
                continue;
            }
            ada.csrf = token.to_owned();
            ada.headers = header.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
            let answer = call(&mut ada, &entry).await;
            assert_eq!(answer.status, 403, "{line} with {token:?} and {header:?}: {}", answer.text);
            assert!(ada.cookies.contains_key(SESSION_COOKIE), "{line} with {token:?} and {header:?}");
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    (ada.csrf, ada.headers) = (csrf, Vec::new());
    ada.get("/").await.is(200);
    house.end().await;
}

/// A password that somebody else made opens nothing but the page on which another one is chosen.
#[tokio::test]
async fn with_a_one_time_password_only_a_password_can_be_chosen() {
    let house = House::new().await;
    let ann = house.store.operator_by_name("ada").await.unwrap().unwrap();
    let reset = ann.with_one_time_password(ann.password_hash.clone());
    let event = Event::new(now(), EventKind::Access, Actor::Reconciler, "a test");
    house.store.change_operator(&reset, event).await.unwrap();
    let mut browser = Browser::new(&house.url);
    browser.sign_in("ada", PASSWORD).await.is(303);
    for entry in table() {
        let Needs::Role(_) = entry.needs else { continue };
        let answer = call(&mut browser, &entry).await;
        let line = format!("{} {}: {} {}", entry.method, entry.path, answer.status, answer.text);
        match answer.status {
            303 => assert_eq!(answer.location(), "/access/password", "{line}"),
            status => assert!(status == 403 && answer.text.contains("password-needed"), "{line}"),
        }
    }
    browser.get("/access/password").await.is(200).has("good for one time");
    house.end().await;
}

#[tokio::test]
async fn only_operators_change_anything() {
    for entry in table() {
        let changes = entry.method != "GET";
        let own = matches!(entry.path, "/logout" | "/access/password" | "/access/sign-out")
            || entry.path.starts_with("/access/sessions/")
            || entry.path.starts_with("/api/v1/session");
        match entry.needs {
            Needs::SignedIn | Needs::Role(Role::Viewer) => {
                assert!(!changes || own, "{} {}", entry.method, entry.path);
            }
            Needs::Nothing => assert!(!changes, "{} {}", entry.method, entry.path),
            Needs::Role(Role::Operator | Role::Admin)
            | Needs::OwnForm
            | Needs::InternalSecret
            | Needs::MetricsToken => {}
        }
    }
}

#[tokio::test]
async fn a_viewer_is_told_what_her_role_lacks() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    browser.get("/hosts/new").await.is(403).has("This needs the role operator; yours is viewer.");
    browser.get("/hosts").await.is(200);
    assert!(!browser.get("/hosts").await.text.contains("Add a host"), "what she may not do is not offered");
    house.end().await;
}

#[tokio::test]
async fn the_doorbell_rings_for_whoever_knows_the_secret() {
    let house = House::new().await;
    let mut app = Browser::new(&house.url);
    for wrong in ["", "Bearer ", "Bearer wrong", INTERNAL_SECRET, &format!("bearer {INTERNAL_SECRET}")] {
        app.headers = vec![("authorization", wrong.to_owned())];
        app.json("POST", "/internal/doorbell", json!(null)).await.is(401);
    }
    app.headers = vec![("authorization", format!("Bearer {INTERNAL_SECRET}"))];
    app.json("POST", "/internal/doorbell", json!(null)).await.is(204);
    app.get("/internal/doorbell").await.is(405);
    house.end().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_safety_and_a_request_id() {
    let house = House::new().await;
    let mut nobody = Browser::new(&house.url);
    let mut ada = house.browser_of("ada").await;
    let mut answers = Vec::new();
    for path in ["/", "/login", "/healthz", "/readyz", "/nothing", "/api/v1/hosts", "/api/nothing", "/assets/app.css"] {
        answers.push((path, nobody.get(path).await));
        answers.push((path, ada.get(path).await));
    }
    answers.push(("PUT", ada.json("PUT", "/hosts", json!({})).await));
    answers.push(("large", ada.raw("POST", "/hosts/new", "text/plain", vec![b'a'; 100_000]).await));
    for (path, answer) in answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
        let kept = answer.header("cache-control") != "no-store";
        assert_eq!(kept, path.starts_with("/assets/"), "{path}: only styles may be kept");
    }
    house.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_voice_of_the_asker() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    ada.get("/nothing").await.is(404).has("<h1>Not found</h1>").has("Sign out");
    let nobody = Browser::new(&house.url).get("/nothing").await;
    assert!(!nobody.is(404).has("<h1>Not found</h1>").text.contains("Sign out"), "nobody is signed in");
    ada.get("/hosts/nothing").await.is(404).has("There is no such host.");
    ada.get("/clusters/0123456789abcdef01234567").await.is(404).has("There is no such cluster.");
    let api = ada.get("/api/v1/nothing").await;
    assert_eq!(api.is(404).header("content-type"), "application/problem+json");
    assert_eq!(api.json()["request_id"], api.header("x-request-id"));
    let method = ada.json("PUT", "/api/v1/hosts", json!({})).await;
    assert_eq!(method.is(405).header("allow"), "GET, POST");
    ada.raw("POST", "/api/v1/hosts", "application/json", vec![b' '; 70_000]).await.is(413);
    house.end().await;
}

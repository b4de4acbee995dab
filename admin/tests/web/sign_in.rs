//! Signing in and out, and what a session is worth.

use std::time::Duration;

use admin::access::{FirstOperator, Passwords, SESSION_COOKIE, make_first_operator, session_id};
use common::clock::now;
use common::config::Secret;
use common::model::{Role, Session};
use common::store::{EventFilter, Page};
use serde_json::json;

use crate::support::{Browser, House, PASSWORD, hidden};

#[tokio::test]
async fn the_right_password_opens_and_sign_out_closes() {
    let house = House::new().await;
    let mut browser = Browser::new(&house.url);
    let before = browser.get("/hosts?after=1").await;
    assert_eq!((before.status, before.location()), (303, "/login?next=%2Fhosts%3Fafter%3D1"));

    let answer = browser.sign_in_for("/hosts", "ada", PASSWORD).await;
    assert_eq!((answer.status, answer.location()), (303, "/hosts"));
    browser.get("/hosts").await.is(200).has("ada");

    let cookie = browser.cookies[SESSION_COOKIE].clone();
    let out = browser.post("/logout", &[]).await;
    assert_eq!(out.location(), "/login?why=out");
    browser.cookies.insert(SESSION_COOKIE.into(), cookie);
    assert_eq!(browser.get("/hosts").await.status, 303, "the session itself has ended, not only the cookie");
    let events = house.store.list_events(&EventFilter::default(), &Page::first(2)).await.unwrap();
    let access: Vec<&str> = events.iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(access, ["signed out", "signed in from 127.0.0.1"]);
    house.end().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let house = House::new().await;
    let mut browser = Browser::new(&house.url);
    let wrong = browser.sign_in("ada", "not the password").await;
    let unknown = browser.sign_in("nobody", PASSWORD).await;
    for answer in [&wrong, &unknown] {
        answer.is(422).has("The name or the password is wrong.");
        assert!(!answer.headers.get_all("set-cookie").iter().any(|c| c.to_str().unwrap().contains(SESSION_COOKIE)));
    }
    assert_eq!(hidden(&wrong.text, "next"), "/");
    wrong.has("value=\"ada\"");
    assert!(!wrong.text.contains("not the password"), "a password never comes back");

    let answer = browser.json("POST", "/api/v1/session", json!({"username": "ada", "password": "x"})).await;
    assert_eq!(answer.is(401).json()["type"], "urn:poolmanager:problem:wrong-credentials");
    house.end().await;
}

#[tokio::test]
async fn guessing_is_stopped_even_with_the_right_password_at_last() {
    let house = House::new().await;
    let mut browser = Browser::new(&house.url);
    for _ in 0..10 {
        let body = json!({"username": "ada", "password": "guess"});
        browser.json("POST", "/api/v1/session", body).await.is(401);
    }
    let answer = browser.json("POST", "/api/v1/session", json!({"username": "ada", "password": PASSWORD})).await;
    answer.is(429);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 60);
    let page = browser.sign_in("ada", PASSWORD).await;
    page.is(429).has("Too many failed attempts");
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 60);
    browser.sign_in("otto", PASSWORD).await.is(303);
    let mut elsewhere = Browser::new(&house.url);
    elsewhere.headers.push(("x-forwarded-for", "203.0.113.9".into()));
    elsewhere.sign_in("ada", PASSWORD).await.is(303);
    house.end().await;
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_from_plain_http_behind_tls() {
    let house = House::new().await;
    let mut browser = Browser::new(&house.url);
    let cookie_of = |answer: &crate::support::Answer| {
        let mut all = answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned());
        all.find(|c| c.starts_with(SESSION_COOKIE)).unwrap()
    };
    let plain = cookie_of(&browser.sign_in("ada", PASSWORD).await);
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(plain.contains(attribute), "{plain}");
    }
    assert!(!plain.contains("Secure"), "or no browser would send it over plain http");
    browser.headers.push(("x-forwarded-proto", "https".into()));
    let tls = cookie_of(&browser.sign_in("ada", PASSWORD).await);
    assert!(tls.contains("Secure"), "{tls}");
    house.end().await;
}

#[tokio::test]
async fn a_session_is_new_at_every_sign_in_and_the_one_before_ends() {
    let house = House::new().await;
    let mut browser = house.browser_of("ada").await;
    let first = browser.cookies[SESSION_COOKIE].clone();
    browser.sign_in("ada", PASSWORD).await.is(303);
    assert_ne!(browser.cookies[SESSION_COOKIE], first);
    browser.cookies.insert(SESSION_COOKIE.into(), first);
    browser.get("/").await.is(303);
    // A session that an attacker planted is not made good by signing in with it.
    let mut planted = Browser::new(&house.url);
    planted.cookies.insert(SESSION_COOKIE.into(), "a".repeat(64));
    planted.sign_in("ada", PASSWORD).await.is(303);
    assert_ne!(planted.cookies[SESSION_COOKIE], "a".repeat(64));
    house.end().await;
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_a_week_and_with_its_operator() {
    let house = House::new().await;
    let mut browser = house.browser_of("ada").await;
    let id = session_id(&browser.cookies[SESSION_COOKIE]).unwrap();
    let session = house.store.session(&id).await.unwrap().unwrap();

    let idle = Session { used_at: now() - Duration::from_secs(8 * 3600), ..session.clone() };
    house.store.put_session(&idle).await.unwrap();
    browser.get("/").await.is(303);
    assert_eq!(house.store.session(&id).await.unwrap(), None, "and the store is rid of it");

    let old = Session { ends_at: now(), ..session.clone() };
    house.store.put_session(&old).await.unwrap();
    browser.get("/").await.is(303);

    let used = Session { used_at: now() - Duration::from_secs(7 * 3600), ..session };
    house.store.put_session(&used).await.unwrap();
    browser.get("/").await.is(200);
    let touched = house.store.session(&id).await.unwrap().unwrap();
    assert!(touched.used_at > used.used_at, "using it keeps it");
    house.end().await;
}

#[tokio::test]
async fn a_form_without_our_token_changes_nothing() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut browser = house.browser_of("ada").await;
    let path = format!("/hosts/{}/delete", host.id);
    browser.post_bare(&path, &[]).await.is(403).has("nothing was changed");
    browser.post_bare(&path, &[("csrf", &"0".repeat(64))]).await.is(403);
    let other = house.browser_of("otto").await;
    browser.post_bare(&path, &[("csrf", &other.csrf)]).await.is(403);
    let api = format!("/api/v1/hosts/{}", host.id);
    browser.csrf = String::new();
    browser.json("DELETE", &api, json!(null)).await.is(403).has("X-CSRF-Token");
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap().version, 1);
    house.end().await;
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing_even_with_our_token() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut browser = house.browser_of("ada").await;
    let path = format!("/hosts/{}/delete", host.id);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        browser.headers = vec![(name, value.into())];
        browser.post(&path, &[]).await.is(403).has("another site");
        browser.json("DELETE", &format!("/api/v1/hosts/{}", host.id), json!(null)).await.is(403);
    }
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap().version, 1);
    browser.headers = vec![("origin", house.url.clone()), ("sec-fetch-site", "same-origin".into())];
    browser.post(&path, &[("version", "1")]).await.is(303);
    house.end().await;
}

#[tokio::test]
async fn the_sign_in_form_must_be_the_one_we_gave() {
    let house = House::new().await;
    let mut browser = Browser::new(&house.url);
    let fields = [("username", "ada"), ("password", PASSWORD)];
    browser.post_bare("/login", &fields).await.is(403);
    browser.get("/login").await.is(200);
    browser.post_bare("/login", &fields).await.is(403);
    let with = [("csrf", "0".repeat(64)), ("username", "ada".into()), ("password", PASSWORD.into())];
    let with: Vec<(&str, &str)> = with.iter().map(|(k, v)| (*k, v.as_str())).collect();
    browser.post_bare("/login", &with).await.is(403);
    let kind = "application/x-www-form-urlencoded";
    let body = format!("username=ada&password={}", PASSWORD.replace(' ', "+")).into_bytes();
    browser.raw("POST", "/api/v1/session", kind, body).await.is(415);
    house.end().await;
}

#[tokio::test]
async fn a_sign_in_never_leads_to_another_site() {
    let house = House::new().await;
    for next in
        ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"]
    {
        let mut browser = Browser::new(&house.url);
        let answer = browser.sign_in_for(next, "ada", PASSWORD).await;
        assert_eq!((answer.status, answer.location()), (303, "/"), "{next}");
        let encoded: String = next.bytes().map(|b| format!("%{b:02x}")).collect();
        let page = browser.get(&format!("/login?next={encoded}")).await;
        assert_eq!(hidden(&page.text, "next"), "/", "{next}");
    }
    house.end().await;
}

#[tokio::test]
async fn the_first_operator_is_made_once_and_her_password_is_told_once() {
    let house = House::new().await;
    let passwords = Passwords::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = common::store::StoreTarget::Sqlite { path: folder.path().join("poolmanager.db") };
    let empty = common::store::open(&target, common::store::StoreUser::Admin).await.unwrap();
    let make = async |configured: Option<&Secret>| {
        make_first_operator(empty.as_ref(), &passwords, "admin", configured, now()).await.unwrap()
    };
    let FirstOperator::MadeWithPassword(password) = make(None).await else { panic!("she should be made") };
    let operator = empty.operator_by_name("admin").await.unwrap().unwrap();
    assert_eq!(operator.role, Role::Admin);
    assert!(passwords.check(password.expose(), Some(&operator.password_hash)).await.unwrap());
    assert!(password.expose().len() >= 20);

    assert_eq!(make(None).await, FirstOperator::Exists);
    assert_eq!(make(Some(&password)).await, FirstOperator::Exists);
    assert_eq!(make(Some(&Secret::new("another one"))).await, FirstOperator::PasswordIgnored);
    assert_eq!(empty.operator_by_name("admin").await.unwrap().unwrap(), operator, "nothing about her changed");
    empty.close().await;
    house.end().await;
}

//! Operators, passwords and sessions: who may change what, and how soon it holds.

use admin::access::SESSION_COOKIE;
use common::clock::now;
use common::model::Role;
use common::store::{EventFilter, Page};
use serde_json::{Value, json};

use crate::support::{Answer, Browser, House, PASSWORD, hidden};

const CHOSEN: &str = "a password of my own";

/// The one-time password that a page shows.
fn shown(answer: &Answer) -> String {
    let (_, rest) = answer.text.split_once("<code>").unwrap_or_else(|| panic!("no secret: {}", answer.text));
    rest.split_once("</code>").unwrap().0.to_owned()
}

async fn id_of(house: &House, username: &str) -> String {
    house.store.operator_by_name(username).await.unwrap().unwrap().id.to_string()
}

async fn last_event(house: &House) -> String {
    house.store.list_events(&EventFilter::default(), &Page::first(1)).await.unwrap().remove(0).reason
}

async fn role_of(house: &House, username: &str) -> Option<Role> {
    house.store.operator_by_name(username).await.unwrap().map(|operator| operator.role)
}

#[tokio::test]
async fn a_new_operator_chooses_a_password_of_her_own_before_anything_else() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    ada.get("/access/operators/new").await.is(200);
    let made = ada.post("/access/operators/new", &[("username", "eve"), ("role", "operator")]).await;
    let password = shown(made.is(200));
    assert_eq!(made.header("cache-control"), "no-store");
    assert!(!made.headers.get_all("set-cookie").iter().any(|c| c.to_str().unwrap().contains("pm_flash")));
    assert_eq!(last_event(&house).await, "added the operator eve with the role operator");
    let again = ada.post("/access/operators/new", &[("username", "Eve"), ("role", "root")]).await;
    again.is(422).has("Name is taken").has("Role must be viewer, operator or admin").has("value=\"Eve\"");

    let mut eve = Browser::new(&house.url);
    eve.sign_in("eve", &password).await.is(303);
    assert_eq!(eve.get("/hosts").await.location(), "/access/password");
    eve.get("/access/password").await.is(200);
    let before = eve.cookies[SESSION_COOKIE].clone();
    let chosen = [("present", password.as_str()), ("password", CHOSEN), ("again", CHOSEN)];
    let changed = eve.post("/access/password", &chosen).await;
    assert_eq!((changed.status, changed.location()), (303, "/access"));
    assert_ne!(eve.cookies[SESSION_COOKIE], before, "the session is another one");
    eve.get("/access").await.is(200).has("Your password is changed");
    eve.get("/hosts/new").await.is(200);
    let mut late = Browser::new(&house.url);
    late.sign_in("eve", &password).await.is(422);
    late.sign_in("eve", CHOSEN).await.is(303);
    house.end().await;
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_ends_every_other_session() {
    let house = House::new().await;
    let (mut here, mut there) = (house.browser_of("vera").await, house.browser_of("vera").await);
    for (present, password, again, says) in [
        ("wrong", CHOSEN, CHOSEN, "Present password is wrong"),
        (PASSWORD, "short", "short", "at least 12 characters"),
        (PASSWORD, CHOSEN, "another thing", "again is not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "must be another"),
        ("", CHOSEN, CHOSEN, "Present password is wrong"),
    ] {
        let fields = [("present", present), ("password", password), ("again", again)];
        let answer = here.post("/access/password", &fields).await;
        answer.is(422).has(says);
        assert!(!answer.text.contains(CHOSEN) && !answer.text.contains(PASSWORD), "no password comes back");
    }
    there.get("/").await.is(200);
    let fields = [("present", PASSWORD), ("password", CHOSEN), ("again", CHOSEN)];
    here.post("/access/password", &fields).await.is(303);
    assert_eq!(there.get("/").await.status, 303, "the other browser is out");
    here.get("/").await.is(200);
    assert_eq!(last_event(&house).await, "changed the own password, which ended every other session");
    house.end().await;
}

#[tokio::test]
async fn whoever_stole_a_session_does_not_learn_the_password_by_guessing() {
    let house = House::new().await;
    let mut thief = house.browser_of("ada").await;
    let guess = json!({"present": "a guess", "password": CHOSEN});
    for _ in 0..10 {
        assert!(
            thief.json("PUT", "/api/v1/session/password", guess.clone()).await.is(422).faults().contains("present")
        );
    }
    let right = json!({"present": PASSWORD, "password": CHOSEN});
    thief.json("PUT", "/api/v1/session/password", right).await.is(429);
    house.end().await;
}

#[tokio::test]
async fn a_role_and_an_end_hold_from_the_next_request() {
    let house = House::new().await;
    let (mut ada, mut vera) = (house.browser_of("ada").await, house.browser_of("vera").await);
    let page = format!("/access/operators/{}", id_of(&house, "vera").await);
    vera.get("/hosts/new").await.is(403);
    let version = hidden(&ada.get(&page).await.text, "version");
    let role = [("role", "operator"), ("version", version.as_str())];
    assert_eq!(ada.post(&format!("{page}/role"), &role).await.location(), "/access");
    ada.get("/access").await.has("vera has the role operator now.");
    vera.get("/hosts/new").await.is(200);
    // What was decided on what is not so any more is not done.
    let role = [("role", "admin"), ("version", version.as_str())];
    assert_eq!(ada.post(&format!("{page}/role"), &role).await.location(), page);
    ada.get(&page).await.has("changed meanwhile");
    assert_eq!(role_of(&house, "vera").await, Some(Role::Operator));

    let version = hidden(&ada.get(&page).await.text, "version");
    let wrong = ada.post(&format!("{page}/delete"), &[("confirm", "ver"), ("version", &version)]).await;
    wrong.is(422).has("must be vera");
    ada.post(&format!("{page}/delete"), &[("confirm", "vera"), ("version", &version)]).await.is(303);
    assert_eq!(vera.get("/").await.status, 303, "she is out at once");
    assert_eq!(last_event(&house).await, "deleted the operator vera");
    ada.get(&page).await.is(404);
    house.end().await;
}

#[tokio::test]
async fn a_reset_password_ends_sessions_and_is_made_once_a_form() {
    let house = House::new().await;
    let (mut ada, mut otto) = (house.browser_of("ada").await, house.browser_of("otto").await);
    let page = format!("/access/operators/{}", id_of(&house, "otto").await);
    let version = hidden(&ada.get(&page).await.text, "version");
    let made = ada.post(&format!("{page}/password"), &[("version", &version)]).await;
    let password = shown(made.is(200));
    assert_eq!(otto.get("/").await.status, 303);
    otto.sign_in("otto", PASSWORD).await.is(422);
    let again = ada.post(&format!("{page}/password"), &[("version", &version)]).await;
    assert_eq!(again.location(), page, "a form that is sent twice makes one password");
    otto.sign_in("otto", &password).await.is(303);
    let said = last_event(&house).await;
    let events = house.store.list_events(&EventFilter::default(), &Page::first(50)).await.unwrap();
    assert!(events.iter().all(|event| !event.reason.contains(&password)), "{said}");
    house.end().await;
}

#[tokio::test]
async fn nobody_does_it_to_herself_and_the_last_admin_stays() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let id = id_of(&house, "ada").await;
    assert_eq!(ada.get(&format!("/access/operators/{id}")).await.location(), "/access");
    let own = format!("/api/v1/operators/{id}");
    ada.json("PATCH", &own, json!({"role": "viewer"})).await.is(409).has("your own role");
    ada.json("DELETE", &own, json!({"confirm": "ada"})).await.is(409).has("delete yourself");
    ada.json("POST", &format!("{own}/password"), json!({})).await.is(409);
    // Two admins take the role from each other at the same moment.
    house.add_operator("eva", Role::Admin).await;
    let mut eva = house.browser_of("eva").await;
    let (evas, adas) = (format!("/api/v1/operators/{}", id_of(&house, "eva").await), own);
    let demote = json!({"role": "viewer"});
    let (one, other) = tokio::join!(ada.json("PATCH", &evas, demote.clone()), eva.json("PATCH", &adas, demote.clone()));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(statuses == [200, 409] || statuses == [200, 403], "{} {}", one.text, other.text);
    let roles = [role_of(&house, "ada").await, role_of(&house, "eva").await];
    assert_eq!(roles.iter().filter(|role| **role == Some(Role::Admin)).count(), 1, "{roles:?}");
    house.end().await;
}

#[tokio::test]
async fn she_sees_where_she_is_signed_in_and_ends_one_or_all() {
    let house = House::new().await;
    let mut here = house.browser_of("otto").await;
    let mut phone = Browser::new(&house.url);
    phone.headers =
        vec![("user-agent", "<script>alert(1)</script> Firefox/1".into()), ("x-forwarded-for", "203.0.113.9".into())];
    phone.sign_in("otto", PASSWORD).await.is(303);
    let page = here.get("/access").await;
    page.is(200).has("203.0.113.9").has("127.0.0.1").has("(this browser)").has(">Firefox</span>");
    assert!(!page.text.contains("<script>alert"), "what a browser says is escaped");
    assert!(!page.text.contains("Add an operator"), "she is no admin");

    let list = here.get("/api/v1/sessions").await.json();
    let of_phone = list["items"].as_array().unwrap().iter().find(|one| one["address"] == "203.0.113.9").unwrap();
    let id = of_phone["id"].as_str().unwrap();
    assert_eq!(of_phone["this"], false);
    // Another's session is not hers to end.
    let mut vera = house.browser_of("vera").await;
    vera.json("DELETE", &format!("/api/v1/sessions/{id}"), json!(null)).await.is(204);
    phone.get("/").await.is(200);
    here.post(&format!("/access/sessions/{id}/end"), &[]).await.is(303);
    assert_eq!(phone.get("/").await.status, 303);
    here.get("/access").await.is(200).has("The session from 203.0.113.9 has ended.");

    let mut elsewhere = house.browser_of("otto").await;
    let out = here.post("/access/sign-out", &[]).await;
    assert_eq!(out.location(), "/login?why=everywhere");
    for browser in [&mut here, &mut elsewhere] {
        assert_eq!(browser.get("/").await.status, 303);
    }
    vera.get("/").await.is(200);
    house.end().await;
}

#[tokio::test]
async fn an_admin_signs_somebody_out_everywhere() {
    let house = House::new().await;
    let (mut ada, mut vera) = (house.browser_of("ada").await, house.browser_of("vera").await);
    let id = id_of(&house, "vera").await;
    ada.post(&format!("/access/operators/{id}/sign-out"), &[]).await.is(303);
    assert_eq!(vera.get("/").await.status, 303);
    vera.sign_in("vera", PASSWORD).await.is(303);
    ada.json("DELETE", &format!("/api/v1/operators/{id}/sessions"), json!(null)).await.is(204);
    assert_eq!(vera.get("/").await.status, 303);
    assert_eq!(last_event(&house).await, "signed vera out everywhere");
    house.end().await;
}

/// A sign-in whose password was right before, and that comes through after everybody was signed out, opens nothing.
#[tokio::test]
async fn a_session_of_before_does_not_come_back() {
    let house = House::new().await;
    let (mut ada, mut vera) = (house.browser_of("ada").await, house.browser_of("vera").await);
    let id = admin::access::session_id(&vera.cookies[SESSION_COOKIE]).unwrap();
    let session = house.store.session(&id).await.unwrap().unwrap();
    let of = id_of(&house, "vera").await;
    ada.json("DELETE", &format!("/api/v1/operators/{of}/sessions"), json!(null)).await.is(204);
    house.store.put_session(&session).await.unwrap();
    assert_eq!(vera.get("/").await.status, 303);
    assert_eq!(house.store.session(&id).await.unwrap(), None);
    assert!(session.created_at <= now());
    house.end().await;
}

#[tokio::test]
async fn operators_by_json() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let made = ada.json("POST", "/api/v1/operators", json!({"username": "<script>", "role": "viewer"})).await;
    let one = made.is(201).json();
    let path = made.location().to_owned();
    assert_eq!(
        (&one["username"], &one["role"], &one["one_time_password"]),
        (&"<script>".into(), &"viewer".into(), &true.into())
    );
    assert!(one["password"].as_str().unwrap().len() > 20);
    let page = ada.get("/access").await;
    assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script></a>"), "{}", page.text);

    let seen = ada.get(&path).await.json();
    assert_eq!(seen["password"], Value::Null, "told once");
    assert!(!seen.to_string().contains("argon2"), "{seen}");
    let all = ada.get("/api/v1/operators").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
    ada.json("PATCH", &path, json!({"role": "root"})).await.is(422).faults().contains("role");
    ada.json("PATCH", &path, json!({"role": "operator", "x": 1})).await.is(422).faults().contains("x");
    let changed = ada.json("PATCH", &path, json!({"role": "operator", "version": 1})).await;
    assert_eq!(changed.is(200).json()["role"], "operator");
    ada.json("PATCH", &path, json!({"role": "viewer", "version": 1})).await.is(409);
    ada.json("POST", &format!("{path}/password"), json!({"version": 2})).await.is(200);
    ada.json("DELETE", &path, json!({})).await.is(422).faults().contains("confirm");
    ada.json("DELETE", &path, json!({"confirm": "<script>"})).await.is(204);
    ada.get(&path).await.is(404);
    let refused = ada.json("POST", "/api/v1/operators", json!({"username": "otto"})).await;
    assert_eq!(refused.is(422).faults(), ["role".to_owned(), "username".to_owned()].into());
    house.end().await;
}

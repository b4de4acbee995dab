//! Tokens for the users' API: made once, shown once, ended for ever.

use common::model::{TokenKind, TokenText, UserId};
use common::store::{EventFilter, Page, TokenFilter};
use serde_json::{Value, json};

use crate::support::{House, hidden};

#[tokio::test]
async fn a_token_is_shown_once_and_its_form_makes_one() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let blank = ada.get("/access/tokens/new?user=alice").await;
    blank.is(200).has("value=\"alice\"").has("value=\"90d\"");
    let id = hidden(&blank.text, "id");
    let fields = [
        ("id", id.as_str()),
        ("kind", "user"),
        ("user", "alice"),
        ("name", "<script>"),
        ("expires", "12h"),
        ("leases_max", "3"),
    ];
    let made = ada.post("/access/tokens/new", &fields).await;
    let (_, rest) = made.is(200).text.split_once("<code>").unwrap();
    let text = rest.split_once("</code>").unwrap().0.to_owned();
    let token = house.store.list_tokens(&TokenFilter::default(), &Page::first(2)).await.unwrap().remove(0);
    assert_eq!(token.hash, TokenText::parse(&text).expect("a token").hash());
    assert_eq!(token.kind, TokenKind::User { user: UserId::parse("alice").unwrap() });
    assert_eq!((token.leases_max, token.created_by.as_str(), token.id.to_string()), (Some(3), "ada", id.clone()));
    assert_eq!(token.expires_at.unwrap().since(token.created_at).as_secs(), 12 * 3600);
    // A double click, and a page that is loaded again.
    let again = ada.post("/access/tokens/new", &fields).await;
    again.is(409).has("was sent before");
    assert!(!again.text.contains(&text));
    assert_ne!(hidden(&again.text, "id"), id, "a new form for a new token");
    assert_eq!(house.store.list_tokens(&TokenFilter::default(), &Page::first(9)).await.unwrap().len(), 1);

    let list = ada.get("/access/tokens").await;
    list.is(200).has("&lt;script&gt;").has("alice").has("at most 3").has(">live</span>");
    assert!(!list.text.contains(&text) && !list.text.contains("<script></th>"), "{}", list.text);
    ada.get(&format!("/access/tokens/{id}/revoke")).await.is(200).has("Revoke it");
    ada.post(&format!("/access/tokens/{id}/revoke"), &[]).await.is(303);
    ada.get("/access/tokens").await.has("within seconds it is good nowhere").has(">revoked</span>");
    ada.get(&format!("/access/tokens/{id}/revoke")).await.is(200).has("not good any more");
    let events = house.store.list_events(&EventFilter::default(), &Page::first(9)).await.unwrap();
    let said: Vec<&str> = events.iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(said[0], "revoked the token \"<script>\" of user alice");
    assert!(said[1].starts_with("made the token \"<script>\" for user alice, until "), "{said:?}");
    assert!(said[1].ends_with(" UTC"), "to the minute: {said:?}");
    assert!(said.iter().all(|reason| !reason.contains("pm_")), "{said:?}");
    house.end().await;
}

#[tokio::test]
async fn a_form_that_is_refused_says_what_is_wrong_at_the_field() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let fields = [("kind", "user"), ("user", ""), ("expires", "soon"), ("leases_max", "0")];
    let answer = ada.post("/access/tokens/new", &fields).await;
    answer.is(422).has("User must not be empty").has("Expires must be a number of days").has("value=\"soon\"");
    answer.has("Clusters at most must be a whole number from 1");
    ada.post("/access/tokens/new", &[("kind", "service"), ("user", "left over"), ("name", "web")]).await.is(200);
    assert_eq!(house.store.list_tokens(&TokenFilter::default(), &Page::first(9)).await.unwrap().len(), 1);
    house.end().await;
}

#[tokio::test]
async fn tokens_by_json() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    let body = json!({"kind": "service", "name": "web", "expires": "never"});
    let made = ada.json("POST", "/api/v1/tokens", body).await;
    let one = made.is(201).json();
    let path = made.location().to_owned();
    assert!(TokenText::parse(one["token"].as_str().unwrap()).is_some(), "{one}");
    let seen = ada.get(&path).await.json();
    assert_eq!((&seen["token"], &seen["state"], &seen["expires_at"]), (&Value::Null, &"live".into(), &Value::Null));
    assert!(seen["hash"].is_null(), "{seen}");
    for n in 0..3 {
        let body = json!({"kind": "user", "user": format!("u{}", n % 2), "leases_max": 2});
        ada.json("POST", "/api/v1/tokens", body).await.is(201);
    }
    let first = ada.get("/api/v1/tokens?limit=3").await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let next = first["next"].as_str().unwrap();
    let rest = ada.get(&format!("/api/v1/tokens?limit=3&after={next}")).await.json();
    assert_eq!((rest["items"][0]["id"].clone(), rest["next"].clone()), (one["id"].clone(), Value::Null));
    assert_eq!(ada.get("/api/v1/tokens?user=u0").await.json()["items"].as_array().unwrap().len(), 2);
    ada.json("DELETE", &path, json!(null)).await.is(204);
    ada.json("DELETE", &path, json!(null)).await.is(204);
    let ended = ada.get(&path).await.json();
    assert_eq!((&ended["state"], &ended["revoked_by"]), (&"revoked".into(), &"ada".into()));
    let wrong = ada.json("POST", "/api/v1/tokens", json!({"kind": "user", "x": 1, "leases_max": "many"})).await;
    assert_eq!(wrong.is(422).faults(), ["leases_max".to_owned(), "x".to_owned()].into());
    ada.json("DELETE", "/api/v1/tokens/0123456789abcdef01234567", json!(null)).await.is(404);
    house.end().await;
}

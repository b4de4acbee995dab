//! Events: picked by kind, actor and time, and followed as they come.

use std::time::{Duration, Instant};

use common::clock::now;
use common::model::{Actor, Event, EventKind, Metadata};
use serde_json::{Value, json};

use crate::support::House;

fn reasons(answer: &Value) -> Vec<String> {
    answer["items"].as_array().unwrap().iter().map(|event| event["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn events_are_followed_from_a_place_on_and_each_shows_once() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut browser = house.browser_of("vera").await;
    let first = browser.get("/api/v1/events/tail").await.is(200).json();
    assert_eq!(first["items"], json!([]), "from now on: none yet");
    let mut place = first["next"].as_str().unwrap().to_owned();
    let mut seen = Vec::new();
    for n in 0..3 {
        let event =
            Event::new(now(), EventKind::HostChanged, Actor::Reconciler, format!("thing {n}")).about_host(&host.id);
        house.store.append_events(&[event]).await.unwrap();
        let answer = browser.get(&format!("/api/v1/events/tail?after={}&wait=5", encoded(&place))).await.json();
        seen.extend(reasons(&answer));
        place = answer["next"].as_str().unwrap().to_owned();
    }
    assert_eq!(seen, ["thing 0", "thing 1", "thing 2"]);
    house.end().await;
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn who_waits_is_answered_when_something_happens_and_not_for_what_she_did_not_ask() {
    let house = House::new().await;
    let (h1, h2) = (house.add_host("h1").await, house.add_host("h2").await);
    let mut browser = house.browser_of("vera").await;
    let place = browser.get("/api/v1/events/tail").await.json()["next"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/events/tail?after={}&wait=30&host={}", encoded(&place), h1.id);
    let begun = Instant::now();
    let write = async {
        for (host, words) in [(&h2, "not asked for"), (&h1, "asked for")] {
            let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, words).about_host(&host.id);
            house.store.append_events(&[event]).await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(browser.get(&path), write);
    assert_eq!(reasons(&answer.is(200).json()), ["asked for"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "it was answered when it happened");
    let nothing = format!("/api/v1/events/tail?after={}&wait=1&kind=swept", encoded(&place));
    assert_eq!(
        browser.get(&nothing).await.is(200).json()["items"],
        json!([]),
        "and at the end of the wait in any case"
    );
    house.end().await;
}

#[tokio::test]
async fn a_wrong_place_wait_or_filter_is_refused_by_its_field() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    for (query, field) in [
        ("after=nowhere", "after"),
        ("after=999999999", "after"),
        ("wait=31", "wait"),
        ("wait=-1", "wait"),
        ("wait=soon", "wait"),
        ("kind=sorrow", "kind"),
        ("kind=applied", "kind"),
        ("actor=otto", "actor"),
        ("since=yesterday", "since"),
        ("host=h1", "host"),
        ("limit=5", "limit"),
    ] {
        let answer = browser.get(&format!("/api/v1/events/tail?{query}")).await;
        assert_eq!(answer.is(422).json()["field"], field, "{query}");
    }
    browser.get("/api/v1/events?kind=sorrow").await.is(422).has("must be one or more of creating, ready");
    browser.get("/events?kind=sorrow").await.is(400).has("must be one or more of");
    house.end().await;
}

#[tokio::test]
async fn events_are_picked_by_kind_actor_and_time() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut otto = house.browser_of("otto").await;
    otto.json("POST", &format!("/api/v1/clusters/{}/release", held.id), json!(null)).await.is(202);
    let picked = async |browser: &mut crate::support::Browser, query: &str| {
        reasons(&browser.get(&format!("/api/v1/events?{query}")).await.is(200).json())
    };
    assert_eq!(picked(&mut otto, "kind=released").await, ["released by operator otto"]);
    assert_eq!(picked(&mut otto, "kind=released,creating").await.len(), 2);
    assert_eq!(picked(&mut otto, "actor=operator:otto&kind=released").await.len(), 1);
    assert_eq!(picked(&mut otto, "actor=operator:ada").await.len(), 0);
    assert_eq!(picked(&mut otto, "since=2100-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(picked(&mut otto, "until=2100-01-01T00:00:00Z&kind=released").await.len(), 1);
    let of_it = format!("cluster={}", held.id);
    assert_eq!(picked(&mut otto, &format!("{of_it}&kind=applied")).await, ["given to alice"], "the claim is derived");
    assert!(!picked(&mut otto, &format!("{of_it}&kind=released")).await.contains(&"given to alice".to_owned()));
    let page = otto.get("/events?kind=released").await;
    page.is(200).has("<option value=\"released\" selected>").has("released by operator otto");
    assert!(!page.text.contains("the pool is short"));
    house.end().await;
}

#[tokio::test]
async fn a_place_that_is_none_is_told_by_its_field_whatever_is_wrong_with_it() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    for list in ["events", "tokens", "clusters", "hosts", "records", "evidence"] {
        for after in ["nowhere", "0123456789abcdef01234567", "0123456789ABCDEF01234567", "-1", "name.asc.a.zz"] {
            let answer = ada.get(&format!("/api/v1/{list}?after={after}")).await;
            assert_eq!(answer.is(422).json()["field"], "after", "{list} {after}");
        }
    }
    ada.get("/events?after=0123456789abcdef01234567").await.is(400);
    house.end().await;
}

#[tokio::test]
async fn one_operator_waits_in_so_many_calls_and_leaves_room_for_others() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    let place = browser.get("/api/v1/events/tail").await.json()["next"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/events/tail?after={}&wait=30&kind=swept", encoded(&place));
    let mut waiting = Vec::new();
    for _ in 0..25 {
        let (mut browser, path) = (browser.clone(), path.clone());
        waiting.push(Box::pin(async move { browser.get(&path).await }));
    }
    let mut refused = 0;
    let others = async {
        let mut otto = house.browser_of("otto").await;
        let path = path.replace("wait=30", "wait=1");
        otto.get(&path).await.is(200);
        let event = Event::new(now(), EventKind::Swept, Actor::Reconciler, "something");
        house.store.append_events(&[event]).await.unwrap();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(waiting), others);
    for answer in &answers {
        match answer.status {
            200 => assert_eq!(reasons(&answer.json()), ["something"]),
            _ => {
                answer.is(429).has("too-many-at-once").has("20 calls of yours wait for events already");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 5);
    house.end().await;
}

//! What is done with a host as a whole: purposes, trying again, cordon, by page and by JSON.

use common::model::{Asked, Host, HostPurpose, Metadata};
use serde_json::{Value, json};

use crate::support::{Browser, House};

async fn host(house: &House, id: &common::model::HostId) -> Host {
    house.store.host(id).await.unwrap().unwrap()
}

async fn post(browser: &mut Browser, host: &Host, action: &str, body: Value) -> crate::support::Answer {
    browser.json("POST", &format!("/api/v1/hosts/{}/{action}", host.id), body).await
}

#[tokio::test]
async fn each_purpose_is_a_wish_in_the_record_with_who_asked() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    for (action, purpose, said) in [
        ("fillup", "fill_up", "to its capacity of 5 has begun"),
        ("clean", "clean", "Cleaning host h1 has begun"),
        ("drain", "drain", "Draining host h1 has begun"),
        ("serve", "serve", "is back in service"),
    ] {
        let answer = post(&mut browser, &made, action, json!({})).await;
        assert!(answer.is(202).json()["message"].as_str().unwrap().contains(said), "{}", answer.text);
        let after = host(&house, &made.id).await;
        assert_eq!(after.purpose.as_str(), purpose);
        assert_eq!(after.purpose.asked().map(|asked| asked.by.as_str()), (purpose != "serve").then_some("otto"));
        let shown = browser.get(&format!("/api/v1/hosts/{}", made.id)).await.json();
        assert_eq!(shown["purpose"]["purpose"], purpose);
        // Asked twice is once.
        post(&mut browser, &made, action, json!({})).await.is(202);
        assert_eq!(host(&house, &made.id).await.version, after.version, "{action} twice");
    }
    assert!(!host(&house, &made.id).await.settings.autofill, "cleaning turns it off for good");
    let events = browser.get(&format!("/api/v1/events?host={}", made.id)).await.json();
    let said: Vec<&str> = events["items"].as_array().unwrap().iter().map(|e| e["reason"].as_str().unwrap()).collect();
    assert_eq!(
        said[..4],
        [
            "host h1: back to service; ended: drain (asked by otto)",
            "host h1: drain, in the place of: clean (asked by otto)",
            "host h1: clean, and keep filled no more, in the place of: fill up (asked by otto)",
            "host h1: fill up",
        ]
    );
    assert_eq!(events["items"][0]["actor_name"], "otto");
    house.end().await;
}

#[tokio::test]
async fn the_page_offers_what_can_be_done_and_does_it_without_scripts() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    house.add_held(&made, 1, "alice", Metadata::new()).await;
    house.add_free(&made, 0).await;
    let mut browser = house.browser_of("otto").await;
    let at = |action: &str| format!("/hosts/{}/{action}", made.id);
    let page = browser.get(&format!("/hosts/{}", made.id)).await;
    for action in ["fillup", "clean", "drain", "reset", "cordon", "retry"] {
        page.has(&at(action));
    }
    browser.get(&at("clean")).await.is(200).has("Clean host h1?").has("<strong>1</strong>").has("keep filled");
    browser.get(&at("drain")).await.is(200).has("Drain host h1?").has("It lasts until you end it");
    browser.get(&at("serve")).await.is(404);
    let answer = browser.post(&at("drain"), &[("version", "1")]).await;
    let page = browser.follow(&answer).await;
    page.has("Draining host h1 has begun").has("1 cluster that users hold stay").has("This host is drained");
    page.has("asked by otto").has("1 left to remove; 1 in use stay").has("End it: back to service");
    browser.get("/hosts").await.has("drained");
    let answer = browser.post(&at("serve"), &[("version", "2")]).await;
    browser.follow(&answer).await.has("Host h1 is back in service.");
    browser.post(&at("fillup"), &[]).await.is(400).has("The form has no version.");
    house.end().await;
}

#[tokio::test]
async fn cordon_and_uncordon_are_one_click_each() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    let answer = browser.post(&format!("/hosts/{}/cordon", made.id), &[("version", "1")]).await;
    let page = browser.follow(&answer).await;
    page.has("Host h1 is cordoned").has("/uncordon");
    assert!(!host(&house, &made.id).await.settings.schedulable);
    // A double click sends the same form twice.
    let answer = browser.post(&format!("/hosts/{}/cordon", made.id), &[("version", "1")]).await;
    browser.follow(&answer).await.has("is cordoned already");
    post(&mut browser, &made, "fillup", json!({})).await.is(409).has("uncordon it first");
    post(&mut browser, &made, "uncordon", json!({"version": 2})).await.is(202);
    assert!(host(&house, &made.id).await.settings.schedulable);
    browser.get("/events").await.has("schedulable yes → no").has("schedulable no → yes");
    house.end().await;
}

#[tokio::test]
async fn trying_again_is_noted_and_a_double_click_is_one() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    post(&mut browser, &made, "retry", json!({})).await.is(202).has("Another try of what failed");
    let after = host(&house, &made.id).await;
    assert!(after.try_again.is_some());
    post(&mut browser, &made, "retry", json!({"version": 1})).await.is(202);
    assert_eq!(host(&house, &made.id).await.purpose, HostPurpose::Serve);
    browser.get("/events").await.has("try again what failed");
    house.end().await;
}

#[tokio::test]
async fn who_acts_on_an_older_state_is_told_to_look_again() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    browser.json("PATCH", &format!("/api/v1/hosts/{}", made.id), json!({"capacity": 6})).await.is(200);
    for action in ["fillup", "clean", "drain", "retry", "cordon"] {
        post(&mut browser, &made, action, json!({"version": 1})).await.is(409).has("look at it again");
        let answer = browser.post(&format!("/hosts/{}/{action}", made.id), &[("version", "1")]).await;
        browser.follow(&answer).await.has("changed by somebody else meanwhile").has("class=\"alert bad\"");
    }
    let reset = json!({"version": 1, "confirm": "h1"});
    post(&mut browser, &made, "reset", reset).await.is(409).has("look at it again");
    let force = json!({"version": 1, "confirm": "h1", "force": true});
    let api = format!("/api/v1/hosts/{}", made.id);
    browser.json("DELETE", &api, force).await.is(409).has("look at it again");
    browser.json("DELETE", &api, json!({"version": 1})).await.is(409);
    assert_eq!(host(&house, &made.id).await.version, 2);
    house.end().await;
}

#[tokio::test]
async fn a_host_on_its_way_out_takes_no_other_purpose() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    house.add_free(&made, 0).await;
    let mut browser = house.browser_of("otto").await;
    browser.json("DELETE", &format!("/api/v1/hosts/{}", made.id), json!(null)).await.is(202);
    for action in ["fillup", "clean", "drain", "serve", "cordon"] {
        post(&mut browser, &made, action, json!({})).await.is(409).has("is being deleted (asked by otto)");
    }
    post(&mut browser, &made, "reset", json!({"confirm": "h1"})).await.is(409).has("is being deleted");
    post(&mut browser, &made, "retry", json!({})).await.is(202);
    let page = browser.get(&format!("/hosts/{}", made.id)).await;
    page.has("This host is being deleted").has("Delete by force");
    assert!(!page.text.contains("/drain"), "what cannot be done is not offered");
    house.end().await;
}

#[tokio::test]
async fn wrong_input_is_refused_by_name() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    assert_eq!(post(&mut browser, &made, "drain", json!({"version": "1"})).await.is(422).json()["field"], "version");
    assert_eq!(post(&mut browser, &made, "drain", json!({"colour": 1})).await.is(422).json()["field"], "colour");
    post(&mut browser, &made, "paint", json!({})).await.is(404);
    browser.json("POST", "/api/v1/hosts/0123456789abcdef01234567/drain", json!({})).await.is(404).has("no such host");
    let capacity = json!({"capacity": 0});
    browser.json("PATCH", &format!("/api/v1/hosts/{}", made.id), capacity).await.is(200);
    post(&mut browser, &made, "fillup", json!({})).await.is(409).has("capacity of 0");
    house.end().await;
}

#[tokio::test]
async fn a_mix_is_set_by_page_and_by_json_and_refused_with_field_and_reason() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let (one, two) = (house.catalog.flavors()[0].id.clone(), house.catalog.flavors()[1].id.clone());
    let mut browser = house.browser_of("otto").await;
    let api = format!("/api/v1/hosts/{}", made.id);
    let mix = json!([{"flavor": one, "weight": 2, "min_free": 1}, {"flavor": two, "weight": 1, "min_free": 0}]);
    let answer = browser.json("PATCH", &api, json!({"mix": mix})).await;
    assert_eq!(answer.is(200).json()["mix"], mix);
    browser.get(&format!("/hosts/{}/configure", made.id)).await.has(&format!("value=\"{one}=2:1, {two}=1\""));
    browser.get("/events").await.has(&format!("mix the pool&#39;s → {one}=2:1, {two}=1"));
    for (wrong, words) in [
        (json!([{"flavor": "fabric-9.9"}]), "names fabric-9.9, which is no flavor"),
        (json!([{"flavor": one, "min_free": 6}]), "at least 6 free clusters, and the capacity is 5"),
        (json!("text"), "must be a list"),
    ] {
        let answer = browser.json("PATCH", &api, json!({"mix": wrong})).await;
        assert_eq!(answer.is(422).json()["field"], "mix");
        answer.has(words);
    }
    let path = format!("/hosts/{}/configure", made.id);
    let typed = [("version", "2"), ("address", "h1.example"), ("mix", "fabric-9.9=1:<b>")];
    let page = browser.post(&path, &crate::host_form::fields(&typed)).await;
    page.is(422).has("id=\"mix-error\"").has("names fabric-9.9").has("fabric-9.9=1:&lt;b&gt;");
    let typed = [("version", "2"), ("address", "h1.example"), ("mix", "")];
    let answer = browser.post(&path, &crate::host_form::fields(&typed)).await;
    browser.follow(&answer).await.has("is configured");
    assert_eq!(host(&house, &made.id).await.settings.mix, []);
    house.end().await;
}

#[tokio::test]
async fn deleting_by_force_says_who_loses_what_and_asks_for_the_name() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let other = house.add_host("h2").await;
    house.add_held(&made, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let path = format!("/hosts/{}/force", made.id);
    browser.get(&format!("/hosts/{}/delete", made.id)).await.has(&path);
    browser.get(&path).await.is(200).has("<strong>alice</strong> loses h1_0").has("This one answers");
    for (typed, words) in
        [("", "must be the name of the host, h1"), ("h2", "is not the name of this host, which is h1")]
    {
        let page = browser.post(&path, &[("version", "1"), ("confirm", typed)]).await;
        page.is(422).has(words).has("id=\"confirm-error\"").has("alice");
        let body = json!({"force": true, "confirm": typed});
        let answer = browser.json("DELETE", &format!("/api/v1/hosts/{}", made.id), body).await;
        assert_eq!(answer.is(422).json()["field"], "confirm");
    }
    assert_eq!(host(&house, &made.id).await.purpose, HostPurpose::Serve);
    let answer = browser.post(&path, &[("version", "1"), ("confirm", " h1 ")]).await;
    browser.follow(&answer).await.has("Deleting host h1 by force has begun").has("h1_0 by alice");
    let after = host(&house, &made.id).await;
    assert!(matches!(&after.purpose, HostPurpose::Leave { by_force: true, asked } if asked.by == "otto"));
    browser.get("/events").await.has("is to be deleted by force").has("(h1_0 by alice) are lost");
    let answer = browser.post(&path, &[("version", "1"), ("confirm", "h1")]).await;
    browser.follow(&answer).await.has("Deleting host h1 by force was asked for already, by otto.");
    assert_eq!(host(&house, &other.id).await.purpose, HostPurpose::Serve);
    house.end().await;
}

#[tokio::test]
async fn a_deletion_under_way_can_be_turned_into_one_by_force_and_not_back() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let leaving = made.leave(Asked { since: common::clock::now(), by: "ada".into() }, false);
    let event = common::model::Event::new(
        common::clock::now(),
        common::model::EventKind::HostChanged,
        common::model::Actor::Reconciler,
        "leaves",
    );
    house.store.change_host(&leaving, event).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let api = format!("/api/v1/hosts/{}", made.id);
    browser.json("DELETE", &api, json!({"force": true, "confirm": "h1", "version": 2})).await.is(202);
    assert!(matches!(host(&house, &made.id).await.purpose, HostPurpose::Leave { by_force: true, .. }));
    browser.json("DELETE", &api, json!({})).await.is(202).has("Deleting host h1 was asked for already");
    assert!(matches!(host(&house, &made.id).await.purpose, HostPurpose::Leave { by_force: true, .. }));
    house.end().await;
}

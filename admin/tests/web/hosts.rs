//! Configuring and deleting hosts, by page and by JSON.

use common::clock::now;
use common::model::{Actor, Event, EventKind, HostPurpose, Metadata};
use serde_json::{Value, json};

use crate::host_form::fields;
use crate::support::{House, hidden};

#[tokio::test]
async fn a_host_is_configured_by_page_and_by_json() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    let path = format!("/hosts/{}/configure", host.id);
    let form = browser.get(&path).await;
    form.is(200).has("value=\"h1.example\"").has("tcp://10.1.2.3:2375");
    let version = hidden(&form.text, "version");
    let typed = fields(&[("version", &version), ("name", "renamed"), ("address", "h1.example"), ("capacity", "9")]);
    let answer = browser.post(&path, &typed).await;
    browser.follow(&answer).await.has("Host renamed is configured.");
    let now = house.store.host(&host.id).await.unwrap().unwrap();
    assert_eq!((now.settings.name.as_str(), now.settings.capacity, now.settings.autofill), ("renamed", 9, false));
    browser.get("/events").await.has("capacity 5 → 9");

    let api = format!("/api/v1/hosts/{}", host.id);
    let answer = browser.json("PATCH", &api, json!({"log_type": "syslog", "log_server": "tcp://10.0.0.2:514"})).await;
    assert_eq!(answer.is(200).json()["name"], "renamed", "what is not given stays");
    let answer = browser.json("PATCH", &api, json!({"log_type": "local"})).await;
    assert_eq!(answer.is(200).json()["log_server"], Value::Null);
    let answer = browser.json("PATCH", &api, json!({"daemon_url": "tcp://10.1.2.4:2375"})).await;
    assert_eq!(answer.is(422).json()["field"], "daemon_url");
    let answer = browser.json("PATCH", &api, json!({})).await;
    assert_eq!(answer.is(200).json()["version"], 4, "nothing given, nothing changed");
    house.end().await;
}

#[tokio::test]
async fn who_configures_an_older_state_is_told_to_look_again() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    let api = format!("/api/v1/hosts/{}", host.id);
    browser.json("PATCH", &api, json!({"capacity": 6, "version": 1})).await.is(200);
    browser.json("PATCH", &api, json!({"capacity": 7, "version": 1})).await.is(409).has("look at it again");
    let path = format!("/hosts/{}/configure", host.id);
    let page = browser.post(&path, &fields(&[("version", "1"), ("capacity", "8"), ("address", "h1.example")])).await;
    page.is(409).has("changed by somebody else").has("value=\"8\"");
    assert_eq!(hidden(&page.text, "version"), "2");
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap().settings.capacity, 6);
    house.end().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_is_refused_at_the_field() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_host("h2").await;
    for slot in 0..3 {
        house.add_free(&host, slot).await;
    }
    let mut browser = house.browser_of("otto").await;
    let api = format!("/api/v1/hosts/{}", host.id);
    let path = format!("/hosts/{}/configure", host.id);
    for (field, value, words) in [
        ("capacity", json!(2), "is below the 3 clusters"),
        ("capacity", json!(300), "may be at most 257"),
        ("name", json!("h2"), "there is a host h2 already"),
        ("address", json!("h2.example"), "is that of host h2 already"),
        ("log_server", json!("udp://x:1"), "only for the log type syslog"),
    ] {
        let answer = browser.json("PATCH", &api, json!({field: value.clone()})).await;
        assert_eq!(answer.is(422).json()["field"], field);
        answer.has(words);
        if field != "log_server" {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let typed = [("version", "1"), ("address", "h1.example"), (field, text.as_str())];
            browser.post(&path, &fields(&typed)).await.is(422).has(words).has("Nothing was changed.");
        }
    }
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap(), host);
    house.end().await;
}

#[tokio::test]
async fn a_host_with_leased_clusters_is_not_deleted_and_says_who_holds_them() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_held(&host, 0, "alice", Metadata::new()).await;
    house.add_free(&host, 1).await;
    let mut browser = house.browser_of("otto").await;
    let page = browser.get(&format!("/hosts/{}/delete", host.id)).await;
    page.is(200).has("h1_0").has("alice");
    assert!(!page.text.contains("<button class=\"btn btn-danger\""), "there is no button to press in vain");
    let answer = browser.json("DELETE", &format!("/api/v1/hosts/{}", host.id), json!(null)).await;
    answer.is(409).has("1 cluster held by users (h1_0 by alice)").has("schedulable");
    let answer = browser.post(&format!("/hosts/{}/delete", host.id), &[("version", "1")]).await;
    browser.follow(&answer).await.has("h1_0 by alice");
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap().purpose, HostPurpose::Serve);
    house.end().await;
}

#[tokio::test]
async fn a_host_is_deleted_by_marking_it_to_leave_and_asking_twice_is_fine() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_free(&host, 0).await;
    let mut browser = house.browser_of("otto").await;
    browser.get(&format!("/hosts/{}/delete", host.id)).await.is(200).has("<strong>1</strong>");
    let answer = browser.post(&format!("/hosts/{}/delete", host.id), &[("version", "1")]).await;
    browser.follow(&answer).await.has("Deleting host h1 has begun: first its 1 cluster, then the host.");
    let after = house.store.host(&host.id).await.unwrap().unwrap();
    assert!(matches!(after.purpose, HostPurpose::Leave { ref asked, .. } if asked.by == "otto"));
    let again = browser.json("DELETE", &format!("/api/v1/hosts/{}", host.id), json!(null)).await;
    again.is(202).has("Deleting host h1 was asked for already");
    assert_eq!(house.store.host(&host.id).await.unwrap().unwrap(), after);
    let patch = browser.json("PATCH", &format!("/api/v1/hosts/{}", host.id), json!({"capacity": 4})).await;
    patch.is(409).has("is being deleted");
    browser.get(&format!("/hosts/{}", host.id)).await.has("This host is being deleted");
    // When the reconciler is done the record is gone.
    let cluster =
        house.store.list_clusters(&Default::default(), &common::store::Page::first(10)).await.unwrap().remove(0);
    let removing = cluster.remove(common::model::Why::HostLeaves, now()).unwrap();
    house.store.move_cluster(&cluster, &removing, None).await.unwrap();
    let gone = Event::new(now(), EventKind::Removed, Actor::Reconciler, "gone");
    house.store.vanish(&removing, gone.clone()).await.unwrap();
    house.store.delete_host(&host.id, after.version, gone).await.unwrap();
    browser.json("DELETE", &format!("/api/v1/hosts/{}", host.id), json!(null)).await.is(404);
    browser.get("/hosts").await.has("There is no host yet");
    house.end().await;
}

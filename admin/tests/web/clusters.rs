//! The lists of clusters, and what can be done with one.

use common::clock::now;
use common::model::{Contact, HostState, Metadata, PhaseKind, Want, Why};
use serde_json::json;

use crate::support::{House, hidden};

#[tokio::test]
async fn each_list_shows_its_own() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let gone = house.add_record(&host, 3, "bob").await;
    let held = house.add_held(&host, 1, "alice", Metadata::new()).await;
    let free = house.add_free(&host, 0).await;
    let broken = house.add_cluster(&host, 2).await;
    let failed = broken.fail(Why::CreateFailed { error: "no such image: x:9".into() }, now()).unwrap();
    house.store.move_cluster(&broken, &failed, None).await.unwrap();

    let mut browser = house.browser_of("vera").await;
    let link = |id: &dyn std::fmt::Display| format!("href=\"/clusters/{id}\"");
    let active = browser.get("/clusters").await;
    active.is(200).has(&link(&free.id)).has(&link(&held.id));
    assert!(!active.text.contains(&link(&failed.id)));
    let used = browser.get("/clusters?type=inused").await;
    used.has(&link(&held.id)).has("alice");
    assert!(!used.text.contains(&link(&free.id)));
    browser.get("/clusters?type=failed").await.has(&link(&failed.id)).has("could not be made: no such image: x:9");
    browser.get("/clusters?type=released").await.has(gone.name.as_str()).has("released by bob");
    assert!(!browser.get("/clusters?type=released&user=carol").await.text.contains("h1_3"));
    browser.get("/clusters?type=inused&user=alice").await.has(&link(&held.id));
    assert!(!browser.get("/clusters?type=inused&user=bob").await.text.contains(&link(&held.id)));
    browser.get("/clusters?type=other").await.is(400).has("must be active, inused, released, failed or existing");

    let api = browser.get("/api/v1/clusters?type=inused").await.json();
    assert_eq!(api["items"].as_array().unwrap().len(), 1);
    assert_eq!(api["items"][0]["lease"]["user"], "alice");
    assert_eq!(browser.get("/api/v1/clusters?phase=failed").await.json()["items"][0]["id"], failed.id.as_str());
    assert_eq!(browser.get("/api/v1/records").await.json()["items"][0]["user"], "bob");
    browser.get("/api/v1/clusters?type=released").await.is(422).has("/api/v1/records");
    browser.get("/api/v1/clusters?fase=free").await.is(422).has("is not a parameter here");
    house.end().await;
}

#[tokio::test]
async fn a_long_list_comes_in_parts_that_leave_nothing_out() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    for slot in 0..7 {
        house.add_cluster(&host, slot).await;
        house.add_record(&host, 100 + slot, "bob").await;
    }
    let mut browser = house.browser_of("vera").await;
    for path in ["/api/v1/clusters", "/api/v1/records", "/api/v1/events"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let part = browser.get(&format!("{path}?limit=3{after}")).await.json();
            seen.extend(part["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match part["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let whole = browser.get(&format!("{path}?limit=200")).await.json();
        assert_eq!(seen.len(), whole["items"].as_array().unwrap().len(), "{path}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), whole["items"].as_array().unwrap().len(), "{path}: none twice");
    }
    for wrong in ["limit=0", "limit=201", "limit=x", "after=x", "host=x"] {
        browser.get(&format!("/api/v1/clusters?{wrong}")).await.is(422);
    }
    house.end().await;
}

#[tokio::test]
async fn a_clusters_page_tells_what_it_is() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let metadata = Metadata::from([("purpose".to_owned(), "a course".to_owned())]);
    let held = house.add_held(&host, 0, "alice", metadata).await;
    let mut browser = house.browser_of("otto").await;
    let page = browser.get(&format!("/clusters/{}", held.id)).await;
    for words in ["h1_0", "in use", "alice", "a course", "http://h1.example:7050", "vp0", "vp1", "Release", "/restart"]
    {
        page.is(200).has(words);
    }
    let mut viewer = house.browser_of("vera").await;
    let page = viewer.get(&format!("/clusters/{}", held.id)).await;
    assert!(!page.text.contains("<form class=\"inline\"") && !page.text.contains("/release\""), "a viewer only looks");
    let api = viewer.get(&format!("/api/v1/clusters/{}", held.id)).await.json();
    assert_eq!(api["lease"]["metadata"]["purpose"], "a course");
    assert_eq!(api["endpoints"]["rest"]["url"], "http://h1.example:7050");
    assert_eq!(api["nodes"][0]["name"], "vp0");
    house.end().await;
}

#[tokio::test]
async fn a_clusters_events_tell_for_whom_it_was_applied_also_when_it_is_gone() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let gone = house.add_record(&host, 1, "bob").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("vera").await;
    browser.get(&format!("/clusters/{}", held.id)).await.is(200).has("applied").has("given to alice");
    browser.get(&format!("/events?cluster={}", held.id)).await.is(200).has("given to alice");
    for (cluster, user, kinds) in
        [(&held, "alice", vec!["applied", "creating"]), (&gone, "bob", vec!["removed", "applied", "creating"])]
    {
        let events = browser.get(&format!("/api/v1/events?cluster={}", cluster.id)).await.json();
        let events = events["items"].as_array().unwrap();
        assert_eq!(events.iter().map(|event| event["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
        let applied = events.iter().find(|event| event["kind"] == "applied").unwrap();
        assert_eq!((&applied["actor"], &applied["user"]), (&json!("user"), &json!(user)));
        assert_eq!(applied["cluster_name"], cluster.name.as_str());
        assert_eq!(applied["at"], cluster.lease().unwrap().applied_at.to_string());
    }
    house.end().await;
}

#[tokio::test]
async fn a_health_that_is_unknown_because_the_host_is_away_says_so() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let cluster = house.add_cluster(&host, 0).await;
    let mut browser = house.browser_of("vera").await;
    let path = format!("/clusters/{}", cluster.id);
    assert!(!browser.get(&path).await.is(200).has("unknown").text.contains("does not answer"));
    let state = HostState::Inactive { since: now(), why: "refused".into() };
    house.store.note_contact(&host.id, &Contact { state, ..host.contact.clone() }).await.unwrap();
    browser.get(&path).await.is(200).has("unknown").has("its host does not answer");
    house.end().await;
}

#[tokio::test]
async fn stopping_and_starting_nodes_writes_down_what_is_wanted() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let free = house.add_free(&host, 0).await;
    let mut browser = house.browser_of("otto").await;
    let answer = browser.post(&format!("/clusters/{}/stop", free.id), &[("node", "vp1")]).await;
    browser.follow(&answer).await.has("Stopping vp1 of h1_0 has begun.");
    let stopped = house.cluster(&free.id).await;
    let wants: Vec<Want> = stopped.wishes.values().map(|wish| wish.want).collect();
    assert_eq!(wants, [Want::Running, Want::Stopped]);
    assert_eq!(stopped.offer, None, "nobody is given a cluster with a stopped node");
    let api = |action: &str| format!("/api/v1/clusters/{}/{action}", free.id);
    browser.json("POST", &api("stop"), json!({"node": "vp1"})).await.is(202).has("asked for already");
    assert_eq!(house.cluster(&free.id).await.version, stopped.version, "asking twice changes nothing");
    browser.json("POST", &api("start"), json!({})).await.is(202);
    assert!(house.cluster(&free.id).await.wishes.values().all(|wish| wish.want == Want::Running));
    let answer = browser.json("POST", &api("stop"), json!({"node": "vp9"})).await;
    assert_eq!(answer.is(422).json()["field"], "node");
    browser.json("POST", &api("stop"), json!({"node": "<script>"})).await.is(422);
    browser.json("POST", &api("explode"), json!({})).await.is(404);
    browser.json("POST", &api("stop"), json!({"nodes": "vp1"})).await.is(422).has("is not a field");
    house.end().await;
}

#[tokio::test]
async fn a_restart_that_is_sent_twice_happens_once() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let page = browser.get(&format!("/clusters/{}", held.id)).await;
    let seen = hidden(&page.text, "restarts");
    let path = format!("/clusters/{}/restart", held.id);
    let form = [("restarts", seen.as_str()), ("lease", held.lease().unwrap().id.as_str())];
    browser.post(&path, &form).await.is(303);
    let again = browser.post(&path, &form).await;
    browser.follow(&again).await.has("A restart of h1_0 was asked for already");
    let seqs: Vec<u32> = house.cluster(&held.id).await.wishes.values().map(|wish| wish.restart_seq).collect();
    assert_eq!(seqs, [1, 1]);
    house.end().await;
}

#[tokio::test]
async fn release_asks_first_and_takes_the_cluster_from_its_user() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let path = format!("/clusters/{}/release", held.id);
    browser.get(&path).await.is(200).has("<strong>alice</strong> holds it");
    assert_eq!(house.cluster(&held.id).await.phase.kind(), PhaseKind::InUse, "asking is not doing");
    let answer = browser.post(&path, &[]).await;
    browser.follow(&answer).await.has("h1_0 was taken back from alice");
    let releasing = house.cluster(&held.id).await;
    assert_eq!(releasing.phase.kind(), PhaseKind::Releasing);
    let again = browser.post(&path, &[]).await;
    browser.follow(&again).await.has("was released already, by otto");
    assert_eq!(house.cluster(&held.id).await.version, releasing.version);
    browser.get(&format!("/events?cluster={}", held.id)).await.has("released by operator otto");
    house.end().await;
}

#[tokio::test]
async fn a_held_cluster_is_not_deleted_and_a_free_one_is_not_released() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 1, "alice", Metadata::new()).await;
    let free = house.add_free(&host, 0).await;
    let mut browser = house.browser_of("otto").await;
    let answer = browser.json("DELETE", &format!("/api/v1/clusters/{}", held.id), json!(null)).await;
    answer.is(409).has("is held by alice: release it instead");
    let answer = browser.json("POST", &format!("/api/v1/clusters/{}/release", free.id), json!(null)).await;
    answer.is(409).has("a cluster that is free cannot be released");
    let answer = browser.post(&format!("/clusters/{}/release", free.id), &[]).await;
    browser.follow(&answer).await.has("cannot be released").has("class=\"alert bad\"");

    browser.get(&format!("/clusters/{}/delete", free.id)).await.is(200).has("Delete h1_0?");
    let answer = browser.post(&format!("/clusters/{}/delete", free.id), &[]).await;
    browser.follow(&answer).await.has("The removal of h1_0 has begun.");
    let removing = house.cluster(&free.id).await;
    assert_eq!(removing.phase.kind(), PhaseKind::Removing);
    let again = browser.json("DELETE", &format!("/api/v1/clusters/{}", free.id), json!(null)).await;
    again.is(202).has("The removal of h1_0 has begun already");
    assert_eq!(house.cluster(&free.id).await.version, removing.version);
    let stop = browser.json("POST", &format!("/api/v1/clusters/{}/stop", free.id), json!({})).await;
    stop.is(409).has("a cluster that is removing cannot be stopped");
    house.end().await;
}

#[tokio::test]
async fn a_record_is_deleted_by_page_and_by_json() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    for user in ["bob", "carol"] {
        house.add_record(&host, 0, user).await;
    }
    let mut browser = house.browser_of("otto").await;
    let items = browser.get("/api/v1/records").await.json()["items"].clone();
    let (first, second) = (items[0]["id"].as_str().unwrap().to_owned(), items[1]["id"].as_str().unwrap().to_owned());
    let answer = browser.post(&format!("/records/{first}/delete"), &[]).await;
    browser.follow(&answer).await.has("lease of h1_0 was deleted.");
    browser.json("DELETE", &format!("/api/v1/records/{second}"), json!(null)).await.is(204);
    browser.json("DELETE", &format!("/api/v1/records/{second}"), json!(null)).await.is(404);
    assert_eq!(browser.get("/api/v1/records").await.json()["items"], json!([]));
    house.end().await;
}

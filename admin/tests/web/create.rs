//! Creating a cluster of a chosen flavor on a chosen host.

use common::model::{ClusterId, HostId, PhaseKind};
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};

use crate::support::{Answer, Browser, House};

/// A host on a simulated engine, which nobody fills.
async fn by_hand(browser: &mut Browser, sim: &SimHost, capacity: u16) -> HostId {
    let host = json!({
        "name": "h1", "daemon_url": sim.url(), "address": sim.address().to_string(),
        "bind_address": sim.address().to_string(), "capacity": capacity, "autofill": false,
    });
    let answer = browser.json("POST", "/api/v1/hosts", host).await;
    HostId::parse(answer.is(201).json()["id"].as_str().unwrap()).unwrap()
}

async fn create(browser: &mut Browser, host: &HostId, flavor: &str, more: Value) -> Answer {
    let mut body = json!({"host": host.to_string(), "flavor": flavor});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    browser.json("POST", "/api/v1/clusters", body).await
}

#[track_caller]
fn id_of(answer: &Answer) -> ClusterId {
    ClusterId::parse(answer.json()["id"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_made_where_an_operator_wants_it_and_stays() {
    let house = House::leading().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let host = by_hand(&mut browser, &sim, 2).await;
    let flavor = house.catalog.flavors()[1].id.to_string();
    let answer = create(&mut browser, &host, &flavor, json!({})).await;
    let made = answer.is(201).json();
    let all = (&made["phase"], &made["flavor"], &made["slot"], &made["asked_by"]);
    assert_eq!(all, (&json!("creating"), &json!(flavor), &json!(0), &json!("otto")));
    assert_eq!(answer.location(), format!("/api/v1/clusters/{}", id_of(&answer)));
    house.until(&id_of(&answer), PhaseKind::Free).await;
    browser.get(&format!("/events?cluster={}", id_of(&answer))).await.has("otto wants one of").has("operator otto");
    // The second takes the last place; there is none for a third.
    let second = create(&mut browser, &host, &flavor, json!({})).await;
    house.until(&id_of(second.is(201)), PhaseKind::Free).await;
    let third = create(&mut browser, &host, &flavor, json!({})).await;
    assert_eq!(third.is(422).json()["field"], "host");
    third.has("is full: 2 of 2 places of h1 are taken (2 free)");
    assert_eq!(house.cluster(&id_of(&answer)).await.phase.kind(), PhaseKind::Free);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn the_same_asked_twice_makes_one_even_when_it_is_gone_by_then() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let host = by_hand(&mut browser, &sim, 5).await;
    let flavor = house.catalog.flavors()[0].id.to_string();
    let id = json!({"id": ClusterId::random().to_string()});
    let (mut a, mut b) = (house.browser_of("otto").await, house.browser_of("otto").await);
    let (one, two) =
        tokio::join!(create(&mut a, &host, &flavor, id.clone()), create(&mut b, &host, &flavor, id.clone()));
    assert_eq!(id_of(&one), id_of(&two));
    assert_eq!([one.status, two.status].iter().filter(|status| **status == 201).count(), 1, "one made it");
    assert_eq!(one.status + two.status, 401, "the other says that it was asked for");
    assert_eq!(browser.get("/api/v1/clusters").await.json()["items"].as_array().unwrap().len(), 1);
    create(&mut browser, &host, &flavor, id.clone()).await.is(200);
    let gone = format!("/api/v1/clusters/{}", id_of(&one));
    browser.json("DELETE", &gone, json!(null)).await.is(202);
    let going = house.cluster(&id_of(&one)).await;
    house.vanish(&going).await;
    create(&mut browser, &host, &flavor, id).await.is(409).has("was asked for already, and is gone");
    assert_eq!(browser.get("/api/v1/clusters").await.json()["items"], json!([]));
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_as_many_are_made_as_there_is_room() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let host = by_hand(&mut browser, &sim, 6).await;
    let flavor = house.catalog.flavors()[0].id.to_string();
    let ask = async || {
        let mut browser = browser.clone();
        create(&mut browser, &host, &flavor, json!({})).await
    };
    let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 6);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is(422).has("is full: 6 of 6 places of h1 are taken (6 creating)");
    }
    let there: u64 = house.store.count_clusters_on(&host).await.unwrap().values().sum();
    assert_eq!(there, 6);
    let mut slots: Vec<u64> = made.iter().map(|answer| answer.json()["slot"].as_u64().unwrap()).collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2, 3, 4, 5]);
    sim.shutdown().await;
    house.end().await;
}

#[tokio::test]
async fn of_many_hosts_a_hundred_are_offered_and_the_others_are_searched_for() {
    let house = House::new().await;
    for n in 0..103 {
        house.add_host(&format!("h{n:03}")).await;
    }
    let (fuller, other) = (house.add_host("a-fuller").await, house.add_host("other").await);
    house.add_free(&fuller, 0).await;
    let mut browser = house.browser_of("otto").await;
    let offered = |answer: &Answer| answer.text.matches(": room for ").count();
    browser.get_counted("/clusters/new?q=FULL", "a-fuller: room for 4 of 5").await;
    let page = browser.get_counted("/clusters/new", "5 more have some").await;
    assert_eq!(offered(page.is(200)), 100);
    assert!(!page.text.contains("a-fuller"), "it has less room than a hundred others");
    page.has("h000: room for 5 of 5");
    let page = browser.get("/clusters/new?q=FULL").await;
    assert_eq!(offered(page.is(200).has("a-fuller: room for 4 of 5")), 1);
    // What was chosen is there whatever is searched for, and comes first.
    let page = browser.get(&format!("/clusters/new?host={}&q=full", other.id)).await;
    assert_eq!(offered(page.is(200)), 2);
    let (first, second) = (page.text.find("other: room").unwrap(), page.text.find("a-fuller: room").unwrap());
    assert!(first < second);
    browser.get("/clusters/new?q=nowhere").await.is(200).has("None has").has("nowhere");
    house.end().await;
}

#[tokio::test]
async fn it_is_refused_with_the_reason_where_nothing_can_be_made() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let host = by_hand(&mut browser, &sim, 2).await;
    let flavor = house.catalog.flavors()[0].id.to_string();
    let api = format!("/api/v1/hosts/{host}");
    for (action, back, words) in [
        ("drain", "serve", "what is wanted of h1 is: drain (asked by otto)"),
        ("clean", "serve", "what is wanted of h1 is: clean (asked by otto)"),
        ("cordon", "uncordon", "is not schedulable; uncordon it first"),
    ] {
        browser.json("POST", &format!("{api}/{action}"), json!({})).await.is(202);
        let answer = create(&mut browser, &host, &flavor, json!({})).await;
        assert_eq!(answer.is(422).json()["field"], "host", "{action}");
        answer.has(words);
        browser.json("POST", &format!("{api}/{back}"), json!({})).await.is(202);
    }
    for (field, value, words) in [
        ("flavor", json!("fabric-9.9"), "is no flavor; there are fabric-"),
        ("flavor", json!(""), "must be chosen"),
        ("flavor", json!("<script>"), "is no flavor"),
        ("host", json!("h1"), "is not the id of a host"),
        ("host", json!(HostId::random().to_string()), "is gone; choose another"),
        ("host", json!(5), "must be a text"),
        ("id", json!("1"), "24 digits"),
        ("size", json!(4), "is not a field"),
    ] {
        let answer = create(&mut browser, &host, &flavor, json!({field: value})).await;
        assert_eq!(answer.is(422).json()["field"], field);
        answer.has(words);
    }
    // Somebody's network stands where the first slot would: the next one is taken.
    let (first, second) = (house.config.layout.subnet(common::model::Slot(0)).unwrap(), 1);
    let network = json!({"Name": "lab", "IPAM": {"Config": [{"Subnet": first.to_string()}]}}).to_string();
    assert_eq!(sim.call("POST", "/networks/create", &network).await.0, 201);
    let answer = create(&mut browser, &host, &flavor, json!({})).await;
    assert_eq!(answer.is(201).json()["slot"], second);
    sim.shutdown().await;
    let answer = create(&mut browser, &host, &flavor, json!({})).await;
    answer.is(409).has("Host h1 does not answer now");
    browser.json("DELETE", &api, json!(null)).await.is(202);
    create(&mut browser, &host, &flavor, json!({})).await.is(422).has("delete (asked by otto)");
    house.end().await;
}

#[tokio::test]
async fn a_host_that_is_known_to_be_away_is_not_asked() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut away = made.contact.clone();
    away.state = common::model::HostState::Inactive { since: away.last_answer, why: "connection refused".into() };
    house.store.note_contact(&made.id, &away).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    let flavor = house.catalog.flavors()[0].id.to_string();
    let answer = create(&mut browser, &made.id, &flavor, json!({})).await;
    answer.is(422).has("h1 does not answer: connection refused");
    house.end().await;
}

#[tokio::test]
async fn the_page_offers_hosts_with_room_and_says_why_others_make_none() {
    let house = House::new().await;
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let mut browser = house.browser_of("otto").await;
    browser.get("/clusters/new").await.is(200).has("There is no host yet");
    let host = by_hand(&mut browser, &sim, 2).await;
    let other = house.add_host("full").await;
    for slot in 0..5 {
        house.add_free(&other, slot).await;
    }
    let page = browser.get_counted(&format!("/clusters/new?host={host}"), "5 of 5 places").await;
    page.has("h1: room for 2 of 2").has("selected").has("is full: 5 of 5 places of full are taken (5 free)");
    let flavor = house.catalog.flavors()[0].id.to_string();
    let (id, host) = (crate::support::hidden(&page.text, "id"), host.to_string());
    let fields = [("id", id.as_str()), ("host", host.as_str()), ("flavor", flavor.as_str())];
    let answer = browser.post("/clusters/new", &fields).await;
    assert_eq!(answer.location(), format!("/clusters/{id}"));
    browser.follow(&answer).await.is(200).has("The making of h1_0 has begun");
    // A double click, the back button: the same form again.
    let again = browser.post("/clusters/new", &fields).await;
    browser.follow(&again).await.has("h1_0 was asked for already.");
    let fresh = ClusterId::random().to_string();
    let wrong = [("id", fresh.as_str()), ("host", host.as_str()), ("flavor", "<b>")];
    let page = browser.post("/clusters/new", &wrong).await;
    page.is(422).has("id=\"flavor-error\"").has("is no flavor").has(&format!("value=\"{fresh}\""));
    let answer = browser.post("/clusters/new", &[("id", &fresh), ("host", &host), ("flavor", &flavor)]).await;
    browser.follow(&answer).await.has("The making of h1_1 has begun");
    let fresh = ClusterId::random().to_string();
    let page = browser.post("/clusters/new", &[("id", &fresh), ("host", &host), ("flavor", &flavor)]).await;
    page.is(422).has("is full: 2 of 2 places of h1 are taken");
    browser.post("/clusters/new", &[("host", &host), ("flavor", &flavor)]).await.is(400);
    house.browser_of("vera").await.get("/clusters/new").await.is(403);
    sim.shutdown().await;
    house.end().await;
}

//! Forms that are sent twice: by a double click, the back button, a reload. The second is told that it was done already, or what
//! is there now; it changes nothing and never fails wildly.

use common::model::{Metadata, PhaseKind};
use common::store::{LeaseFilter, Page};

use crate::host_form::fields;
use crate::support::House;

#[tokio::test]
async fn a_host_configured_twice_by_one_form_is_configured_once() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("otto").await;
    let path = format!("/hosts/{}/configure", made.id);
    let form = fields(&[("version", "1"), ("address", "h1.example"), ("capacity", "4")]);
    for _ in 0..2 {
        let answer = browser.post(&path, &form).await;
        browser.follow(&answer).await.is(200).has("Host h1 is configured.");
    }
    assert_eq!(house.store.host(&made.id).await.unwrap().unwrap().version, 2);
    // Something else by a form that is old is somebody else's matter.
    let old = fields(&[("version", "1"), ("address", "h1.example"), ("capacity", "6")]);
    browser.post(&path, &old).await.is(409).has("changed by somebody else meanwhile").has("value=\"6\"");
    house.end().await;
}

#[tokio::test]
async fn what_is_gone_by_then_is_said_to_be_gone() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let record = house.add_record(&made, 0, "alice").await;
    let free = house.add_free(&made, 1).await;
    let mut browser = house.browser_of("otto").await;

    let path = format!("/records/{}/delete", record.lease().unwrap().id);
    browser.get(&path).await.is(200).has("Delete the record of h1_0?").has("<strong>alice</strong> held h1_0");
    let answer = browser.post(&path, &[]).await;
    browser.follow(&answer).await.has("lease of h1_0 was deleted");
    let answer = browser.post(&path, &[]).await;
    browser.follow(&answer).await.is(200).has("no such record any more: it is gone already");
    browser.get(&path).await.is(404);
    let page = Page::first(10);
    assert!(house.store.list_lease_records(&LeaseFilter::default(), &page).await.unwrap().is_empty());

    let path = format!("/clusters/{}/delete", free.id);
    for said in ["The removal of h1_1 has begun.", "The removal of h1_1 has begun already."] {
        let answer = browser.post(&path, &[]).await;
        browser.follow(&answer).await.has(said);
    }
    house.vanish(&house.cluster(&free.id).await).await;
    for action in ["delete", "release", "restart", "stop"] {
        let answer = browser.post(&format!("/clusters/{}/{action}", free.id), &[]).await;
        browser.follow(&answer).await.is(200).has("no such cluster any more: it is gone already");
    }

    let event = common::model::Event::new(
        common::clock::now(),
        common::model::EventKind::HostChanged,
        common::model::Actor::Reconciler,
        "gone",
    );
    house.store.delete_host(&made.id, 1, event).await.unwrap();
    for action in ["delete", "force", "reset", "drain", "cordon"] {
        let form = [("version", "1"), ("confirm", "h1")];
        let answer = browser.post(&format!("/hosts/{}/{action}", made.id), &form).await;
        browser.follow(&answer).await.is(200).has("no such host any more: it is gone already");
    }
    house.end().await;
}

#[tokio::test]
async fn nodes_are_restarted_once_and_a_lease_is_taken_back_once_by_one_form() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let held = house.add_held(&made, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("otto").await;
    let restart = format!("/clusters/{}/restart", held.id);
    let lease = held.lease().unwrap().id.as_str();
    for said in ["Restarting vp1 of h1_0 has begun.", "A restart of h1_0 was asked for already."] {
        let answer = browser.post(&restart, &[("node", "vp1"), ("restarts", "0"), ("lease", lease)]).await;
        browser.follow(&answer).await.has(said);
    }
    assert_eq!(admin::operations::restarts(&house.cluster(&held.id).await), 1);
    browser.get(&format!("/clusters/{}/release", held.id)).await.has("<strong>alice</strong> holds it");
    for said in ["was taken back from alice", "h1_0 was released already, by otto."] {
        let answer = browser.post(&format!("/clusters/{}/release", held.id), &[]).await;
        browser.follow(&answer).await.has(said);
    }
    assert_eq!(house.cluster(&held.id).await.phase.kind(), PhaseKind::Releasing);
    house.end().await;
}

#[tokio::test]
async fn a_form_without_a_readable_version_changes_nothing() {
    let house = House::new().await;
    let made = house.add_host("h1").await;
    let mut browser = house.browser_of("ada").await;
    let vera = house.store.operator_by_name("vera").await.unwrap().unwrap();
    let host = format!("/hosts/{}", made.id);
    let operator = format!("/access/operators/{}", vera.id);
    for version in ["", "abc", "-1", "99999999999999999999"] {
        let form = [("version", version), ("confirm", "h1")];
        for path in ["delete", "force", "reset", "cordon", "tls"].map(|what| format!("{host}/{what}")) {
            browser.post(&path, &form).await.is(400).has("The form has no version");
        }
        let form = [("version", version), ("confirm", "vera"), ("role", "admin")];
        for path in ["role", "password", "delete"].map(|what| format!("{operator}/{what}")) {
            browser.post(&path, &form).await.is(400).has("The form has no version");
        }
    }
    assert_eq!(house.store.host(&made.id).await.unwrap(), Some(made));
    assert_eq!(house.store.operator(&vera.id).await.unwrap(), Some(vera));
    house.end().await;
}

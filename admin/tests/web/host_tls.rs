//! The page of a host's credentials, as far as no daemon is needed for it.

use std::time::Duration;

use common::clock::now;

use common::model::{Actor, CertificateFacts, Event, EventKind, HostTls, Sealed};

use crate::support::House;

#[tokio::test]
async fn without_a_key_the_page_says_what_to_set() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let path = format!("/hosts/{}/tls", host.id);
    let page = house.browser_of("otto").await.get(&path).await;
    page.is(200).has("SEAL_KEY is not set for admin").has("openssl rand -hex 32").has("Plain TCP is root");
    assert!(!page.text.contains("<textarea"), "{}", page.text);
    house.browser_of("vera").await.get(&path).await.is(403);
    house.end().await;
}

#[tokio::test]
async fn credentials_go_only_when_it_is_known_that_the_key_cannot_be_had_back() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let facts = CertificateFacts {
        subject: "CN=a".into(),
        issuer: "CN=ca".into(),
        not_before: now(),
        not_after: now() + Duration::from_secs(90 * 24 * 3600),
        fingerprint: "00".into(),
    };
    let sealed = Sealed { key_id: "k".into(), nonce: "n".into(), text: "s".into() };
    let tls = HostTls { ca: facts.clone(), certificate: facts, sealed, set_at: now(), set_by: "otto".into() };
    let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "given").about_host(&host.id);
    house.store.change_host(&host.with_tls(Some(tls)), event).await.unwrap();
    let path = format!("/hosts/{}/tls", host.id);
    let mut browser = house.browser_of("otto").await;
    browser.get(&path).await.is(200).has("Remove the credentials").has("name=\"known\"");
    browser.post(&path, &[("version", "2"), ("remove", "on")]).await.is(422).has("Needed:");
    assert!(house.store.host(&host.id).await.unwrap().unwrap().tls.is_some());
    browser.post(&path, &[("version", "2"), ("remove", "on"), ("known", "on")]).await.is(303);
    assert!(house.store.host(&host.id).await.unwrap().unwrap().tls.is_none());
    house.end().await;
}

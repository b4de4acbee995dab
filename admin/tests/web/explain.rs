//! Explanations through the router: without a leader, with one, and when that does not answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use admin::reconciler::{self, Settings};
use admin::{Parts, build};
use common::clock::{Pace, now};
use common::config::Secret;
use common::model::Metadata;
use serde_json::{Value, json};
use simdocker::{SimHost, SimOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Browser, House, INTERNAL_SECRET, PASSWORD};

const PATIENCE: Duration = Duration::from_secs(60);

fn whats(points: &Value) -> Vec<String> {
    points.as_array().unwrap().iter().map(|point| point["what"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_level_is_explained_and_that_nobody_leads_is_said() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let held = house.add_held(&host, 0, "alice", Metadata::new()).await;
    let mut browser = house.browser_of("vera").await;
    let paths = [
        "/api/v1/explain".to_owned(),
        format!("/api/v1/hosts/{}/explain", host.id),
        format!("/api/v1/flavors/{}/explain", held.flavor),
        format!("/api/v1/clusters/{}/explain", held.id),
    ];
    for (path, kind) in paths.iter().zip(["pool", "host", "flavor", "cluster"]) {
        let told = browser.get(path).await.is(200).json();
        assert_eq!(told["of"]["kind"], kind, "{path}");
        assert_eq!(told["told_by"]["source"], "nobody", "{path}");
        assert!(whats(&told["held"]).contains(&"nothing is being done".to_owned()), "{told}");
        assert!(!told["is"].as_array().unwrap().is_empty(), "{told}");
        browser.get(&format!("{path}?colour=red")).await.is(422);
    }
    let cluster = browser.get(&paths[3]).await.json();
    assert!(whats(&cluster["wanted"]).contains(&"alice keeps it until it is released".to_owned()), "{cluster}");
    for path in [
        "/".to_owned(),
        format!("/hosts/{}", host.id),
        format!("/flavors/{}", held.flavor),
        format!("/clusters/{}", held.id),
    ] {
        browser.get(&path).await.is(200).has("nothing is being done").has("no admin has led this pool yet");
    }
    for path in ["/api/v1/hosts/x/explain", "/api/v1/flavors/x/explain", "/api/v1/clusters/x/explain", "/flavors/x"] {
        browser.get(path).await.is(404);
    }
    house.end().await;
}

/// An answer without what differs by who gives it and when.
fn comparable(mut told: Value) -> Value {
    for key in ["at", "told_by", "looked_at", "next"] {
        told[key] = json!(null);
    }
    for point in told["is"].as_array_mut().unwrap() {
        point["at"] = json!(null);
    }
    told
}

#[tokio::test]
async fn one_that_stands_by_tells_the_same_as_the_one_that_leads() {
    let house = House::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (reconciler, running) = reconciler::start(Settings {
        store: house.store.clone(),
        catalog: house.catalog.clone(),
        layout: house.config.layout,
        mix: Vec::new(),
        max_starts: 2,
        address: url.clone(),
        seal: admin::seal::Seal::default(),
        pace: Pace::ORDINARY,
        deep_probes: false,
    });
    let parts = Parts {
        store: house.store.clone(),
        catalog: house.catalog.clone(),
        config: house.config.clone(),
        reconciler,
        internal_secret: Secret::new(INTERNAL_SECRET),
        stop: tokio_util::sync::CancellationToken::new(),
        listener,
    };
    let server = build(parts).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    let mut leader = Browser::new(&url);
    assert_eq!(leader.sign_in("otto", PASSWORD).await.status, 303);
    let mut standby = house.browser_of("otto").await;

    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let body = json!({
        "name": "h1", "daemon_url": sim.url(), "address": sim.address().to_string(), "capacity": 2, "autofill": false,
    });
    let id = standby.json("POST", "/api/v1/hosts", body).await.is(201).json()["id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    let paths = [format!("/api/v1/hosts/{id}/explain"), "/api/v1/explain".to_owned()];
    loop {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for path in &paths {
            theirs.push(leader.get(path).await.is(200).json());
            ours.push(standby.get(path).await.is(200).json());
        }
        let known = theirs.iter().chain(&ours).all(|told| !told["looked_at"].is_null());
        let same = theirs.iter().cloned().map(comparable).eq(ours.iter().cloned().map(comparable));
        if known && same {
            assert_eq!(theirs[0]["told_by"], json!({"source": "here"}));
            assert_eq!(ours[0]["told_by"], json!({"source": "leader", "address": url}));
            let next = whats(&ours[0]["next"]);
            assert!(next.iter().any(|what| what.contains("takes over if the leader does not renew")), "{next:?}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{theirs:#?} {ours:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = standby.get(&format!("/hosts/{id}")).await;
    page.has("told by the admin that leads").has("Nothing at this moment.");
    handle.stop(false).await;
    running.stop().await;
    sim.shutdown().await;
    house.end().await;
}

/// Somebody at the leader's address, who takes requests, keeps them, and answers if it has an answer.
async fn somebody(answer: Option<&'static str>) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut line, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let n = line.read(&mut request).await.unwrap_or(0);
            let _nobody_listens = tell.send(String::from_utf8_lossy(&request[..n]).into_owned()).await;
            match answer {
                Some(answer) => {
                    let _ = line.write_all(answer.as_bytes()).await;
                }
                None => kept.push(line),
            }
        }
    });
    (url, told)
}

#[tokio::test]
async fn a_leader_that_does_not_answer_is_said_to_be_silent_within_seconds() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let (url, _told) = somebody(None).await;
    house.store.take_lock("another", &url, Duration::from_secs(600), now()).await.unwrap().unwrap();
    let mut browser = house.browser_of("vera").await;
    let told = browser.get(&format!("/api/v1/hosts/{}/explain", host.id)).await.is(200).json();
    assert_eq!(told["told_by"], json!({"source": "silent", "address": url, "why": "no answer within 2 s"}));
    assert_eq!(told["held"][0]["why"], format!("the leader at {url} does not answer: no answer within 2 s"));
    assert_eq!(told["looked_at"], json!(null));
    let begun = Instant::now();
    browser.get("/").await.is(200).has("it is not known here what is being done").has("no answer within 2 s");
    assert!(begun.elapsed() < Duration::from_secs(2), "it is not asked again at once");
    house.end().await;
}

#[tokio::test]
async fn one_with_another_secret_is_said_to_be_so() {
    let house = House::new().await;
    let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (url, _told) = somebody(Some(refused)).await;
    house.store.take_lock("another", &url, Duration::from_secs(600), now()).await.unwrap().unwrap();
    let mut browser = house.browser_of("vera").await;
    let told = browser.get("/api/v1/explain").await.is(200).json();
    assert_eq!(told["told_by"]["why"], "it does not take this admin's internal secret: both must have the same");
    house.end().await;
}

#[tokio::test]
async fn what_is_asked_of_one_that_stands_by_rings_the_leader() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    let done = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    let (url, mut told) = somebody(Some(done)).await;
    house.store.take_lock("another", &url, Duration::from_secs(600), now()).await.unwrap().unwrap();
    let mut browser = house.browser_of("otto").await;
    browser.json("POST", &format!("/api/v1/hosts/{}/drain", host.id), json!({})).await.is(202);
    let ring = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert!(ring.starts_with("POST /internal/doorbell "), "{ring}");
    assert!(ring.contains(&format!("Bearer {INTERNAL_SECRET}")), "{ring}");
    house.end().await;
}

#[tokio::test]
async fn the_outlook_is_for_whoever_knows_the_secret_and_of_a_leader_only() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    ada.get("/internal/outlook").await.is(401);
    let mut other = Browser::new(&house.url);
    other.headers = vec![("authorization", format!("Bearer {INTERNAL_SECRET}"))];
    other.get("/internal/outlook").await.is(409).has("does not lead");
    other.get("/internal/outlook?colour=red").await.is(422);
    house.end().await;
}

//! The doorbell reaches whoever leads, and a leader that is dead, slow or rude does not matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::house::{House, PBFT, SECRET, wait_until};

/// Takes calls, hands over what came, and answers with this; with "" it never answers.
async fn leader(answer: &'static str, rings: Arc<AtomicUsize>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (heard, calls) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            while !text.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => text.push(byte),
                    Err(_) => break,
                }
            }
            rings.fetch_add(1, Ordering::SeqCst);
            let _ = heard.send(String::from_utf8(text).unwrap());
            let _ = stream.write_all(answer.as_bytes()).await;
            if answer.is_empty() {
                held.push(stream);
            }
        }
    });
    (address, calls)
}

const FINE: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_and_a_wish_ring_the_leader_with_the_secret() {
    let house = House::open().await;
    let (address, mut calls) = leader(FINE, Arc::default()).await;
    house.store.take_lock("leader", &address, Duration::from_secs(60), clock::now()).await.unwrap().unwrap();
    let held = house.leased("alice", PBFT).await;
    assert!(calls.try_recv().is_err(), "an apply does not ring");
    house.get(&format!("/v2/cluster_op?action=start&cluster_id={}", held.id)).await.ok();
    let call = tokio::time::timeout(Duration::from_secs(10), calls.recv()).await.unwrap().unwrap().to_lowercase();
    assert!(call.starts_with("post /internal/doorbell http/1.1"), "{call}");
    assert!(call.contains(&format!("authorization: bearer {SECRET}")), "{call}");
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    tokio::time::timeout(Duration::from_secs(10), calls.recv()).await.unwrap().unwrap();
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    house.stop().await;
    assert!(calls.try_recv().is_err(), "releasing nothing does not ring");
}

#[tokio::test(flavor = "multi_thread")]
async fn rings_are_coalesced_while_one_is_on_its_way() {
    let house = House::open().await;
    let rings = Arc::new(AtomicUsize::new(0));
    // Never answers: each ring takes its whole second.
    let (address, _calls) = leader("", Arc::clone(&rings)).await;
    house.store.take_lock("leader", &address, Duration::from_secs(60), clock::now()).await.unwrap().unwrap();
    for n in 0..20 {
        house.leased(&format!("user{n}"), PBFT).await;
    }
    let began = Instant::now();
    for n in 0..20 {
        house.get(&format!("/v2/cluster_release?user_id=user{n}")).await.ok();
    }
    let took = began.elapsed();
    wait_until("the bell was rung", || async { rings.load(Ordering::SeqCst) > 0 }).await;
    let rung = rings.load(Ordering::SeqCst);
    assert!(rung <= 2 + took.as_secs() as usize, "{rung} rings for 20 releases in {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_dead_silent_rude_or_gone_delays_no_release() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let silent = leader("", Arc::default()).await;
    let rude = leader("HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n", Arc::default()).await;
    for address in [
        Some(dead.as_str()),
        Some(&silent.0),
        Some(&rude.0),
        Some("http://no-such-host.invalid:1"),
        Some("nonsense"),
        None,
    ] {
        let house = House::open().await;
        if let Some(address) = address {
            house.store.take_lock("leader", address, Duration::from_secs(60), clock::now()).await.unwrap().unwrap();
        }
        for _ in 0..3 {
            house.leased("alice", PBFT).await;
            let began = Instant::now();
            house.get("/v2/cluster_release?user_id=alice").await.ok();
            // The bell's own deadline is a second.
            assert!(began.elapsed() < Duration::from_millis(900), "{address:?}: {:?}", began.elapsed());
        }
        house.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_has_led_from_for_long_does_not_see_the_secret() {
    let house = House::open().await;
    let old = leader(FINE, Arc::default()).await;
    let long_ago = clock::now() - Duration::from_secs(3600);
    house.store.take_lock("old", &old.0, Duration::from_secs(10), long_ago).await.unwrap().unwrap();
    house.leased("alice", PBFT).await;
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    // The next leader hears of the next release; by then the one before would have arrived.
    let (address, mut calls) = leader(FINE, Arc::default()).await;
    house.store.take_lock("new", &address, Duration::from_secs(60), clock::now()).await.unwrap().unwrap();
    house.leased("alice", PBFT).await;
    house.get("/v2/cluster_release?user_id=alice").await.ok();
    tokio::time::timeout(Duration::from_secs(10), calls.recv()).await.unwrap().unwrap();
    let mut old_calls = old.1;
    assert!(old_calls.try_recv().is_err());
}

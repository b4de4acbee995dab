//! Bodies: names that stand twice in one, and those that never come whole.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::House;

#[tokio::test]
async fn a_name_twice_in_json_is_refused_by_its_name() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    ada.headers.push(("x-csrf-token", ada.csrf.clone()));
    for (body, name) in [
        (r#"{"username": "eve", "role": "viewer", "role": "admin"}"#, "role"),
        (r#"{"username": "eve", "role": "viewer", "\u0072ole": "admin"}"#, "role"),
        (r#"{"username": "eve", "role": "viewer", "x": {"y": 1, "y": 1}}"#, "y"),
    ] {
        let answer = ada.raw("POST", "/api/v1/operators", "application/json", body.as_bytes().to_vec()).await;
        assert_eq!(answer.is(422).json()["field"], name, "{body}");
        answer.has("is given twice");
    }
    assert!(house.store.operator_by_name("eve").await.unwrap().is_none());
    house.end().await;
}

#[tokio::test]
async fn a_stranger_who_sends_slowly_does_not_keep_the_server_from_stopping() {
    let house = House::new().await;
    let address = house.url.strip_prefix("http://").unwrap().to_owned();
    let mut streams = Vec::new();
    for (path, kind) in [("/login", "application/x-www-form-urlencoded"), ("/api/v1/session", "application/json")] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\n");
        stream.write_all(format!("{head}csrf").as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let begun = Instant::now();
    house.stop.cancel();
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("server stops"), "{answer}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    house.end().await;
}

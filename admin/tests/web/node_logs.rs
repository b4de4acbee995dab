//! What nodes write: the last lines as text and as a page, and followed as they come; nothing in them does any harm.

use std::time::{Duration, Instant};

use common::model::Role;
use serde_json::{Value, json};

use crate::on_sim::OnSim;
use crate::support::House;

const NASTY: &str = "<script>alert(1)</script> \u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7} \u{202e}gnp.exe";
const HARMLESS: &str = "<script>alert(1)</script> red gnp.exe";

/// Reads events until one of this name comes; its data.
async fn until(response: &mut reqwest::Response, text: &mut String, name: &str) -> Value {
    let head = format!("event: {name}\ndata: ");
    loop {
        if let Some(at) = text.find(&head)
            && let Some(end) = text[at..].find("\n\n")
        {
            let data = text[at + head.len()..at + end].to_owned();
            *text = text[at + end..].to_owned();
            return serde_json::from_str(&data).unwrap();
        }
        let chunk = tokio::time::timeout(Duration::from_secs(20), response.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no {name} came, but {text}")).unwrap();
        let chunk = chunk.unwrap_or_else(|| panic!("it ended without {name}: {text}"));
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn a_line_with_markup_and_escapes_of_a_terminal_is_harmless() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    assert!(there.sim.print("vp0", NASTY));
    let mut vera = house.browser_of("vera").await;
    let plain = vera.get(&there.logs("node=vp0&tail=1")).await;
    assert_eq!(plain.is(200).header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(plain.header("x-content-type-options"), "nosniff");
    assert!(plain.text.ends_with(&format!("Z {HARMLESS}\n")) && plain.text.lines().count() == 1, "{}", plain.text);

    let page = vera.get(&format!("/clusters/{}/logs?node=vp0", there.cluster.id)).await;
    page.is(200).has("&lt;script&gt;alert(1)").has("red gnp.exe");
    assert!(!page.text.contains("<script>alert") && !page.text.contains('\u{1b}') && !page.text.contains('\u{202e}'));

    let mut followed = vera.open(&there.logs("node=vp0&tail=1&follow=true")).await;
    assert_eq!(followed.headers()["content-type"], "text/event-stream");
    let line = until(&mut followed, &mut String::new(), "line").await;
    assert_eq!((line["text"].as_str(), line["stream"].as_str()), (Some(HARMLESS), Some("stdout")));
    drop(followed);
    house.end().await;
}

#[tokio::test]
async fn who_follows_hears_new_lines_and_the_end_of_the_node() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    let mut vera = house.browser_of("vera").await;
    assert!(there.sim.print("vp1", "one"));
    let mut followed = vera.open(&there.logs("node=vp1&tail=1&follow=true")).await;
    let mut text = String::new();
    assert_eq!(until(&mut followed, &mut text, "line").await["text"], "one");
    assert!(there.sim.print("vp0", "another's") && there.sim.print("vp1", "two"));
    let line = until(&mut followed, &mut text, "line").await;
    assert_eq!(line["text"], "two");
    assert!(line["at"].as_str().unwrap().ends_with('Z'), "{line}");
    assert_eq!(there.sim.call("POST", "/containers/vp1/stop", "").await.0, 204);
    let end = until(&mut followed, &mut text, "end").await;
    assert_eq!(end, json!({"code": "node-ended", "detail": "The node has ended."}));
    assert!(followed.chunk().await.unwrap().is_none(), "nothing comes after it");
    house.end().await;
}

#[tokio::test]
async fn a_followed_log_ends_at_once_with_its_session_and_with_its_role() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    let mut ada = house.browser_of("ada").await;
    house.add_operator("olga", Role::Operator).await;
    let id = house.store.operator_by_name("olga").await.unwrap().unwrap().id;
    for (method, path, body, code) in [
        ("DELETE", "/sessions", json!(null), "signed-out"),
        ("PATCH", "", json!({"role": "viewer"}), "role-changed"),
        ("DELETE", "", json!({"confirm": "olga"}), "signed-out"),
    ] {
        let mut olga = house.browser_of("olga").await;
        let mut followed = olga.open(&there.logs("node=vp0&tail=1&follow=true")).await;
        let mut text = String::new();
        assert!(there.sim.print("vp0", "she may read this"));
        until(&mut followed, &mut text, "line").await;
        let begun = Instant::now();
        ada.json(method, &format!("/api/v1/operators/{id}{path}"), body).await;
        assert_eq!(until(&mut followed, &mut text, "end").await["code"], code, "{method} {path}");
        // It is looked at every 15 s besides; this is not one of those looks.
        assert!(begun.elapsed() < Duration::from_secs(10), "{method} {path}: {:?}", begun.elapsed());
        assert!(there.sim.print("vp0", "and not this"));
        assert!(followed.chunk().await.unwrap().is_none(), "nothing comes after it");
    }
    house.end().await;
}

#[tokio::test]
async fn the_last_lines_come_whole_however_fast() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    for n in 0..900 {
        assert!(there.sim.print("vp0", &format!("line {n}")));
    }
    let mut vera = house.browser_of("vera").await;
    let mut followed = vera.open(&there.logs("node=vp0&tail=900&follow=true")).await;
    let mut text = String::new();
    for n in 0..900 {
        assert_eq!(until(&mut followed, &mut text, "line").await["text"], format!("line {n}"));
    }
    house.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_reason() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    let mut vera = house.browser_of("vera").await;
    for (query, field) in [
        ("node=vp9", "node"),
        ("tail=0", "tail"),
        ("tail=2001", "tail"),
        ("follow=perhaps", "follow"),
        ("since=1", "since"),
    ] {
        assert_eq!(vera.get(&there.logs(query)).await.is(422).json()["field"], field, "{query}");
    }
    vera.get("/api/v1/clusters/0123456789abcdef01234567/logs").await.is(404);
    let page = format!("/clusters/{}/logs?node=vp1", there.cluster.id);
    assert_eq!(there.sim.call("DELETE", "/containers/vp1?force=true", "").await.0, 204);
    vera.get(&there.logs("node=vp1")).await.is(409).has("the container of vp1 is gone");
    vera.get(&there.logs("node=vp1&follow=true")).await.is(409).has("the container of vp1 is gone");
    vera.get(&page).await.is(200).has("the container of vp1 is gone").has("node=vp0");
    there.sim.go_down();
    vera.get(&there.logs("node=vp0")).await.is(409).has("cannot be read from host h1").has("connection refused");
    let making = house.add_cluster(&there.host, 1).await;
    vera.get(&format!("/api/v1/clusters/{}/logs", making.id)).await.is(409).has("vp0 has no container yet");
    house.end().await;
}

#[tokio::test]
async fn one_operator_follows_so_many_logs_and_leaves_room_for_others() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    let path = there.logs("node=vp0&tail=1&follow=true");
    let mut followed = Vec::new();
    for _ in 0..10 {
        // Each from another sign-in.
        let answer = house.browser_of("vera").await.open(&path).await;
        followed.push(answer.error_for_status().unwrap());
    }
    let mut vera = house.browser_of("vera").await;
    vera.get(&path).await.is(429).has("too-many-at-once").has("You follow 10 logs already");
    vera.get(&there.logs("node=vp0&tail=1")).await.is(200);
    house.browser_of("otto").await.open(&path).await.error_for_status().unwrap();
    house.end().await;
}

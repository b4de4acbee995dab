//! Live pages: what changes reaches those who look at it, once, and nobody else.

use std::time::{Duration, Instant};

use common::clock::now;
use common::model::{Actor, Event, EventKind, Role};

use crate::support::{Browser, House};

/// Longer than any of this takes, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    name: String,
    id: String,
    data: String,
}

/// What a browser reads of one page.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(browser: &mut Browser, page: &str) -> Stream {
        let answer = browser.open(&address(page)).await;
        assert_eq!(answer.status(), 200);
        Stream { answer, text: String::new() }
    }

    /// The next event but for signs of life; `None` at the end.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            while let Some((one, rest)) = self.text.split_once("\n\n") {
                let mut heard = Heard { name: String::new(), id: String::new(), data: String::new() };
                for line in one.lines() {
                    match line.split_once(": ").unwrap() {
                        ("event", name) => heard.name = name.to_owned(),
                        ("id", id) => heard.id = id.to_owned(),
                        ("data", data) => heard.data.extend([data, "\n"]),
                        other => panic!("{other:?}"),
                    }
                }
                self.text = rest.to_owned();
                if heard.name != "beat" {
                    return Some(heard);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("something is sent");
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    /// Reads on until a live part has these words; how many parts that took.
    async fn until(&mut self, words: &str) -> usize {
        let reading = async {
            let mut parts = 1;
            loop {
                let heard = self.next().await.unwrap_or_else(|| panic!("the stream ended before {words:?}"));
                if heard.name.is_empty() && heard.data.contains(words) {
                    return parts;
                }
                parts += 1;
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("no part has {words:?}"))
    }

    /// Whether nothing is sent for so long.
    async fn is_quiet(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.next()).await.is_err()
    }
}

fn address(page: &str) -> String {
    format!("/live?page={}", url::form_urlencoded::byte_serialize(page.as_bytes()).collect::<String>())
}

#[tokio::test]
async fn a_change_reaches_the_page_within_a_second() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    let mut stream = Stream::open(&mut browser, "/").await;
    stream.until("There is no host yet").await;
    let begun = Instant::now();
    house.add_host("north").await;
    stream.until("north").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    house.end().await;
}

#[tokio::test]
async fn how_many_there_are_of_a_flavor_changes_in_place() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let flavor = house.catalog.flavors()[0].id.clone();
    let mut browser = house.browser_of("vera").await;
    let mut list = Stream::open(&mut browser, "/flavors").await;
    let mut one = Stream::open(&mut browser, &format!("/flavors/{flavor}")).await;
    list.until("class=\"num\">0</td>").await;
    one.until("Free</span> <strong>0</strong>").await;
    let begun = Instant::now();
    house.add_free(&host, 0).await;
    list.until("<td data-label=\"Free\" class=\"num\">1</td>").await;
    one.until("Free</span> <strong>1</strong>").await;
    // What no news tell of is looked at every five seconds here.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    house.end().await;
}

#[tokio::test]
async fn what_is_the_same_is_not_sent_again() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let mut browser = house.browser_of("vera").await;
    let mut stream = Stream::open(&mut browser, "/").await;
    stream.until("north").await;
    // It is looked at again, and says the same.
    house.store.note_contact(&host.id, &host.contact).await.unwrap();
    let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "something else").about_host(&host.id);
    house.store.append_events(&[event]).await.unwrap();
    stream.until("something else").await;
    assert!(stream.is_quiet(Duration::from_secs(1)).await);
    house.end().await;
}

#[tokio::test]
async fn what_happens_on_one_host_does_not_reach_the_page_of_another() {
    let house = House::new().await;
    let (north, south) = (house.add_host("north").await, house.add_host("south").await);
    let mut browser = house.browser_of("vera").await;
    let mut of_north = Stream::open(&mut browser, &format!("/hosts/{}", north.id)).await;
    let mut of_south = Stream::open(&mut browser, &format!("/hosts/{}", south.id)).await;
    of_north.until("north").await;
    of_south.until("south").await;
    house.add_free(&north, 3).await;
    of_north.until("north_3").await;
    assert!(of_south.is_quiet(Duration::from_secs(1)).await);
    house.end().await;
}

#[tokio::test]
async fn each_session_gets_its_own_token_and_what_its_role_may_do() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let page = format!("/hosts/{}", host.id);
    house.add_operator("olga", Role::Operator).await;
    let mut browsers = Vec::new();
    for name in ["otto", "olga", "vera"] {
        browsers.push(house.browser_of(name).await);
    }
    let tokens: Vec<String> = browsers.iter().map(|browser| browser.csrf.clone()).collect();
    let mut parts = Vec::new();
    for browser in &mut browsers {
        parts.push(Stream::open(browser, &page).await.next().await.unwrap());
    }
    for (at, part) in parts.iter().enumerate() {
        let theirs: Vec<usize> = (0..tokens.len()).filter(|of| part.data.contains(&tokens[*of])).collect();
        assert_eq!(theirs, if at == 2 { vec![] } else { vec![at] }, "{}", part.data);
        assert!(!part.data.contains("value=\"token-"), "{}", part.data);
        assert_eq!(part.data.contains("Fill up"), at != 2, "{}", part.data);
    }
    assert_eq!(parts[0].id, parts[1].id, "it was rendered once");
    // What a stream brings can be used: the button posts the session's own token.
    let version = crate::support::hidden(&parts[0].data, "version");
    let token = crate::support::hidden(&parts[0].data, "csrf");
    let fields = [("csrf", token.as_str()), ("version", version.as_str())];
    browsers[0].post_bare(&format!("{page}/fillup"), &fields).await.is(303);
    house.end().await;
}

#[tokio::test]
async fn one_that_comes_back_is_caught_up_or_told_that_it_is() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    let first = Stream::open(&mut browser, "/").await.next().await.unwrap();
    browser.headers.push(("last-event-id", first.id));
    let mut same = Stream::open(&mut browser, "/").await;
    assert_eq!(same.next().await.unwrap().name, "well");
    house.add_host("north").await;
    let mut later = Stream::open(&mut browser, "/").await;
    later.until("north").await;
    house.end().await;
}

#[tokio::test]
async fn nothing_that_anybody_typed_becomes_code_or_another_event() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let evil = "<script>alert(1)</script>\r\nevent: ended\r\n\r\ndata: x";
    let actor = Actor::Operator { name: "<script>".into() };
    house.store.append_events(&[Event::new(now(), EventKind::Access, actor, evil).about_host(&host.id)]).await.unwrap();
    let mut browser = house.browser_of("vera").await;
    for page in ["/".to_owned(), "/events".to_owned(), format!("/hosts/{}", host.id)] {
        let part = Stream::open(&mut browser, &page).await.next().await.unwrap();
        assert_eq!(part.name, "", "{page}");
        assert!(part.data.contains("&lt;script&gt;alert(1)"), "{page}: {}", part.data);
        assert!(!part.data.contains("<script"), "{page}: {}", part.data);
    }
    house.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_server() {
    let house = House::new().await;
    let (mut leaving, mut staying) = (house.browser_of("vera").await, house.browser_of("vera").await);
    let mut of_leaving = Stream::open(&mut leaving, "/").await;
    let mut of_staying = Stream::open(&mut staying, "/").await;
    of_leaving.until("There is no host yet").await;
    of_staying.until("There is no host yet").await;
    leaving.post("/logout", &[]).await.is(303);
    assert_eq!(of_leaving.next().await.unwrap().name, "ended");
    assert_eq!(of_leaving.next().await, None);
    house.add_host("north").await;
    of_staying.until("north").await;
    house.stop.cancel();
    assert_eq!(of_staying.next().await, None, "the server waits for nobody");
    house.end().await;
}

#[tokio::test]
async fn what_is_gone_is_said_to_be() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let mut browser = house.browser_of("vera").await;
    let mut stream = Stream::open(&mut browser, &format!("/hosts/{}", host.id)).await;
    stream.until("north").await;
    let event = Event::new(now(), EventKind::HostChanged, Actor::Reconciler, "deleted").about_host(&host.id);
    house.store.delete_host(&host.id, host.version, event).await.unwrap();
    stream.until("There is no such host").await;
    house.end().await;
}

#[tokio::test]
async fn who_looks_at_a_cluster_that_goes_is_told_what_became_of_it() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let held = house.add_held(&host, 0, "alice", Default::default()).await;
    let mut browser = house.browser_of("vera").await;
    let mut stream = Stream::open(&mut browser, &format!("/clusters/{}", held.id)).await;
    stream.until("north_0").await;
    let releasing = held.release("alice", now()).unwrap();
    house.store.move_cluster(&held, &releasing, None).await.unwrap();
    house.vanish(&releasing).await;
    stream.until("Cluster north_0 is gone").await;
    house.end().await;
}

#[tokio::test]
async fn one_session_has_so_many_streams_and_gets_them_back() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    let mut streams = Vec::new();
    let refused = loop {
        let answer = browser.open(&address("/")).await;
        if answer.status() != 200 {
            break answer;
        }
        streams.push(answer);
        assert!(streams.len() < 100, "there is no limit");
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "10");
    let text = refused.text().await.unwrap();
    assert!(text.contains("too-many-at-once") && text.contains("in this browser"), "{text}");
    house.browser_of("otto").await.open(&address("/")).await.error_for_status().unwrap();
    // One is closed. That is noticed when something is to be sent.
    streams.pop();
    let begun = Instant::now();
    for n in 0.. {
        house.add_host(&format!("h{n}")).await;
        if browser.open(&address("/")).await.status() == 200 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "its place is not free again");
    }
    house.end().await;
}

#[tokio::test]
async fn one_operator_has_so_many_streams_however_often_she_signs_in() {
    let house = House::new().await;
    let (mut streams, mut refusals) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut browser = house.browser_of("vera").await;
        for _ in 0..20 {
            let answer = browser.open(&address("/")).await;
            if answer.status() == 200 { streams.push(answer) } else { refusals.push(answer) }
        }
    }
    assert_eq!((streams.len(), refusals.len()), (64, 16));
    for refused in refusals {
        assert_eq!(refused.status(), 429);
        assert!(refused.text().await.unwrap().contains("in all your browsers together"));
    }
    house.browser_of("otto").await.open(&address("/")).await.error_for_status().unwrap();
    house.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_followed() {
    let house = House::new().await;
    let mut browser = house.browser_of("vera").await;
    for page in ["/hosts/0123456789abcdef01234567", "/clusters/0123456789abcdef01234567", "/hosts/h1", "/clusters/x"] {
        browser.get(&address(page)).await.is(404).has("There is no such");
    }
    house.end().await;
}

#[tokio::test]
async fn a_stream_ends_at_once_when_its_operator_goes_or_may_do_other_things() {
    let house = House::new().await;
    let mut ada = house.browser_of("ada").await;
    for (method, path, body, heard) in [
        ("PATCH", "", serde_json::json!({"role": "operator"}), "changed"),
        ("DELETE", "/sessions", serde_json::json!(null), "ended"),
        ("POST", "/password", serde_json::json!({}), "ended"),
        ("DELETE", "", serde_json::json!({"confirm": "olga"}), "ended"),
    ] {
        house.add_operator("olga", Role::Viewer).await;
        let id = house.store.operator_by_name("olga").await.unwrap().unwrap().id;
        let mut olga = house.browser_of("olga").await;
        let mut stream = Stream::open(&mut olga, "/").await;
        stream.until("There is no host yet").await;
        let begun = Instant::now();
        ada.json(method, &format!("/api/v1/operators/{id}{path}"), body).await;
        assert_eq!(stream.next().await.unwrap().name, heard, "{method} {path}");
        // Signs of life come every 15 s; this is not one of them.
        assert!(begun.elapsed() < Duration::from_secs(10), "{method} {path}: {:?}", begun.elapsed());
        if let Some(olga) = house.store.operator(&id).await.unwrap() {
            let event = Event::new(now(), EventKind::Access, Actor::Reconciler, "gone");
            house.store.delete_operator(&id, olga.version, event).await.unwrap();
        }
    }
    house.end().await;
}

#[tokio::test]
async fn other_sessions_streams_end_when_she_changes_her_password_or_ends_them() {
    let house = House::new().await;
    let (mut here, mut there) = (house.browser_of("vera").await, house.browser_of("vera").await);
    let mut stream = Stream::open(&mut there, "/").await;
    stream.until("There is no host yet").await;
    let all = here.get("/api/v1/sessions").await.json();
    let other = all["items"].as_array().unwrap().iter().find(|one| one["this"] == false).unwrap();
    let path = format!("/api/v1/sessions/{}", other["id"].as_str().unwrap());
    here.json("DELETE", &path, serde_json::json!(null)).await.is(204);
    assert_eq!(stream.next().await.unwrap().name, "ended");
    let mut there = house.browser_of("vera").await;
    let mut stream = Stream::open(&mut there, "/").await;
    stream.until("There is no host yet").await;
    let change = serde_json::json!({"present": crate::support::PASSWORD, "password": "another long password 5"});
    here.json("PUT", "/api/v1/session/password", change).await.is(200);
    assert_eq!(stream.next().await.unwrap().name, "ended");
    house.end().await;
}

#[tokio::test]
async fn only_live_pages_that_her_role_may_see_are_streamed() {
    let house = House::new().await;
    let mut vera = house.browser_of("vera").await;
    for page in ["", "/login", "/hosts/new/x", "//", "https://example.org/", "/live?page=/"] {
        vera.get(&address(page)).await.is(422).has("must be the address of a page that is live");
    }
    vera.get("/live").await.is(422);
    vera.get("/live?page=/&colour=red").await.is(422);
    let mut nobody = Browser::new(&house.url);
    nobody.get(&address("/")).await.is(401).has("not-signed-in");
    let answer = vera.open(&address("/")).await;
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(answer.headers()[name], value);
    }
    house.end().await;
}

#[tokio::test]
async fn the_events_page_follows_what_its_filter_lets_through() {
    let house = House::new().await;
    let host = house.add_host("north").await;
    let mut browser = house.browser_of("vera").await;
    let mut swept = Stream::open(&mut browser, "/events?kind=swept").await;
    swept.until("Nothing of this").await;
    let of = |kind, words: &str| Event::new(now(), kind, Actor::Reconciler, words).about_host(&host.id);
    house.store.append_events(&[of(EventKind::HostChanged, "another thing")]).await.unwrap();
    house.store.append_events(&[of(EventKind::Swept, "a stranger")]).await.unwrap();
    assert_eq!(swept.until("a stranger").await, 1, "the other was not among them");
    browser.get("/events?since=yesterday").await.is(400).has("must be a time");
    for (asked, shown) in
        [("2020-01-31T12:00", "2020-01-31T12:00:00"), ("2020-01-31T12:00:05.5Z", "2020-01-31T12:00:05")]
    {
        let page = browser.get(&format!("/events?since={asked}")).await;
        page.is(200).has("a stranger").has("type=\"datetime-local\"").has(&format!("value=\"{shown}\""));
    }
    let page = browser.get(&format!("/events?host={}", host.id)).await;
    page.is(200).has("About host").has("of all hosts").has("host north");
    house.end().await;
}

#[tokio::test]
async fn a_look_at_everything_is_for_the_one_that_leads() {
    let house = House::new().await;
    let mut other = Browser::new(&house.url);
    other.headers = vec![("authorization", format!("Bearer {}", crate::support::INTERNAL_SECRET))];
    other.raw("POST", "/internal/look", "application/json", Vec::new()).await.is(409).has("not-leading");
    house.end().await;
}

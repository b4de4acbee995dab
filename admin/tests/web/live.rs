//! Live pages: what changes reaches those who look at it, once, and nobody else.

use std::time::{Duration, Instant};

use common::clock::now;
use common::model::{Actor, Event, EventKind};

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
        let mut parts = 1;
        loop {
            let heard = self.next().await.unwrap_or_else(|| panic!("the stream ended before {words:?}"));
            if heard.name.is_empty() && heard.data.contains(words) {
                return parts;
            }
            parts += 1;
        }
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

//! A user under chaos: applies, holds, gives back, again and again, and says what happened to each request.
//!
//! She never gives up on a request: whatever is lost or put off is sent again, by the same words, until it is answered.
//! Without `allow_multiple` an apply that had worked already gives her the same network, which is what she counts on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::clock;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use serde_json::Value;

use super::door::Door;
use super::told::Book;
use crate::answer::Answer;

/// Between a request that came to nothing and the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Between two moments at which those who wait ask again.
const WAVE: Duration = Duration::from_millis(200);

/// Longest that she holds a network.
const HOLD_MS: u64 = 3000;

/// After the end of the run, what was begun must be answered within this.
const LAST_WORDS: Duration = Duration::from_secs(90);

/// All users of a run.
#[derive(Debug)]
pub struct Crowd<'a> {
    /// Where apps are; she goes to all of them in turn.
    doors: &'a [Door],
    /// What was told.
    book: &'a Book,
    /// For calls.
    http: &'a Client,
    /// Set when no new work is to be begun.
    over: &'a AtomicBool,
    /// Chooses what each user does.
    seed: u64,
    /// From when on waves are counted.
    begun: Instant,
    /// How many requests there were.
    turns: AtomicUsize,
}

/// What came of one request.
enum Outcome {
    /// It worked.
    Done(Value),
    /// 400 with a reason.
    Refused(String),
    /// 503, with the time to come again.
    Away,
    /// There was no answer, because app was away.
    Broken,
}

impl<'a> Crowd<'a> {
    /// Users who begin now.
    pub fn new(doors: &'a [Door], book: &'a Book, http: &'a Client, over: &'a AtomicBool, seed: u64) -> Crowd<'a> {
        Crowd { doors, book, http, over, seed, begun: Instant::now(), turns: AtomicUsize::new(0) }
    }

    /// One user's whole run. Of two users one keeps her last network.
    pub async fn live(&self, number: u64) {
        let user = format!("user-{number}");
        let mut chance = StdRng::seed_from_u64(self.seed.wrapping_mul(1000).wrapping_add(number));
        while !self.is_over() {
            // All who wait ask at the same moment, so that several want the same network.
            self.next_wave().await;
            let Some(cluster) = self.apply(&user, &mut chance).await else { continue };
            let until = Instant::now() + Duration::from_millis(chance.random_range(0..HOLD_MS));
            while Instant::now() < until && !self.is_over() {
                tokio::time::sleep(PAUSE).await;
            }
            // She who asks again gets what she has.
            if chance.random_ratio(1, 4)
                && let Some(again) = self.apply(&user, &mut chance).await
                && again != cluster
            {
                self.book.wrong(format!("{user} has {cluster} and was given {again}"));
            }
            if self.is_over() && number.is_multiple_of(2) {
                return;
            }
            self.release(&user, &cluster, &mut chance).await;
        }
    }

    async fn next_wave(&self) {
        let waves = self.begun.elapsed().as_millis() / WAVE.as_millis() + 1;
        let next = self.begun + WAVE * u32::try_from(waves).unwrap_or(u32::MAX);
        tokio::time::sleep_until(next.into()).await;
    }

    /// Applies until it is answered: the cluster, or none if none is free.
    async fn apply(&self, user: &str, chance: &mut StdRng) -> Option<String> {
        let first: bool = chance.random();
        let begun = Instant::now();
        while self.may_go_on(begun) {
            let sent = clock::now();
            let outcome = if first {
                self.ask("/v1/cluster_apply", &[("user_id", user), ("consensus_type", "pbft")]).await
            } else {
                self.ask("/v2/cluster_op", &[("action", "apply"), ("user_id", user)]).await
            };
            match outcome {
                Outcome::Done(answer) => {
                    let cluster = if first { &answer } else { &answer["data"] };
                    match (cluster["id"].as_str(), cluster["user_id"].as_str()) {
                        (Some(id), Some(whose)) if whose == user => {
                            self.book.told(user, id);
                            return Some(id.to_owned());
                        }
                        _ => self.book.wrong(format!("{user}'s apply was answered by {answer}")),
                    }
                }
                Outcome::Refused(words) => {
                    if words != format!("No available res for {user}") {
                        self.book.wrong(format!("{user}'s apply was refused: {words}"));
                    }
                    self.book.refused();
                    return None;
                }
                Outcome::Away => {
                    self.book.refused();
                    self.book.lost(user, sent, clock::now());
                }
                Outcome::Broken => self.book.lost(user, sent, clock::now()),
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.book.wrong(format!("{user}'s apply was not answered within {:?}", begun.elapsed()));
        None
    }

    /// Gives a network back; asks until it is done.
    pub async fn release(&self, user: &str, cluster: &str, chance: &mut StdRng) {
        self.book.releases(user, cluster, clock::now());
        let way = chance.random_range(0..3);
        let begun = Instant::now();
        while self.may_go_on(begun) {
            let outcome = match way {
                0 => self.ask("/v1/cluster_release", &[("user_id", user)]).await,
                1 => self.ask("/v2/cluster_release", &[("user_id", user)]).await,
                _ => self.ask("/v2/cluster_op", &[("action", "release"), ("cluster_id", cluster)]).await,
            };
            if let Outcome::Done(_) = outcome {
                self.book.released(user, cluster);
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.book.wrong(format!("{user}'s release of {cluster} was not answered within {:?}", begun.elapsed()));
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Outcome {
        let door = &self.doors[self.turns.fetch_add(1, Ordering::SeqCst) % self.doors.len()];
        let sent = Instant::now();
        let request = self.http.get(format!("{}{path}", door.url())).query(query);
        match Answer::of(request).await {
            Ok(answer) => understood(&answer).unwrap_or_else(|| {
                self.book.wrong(format!("{path} {query:?}: {} {} {:?}", answer.status, answer.text, answer.headers));
                Outcome::Broken
            }),
            Err(error) => {
                if door.was_closed(sent, Instant::now()) {
                    // Refused at once, because it is not there.
                    tokio::time::sleep(PAUSE).await;
                } else {
                    self.book
                        .wrong(format!("{path} {query:?} after {:?}, and app was there: {error:#}", sent.elapsed()));
                }
                Outcome::Broken
            }
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// While the run goes on there is no limit of hers: what takes long then is seen at its end.
    fn may_go_on(&self, begun: Instant) -> bool {
        !self.is_over() || begun.elapsed() < LAST_WORDS
    }
}

/// `None`: an answer that tells nothing.
fn understood(answer: &Answer) -> Option<Outcome> {
    let json = answer.json();
    match answer.status {
        200 if json["status"] != "FAIL" && json.is_object() => Some(Outcome::Done(json)),
        400 if json["status"] == "FAIL" => {
            let words = json["error"].as_str().filter(|words| !words.is_empty())?;
            Some(Outcome::Refused(words.to_owned()))
        }
        503 if json["error"].is_string() && answer.header("retry-after").parse::<u32>().is_ok() => Some(Outcome::Away),
        _ => None,
    }
}

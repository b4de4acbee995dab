//! Users and operators who go on calling while something is replaced, and what of it was lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::pool::Pool;
use crate::answer::{Answer, client};
use crate::wait::until;

/// Between two calls of one caller: all of them stay below nginx' limit for one address.
const PAUSE: Duration = Duration::from_millis(40);

/// Callers at work; they stop by [`Load::end`].
pub(super) struct Load {
    over: Arc<AtomicBool>,
    book: Arc<Book>,
    callers: Vec<JoinHandle<()>>,
}

/// Whether a caller has a connection for each call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connection {
    Anew,
    Kept,
}

/// What came of it.
pub(super) struct Tally {
    pub answered: u64,
    pub slowest: Duration,
    /// How often users were given a network of their own and gave it back.
    pub turns: u64,
    /// How often a kept connection had been closed when a call came over it, so that the call was made again.
    pub again: u64,
    pub lost: Vec<String>,
}

#[derive(Default)]
struct Book {
    answered: AtomicU64,
    turns: AtomicU64,
    again: AtomicU64,
    slowest_us: AtomicU64,
    /// How many calls of each kind were answered.
    kinds: Mutex<BTreeMap<&'static str, u64>>,
    lost: Mutex<Vec<String>>,
}

impl Load {
    /// Starts them: some with a connection for each call, some with one that is kept.
    pub async fn begin(pool: &Pool, cluster: &str) -> anyhow::Result<Load> {
        let (over, book) = (Arc::new(AtomicBool::new(false)), Arc::new(Book::default()));
        let kept = client()?;
        let anew = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(40)).build()?;
        let mut callers = Vec::new();
        let mut call =
            |what: &'static str, connection: Connection, make: Box<dyn Fn() -> RequestBuilder + Send + Sync>| {
                let (over, book) = (over.clone(), book.clone());
                callers.push(tokio::spawn(async move {
                    while !over.load(Ordering::SeqCst) {
                        book.call(what, connection, &make).await;
                        tokio::time::sleep(PAUSE).await;
                    }
                }));
            };
        for (connection, http) in [(Connection::Kept, kept), (Connection::Anew, anew.clone())] {
            let (users, token, id) = (pool.users.clone(), pool.alice.clone(), cluster.to_owned());
            let get = |path: String| {
                let (http, users, token) = (http.clone(), users.clone(), token.clone());
                Box::new(move || http.get(format!("{users}{path}")).bearer_auth(&token))
            };
            call("look", connection, get(format!("/v2/cluster/{id}")));
            call("apply again", connection, get("/v2/cluster_apply?user_id=alice".into()));
            let (operators, cookie) = (pool.operator.url().to_owned(), pool.operator.cookie().to_owned());
            let hosts = move || http.get(format!("{operators}/api/v1/hosts")).header("cookie", &cookie);
            call("hosts", connection, Box::new(hosts));
        }
        let (users, token) = (pool.users.clone(), pool.service.clone());
        let carol = (over.clone(), book.clone());
        callers.push(tokio::spawn(async move { come_and_go(&anew, &users, &token, &carol.0, &carol.1).await }));
        Ok(Load { over, book, callers })
    }

    /// Waits until every kind of call was answered so often again.
    pub async fn go_on(&self, times: u64) -> anyhow::Result<()> {
        let before = self.book.kinds.lock().await.clone();
        until("every caller to go on", Duration::from_secs(60), || async {
            let now = self.book.kinds.lock().await;
            let all = ["look", "apply again", "hosts"];
            let fewest =
                all.iter().map(|kind| now.get(kind).copied().unwrap_or(0) - before.get(kind).copied().unwrap_or(0));
            ensure!(fewest.min() >= Some(times), "{now:?} after {before:?}");
            Ok(())
        })
        .await
    }

    /// Stops them, and says what came of it.
    pub async fn end(self) -> Tally {
        self.over.store(true, Ordering::SeqCst);
        for caller in self.callers {
            if let Err(error) = caller.await {
                self.book.lost.lock().await.push(format!("a caller: {error}"));
            }
        }
        Tally {
            answered: self.book.answered.load(Ordering::SeqCst),
            again: self.book.again.load(Ordering::SeqCst),
            turns: self.book.turns.load(Ordering::SeqCst),
            slowest: Duration::from_micros(self.book.slowest_us.load(Ordering::SeqCst)),
            lost: self.book.lost.lock().await.clone(),
        }
    }
}

impl Book {
    /// Makes a call and notes what came of it. That the pool has none to give is an answer; that nobody was there is none.
    async fn call(
        &self,
        what: &'static str,
        connection: Connection,
        make: impl Fn() -> RequestBuilder,
    ) -> Option<Value> {
        let begun = Instant::now();
        let mut outcome = Answer::of(make()).await;
        if connection == Connection::Kept && outcome.is_err() {
            // Closed by nginx at the moment at which it was used: as HTTP has it, the call is made again over another.
            self.again.fetch_add(1, Ordering::SeqCst);
            outcome = Answer::of(make()).await;
        }
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.slowest_us.fetch_max(took, Ordering::SeqCst);
        let lost = match outcome {
            Ok(answer) if answer.status == 200 || answer.status == 400 => {
                self.answered.fetch_add(1, Ordering::SeqCst);
                *self.kinds.lock().await.entry(what).or_default() += 1;
                return Some(answer.json());
            }
            Ok(answer) => format!("{what}: {} {}", answer.status, answer.text),
            Err(error) => format!("{what}: {error:#}"),
        };
        self.lost.lock().await.push(lost);
        None
    }
}

/// carol is given a network and gives it back, by v1 and v2 in turns.
async fn come_and_go(http: &Client, users: &str, token: &str, over: &AtomicBool, book: &Book) {
    let get = |path: &str| http.get(format!("{users}{path}")).bearer_auth(token);
    for turn in 0_u64.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let (apply, release) = match turn % 2 {
            0 => ("/v1/cluster_apply?user_id=carol", "/v1/cluster_release?user_id=carol"),
            _ => ("/v2/cluster_apply?user_id=carol", "/v2/cluster_release?user_id=carol"),
        };
        let given = book.call("apply", Connection::Anew, || get(apply)).await.unwrap_or_default();
        if given["id"].is_string() || given["data"]["id"].is_string() {
            let back = book.call("release", Connection::Anew, || get(release)).await.unwrap_or_default();
            if back["status"] == "OK" {
                book.turns.fetch_add(1, Ordering::SeqCst);
            }
        }
        tokio::time::sleep(PAUSE * 5).await;
    }
    book.call("release", Connection::Anew, || get("/v2/cluster_release?user_id=carol")).await;
}

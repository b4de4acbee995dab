//! Renders live pages, each once for all who look at it, and keeps the last text of each for whoever comes next.
//!
//! A page is here as long as somebody looks at it. Texts go through a `watch` channel: a slow reader gets the latest and
//! never a backlog.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use actix_web::web::Data;
use common::model::{ClusterId, HostId, Role, SessionId};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::fragment::Shown;
use super::pace::{self, Next, Turn};
use super::pages::LivePage;
use super::places::Places;
use super::render::render;
use super::topic::{News, Topic};
use crate::access::SignedIn;
use crate::problem::Problem;
use crate::seats::{NoSeat, Seat, Seats};
use crate::server::State;

/// Streams of one admin at most. Each keeps a connection and some kilobytes; beyond this it is better to say no.
const STREAMS: usize = 1_000;

/// Of those, streams of one operator: three browsers full of tabs. She may sign in any number of times.
const OF_ONE_OPERATOR: usize = 64;

/// Streams of one session at most: browsers keep that many tabs' connections, and nobody reads more pages at once.
const OF_ONE_SESSION: usize = 24;

/// One page as one role sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its path, as the table of routes has it.
    pub path: &'static str,
    /// What stands for `{id}`.
    pub id: String,
    /// What comes after the path, in one form for all who mean the same.
    pub query: String,
    /// Whose rights it is rendered with.
    pub role: Role,
}

struct Channel {
    page: &'static LivePage,
    topic: Topic,
    turn: Turn,
    shown: watch::Sender<Shown>,
}

#[derive(Default)]
struct Inner {
    channels: BTreeMap<Key, Channel>,
    sessions: BTreeMap<SessionId, usize>,
    places: Places,
}

/// What the hub, its streams and its ears share.
pub struct Shared {
    inner: Mutex<Inner>,
    seats: Seats,
    /// For the renderer: there is something to do.
    wake: Notify,
    /// For the ears: whether anybody looks.
    looked_at: watch::Sender<bool>,
    /// How many streams there are, for whoever counts.
    open: Gauge,
    end: CancellationToken,
}

/// The live pages of this process. Dropping it ends its tasks and streams.
pub struct Hub {
    shared: Arc<Shared>,
    _end: DropGuard,
}

/// One browser's place at a page.
pub struct Place {
    /// What is known of the page, always the latest.
    pub shown: watch::Receiver<Shown>,
    key: Key,
    session: SessionId,
    _seat: Seat,
    shared: Arc<Shared>,
}

impl Hub {
    /// Without anybody looking yet. `stop` ends every stream at once.
    pub fn new(stop: &CancellationToken) -> Hub {
        let end = stop.child_token();
        let shared = Shared {
            inner: Mutex::default(),
            wake: Notify::new(),
            seats: Seats::new(STREAMS, OF_ONE_OPERATOR),
            looked_at: watch::Sender::new(false),
            open: Gauge::default(),
            end: end.clone(),
        };
        Hub { shared: Arc::new(shared), _end: end.drop_guard() }
    }

    /// Begins to render and to listen, in the runtime of the caller.
    pub fn start(&self, state: &Data<State>) {
        let weak = Arc::downgrade(&state.clone().into_inner());
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let end = shared.end.clone();
            tokio::select! {
                () = end.cancelled() => {}
                () = run(&shared, &weak) => {}
            }
        });
        super::ears::listen(
            self.shared.clone(),
            state.store.clone(),
            state.reconciler.clone(),
            state.operations.tally.clone(),
        );
    }

    /// A place at a page for whoever is signed in; `key` is the page's.
    pub fn take_place(&self, page: &'static LivePage, key: Key, who: &SignedIn) -> Result<Place, Problem> {
        let session = &who.session.id;
        let seat = self.shared.seats.take(&who.operator.id).map_err(|refused| match refused {
            NoSeat::Full => Problem::too_many_streams(format!("{STREAMS} pages are followed live already.")),
            NoSeat::Hers(most) => Problem::too_many_of_hers(format!(
                "You follow {most} pages live already, in all your browsers together; close some of them."
            )),
        })?;
        let mut inner = self.shared.lock();
        let of_session = inner.sessions.get(session).copied().unwrap_or_default();
        if of_session >= OF_ONE_SESSION {
            let why = format!("You follow {OF_ONE_SESSION} pages live already in this browser; close some of them.");
            return Err(Problem::too_many_of_hers(why));
        }
        self.shared.open.inc();
        inner.sessions.insert(session.clone(), of_session + 1);
        let channel = inner.channels.entry(key.clone()).or_insert_with(|| Channel {
            page,
            topic: (page.topic)(&key.id),
            turn: Turn::New(Instant::now()),
            shown: watch::Sender::new(Shown::default()),
        });
        let shown = channel.shown.subscribe();
        drop(inner);
        self.shared.looked_at.send_replace(true);
        self.shared.wake.notify_one();
        Ok(Place { shown, key, session: session.clone(), _seat: seat, shared: self.shared.clone() })
    }

    /// Names what is counted of the streams.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("live_streams", "Live pages that browsers follow", self.shared.open.clone());
    }

    /// Cancelled when every stream is to end.
    pub fn end(&self) -> CancellationToken {
        self.shared.end.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        self.shared.open.dec();
        if let Some(count) = inner.sessions.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                inner.sessions.remove(&self.session);
            }
        }
        // This place is still counted as a receiver.
        if inner.channels.get(&self.key).is_some_and(|channel| channel.shown.receiver_count() <= 1) {
            inner.channels.remove(&self.key);
        }
        if inner.channels.is_empty() {
            self.shared.looked_at.send_replace(false);
        }
    }
}

impl Shared {
    /// Something may have changed: the pages that it concerns are rendered again.
    pub fn hear(&self, news: &News) {
        let mut inner = self.lock();
        let Inner { channels, places, .. } = &mut *inner;
        let now = Instant::now();
        let mut concerned = false;
        for channel in channels.values_mut().filter(|channel| news.concern(&channel.topic, places)) {
            channel.turn.want(now);
            concerned = true;
        }
        drop(inner);
        if concerned {
            self.wake.notify_one();
        }
    }

    /// Of these clusters those whose host is not known, if any page wants to know.
    pub fn unplaced<'a>(&self, clusters: impl Iterator<Item = &'a ClusterId>) -> Vec<ClusterId> {
        let inner = self.lock();
        let wanted = |channel: &Channel| matches!(channel.topic, Topic::Host(_) | Topic::Cluster(_));
        if !inner.channels.values().any(wanted) {
            return Vec::new();
        }
        clusters.filter(|cluster| inner.places.of(cluster).is_none()).cloned().collect()
    }

    /// Takes note of where clusters are.
    pub fn learn<'a>(&self, places: impl Iterator<Item = (&'a ClusterId, &'a HostId)>) {
        let mut inner = self.lock();
        places.for_each(|(cluster, host)| inner.places.learn(cluster, host));
    }

    /// Tells whether anybody looks.
    pub fn looked_at(&self) -> watch::Receiver<bool> {
        self.looked_at.subscribe()
    }

    /// Cancelled when all is to end.
    pub fn end(&self) -> &CancellationToken {
        &self.end
    }

    fn next(&self, rested: Instant, leads: bool) -> Next<(Key, &'static LivePage)> {
        let slow = if leads { pace::SLOW } else { pace::SLOW_STANDING_BY };
        let mut inner = self.lock();
        let now = Instant::now();
        let turns = inner.channels.iter().map(|(key, channel)| (key, channel.turn));
        match pace::next(turns, rested, slow, now) {
            Next::Wait(at) => Next::Wait(at),
            Next::Render(key) => match inner.channels.get_mut(&key) {
                Some(channel) => {
                    channel.turn.begin(now);
                    Next::Render((key, channel.page))
                }
                None => Next::Nothing,
            },
            Next::Nothing => Next::Nothing,
        }
    }

    fn show(&self, key: &Key, newest: Shown) {
        if let Some(channel) = self.lock().channels.get(key) {
            channel.shown.send_if_modified(|shown| shown.become_newer(newest));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renders one page after the other for as long as the server is there.
async fn run(shared: &Shared, state: &std::sync::Weak<State>) {
    let mut rested = Instant::now();
    loop {
        let Some(state) = state.upgrade() else { return };
        match shared.next(rested, state.reconciler.leads()) {
            Next::Render((key, page)) => {
                let (newest, cost) = render(&Data::from(state), page, &key).await;
                shared.show(&key, newest);
                rested = Instant::now() + pace::rest(cost);
            }
            Next::Wait(at) => {
                drop(state);
                tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => {}
                    () = shared.wake.notified() => {}
                }
            }
            Next::Nothing => {
                drop(state);
                shared.wake.notified().await;
            }
        }
    }
}

//! Carries one peer over real sockets: its REST, its talk with the others, and the ports that Fabric has besides.
//!
//! Threads, not an async runtime: a peer has a handful of connections, and its image is built on a user's first start,
//! where each dependency costs her seconds.

mod address;
mod frame;
mod gate;
mod http;
mod journal;
mod link;
mod log;
mod rest;
mod wake;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::message::Message;
use crate::time::UnixNanos;
use crate::{Peer, PeerConfig, Reply};

use gate::Gate;
use link::Links;
pub use log::{Level, Log};
use wake::Wake;

/// Between two looks around when something waits to be ordered.
const BUSY: Duration = Duration::from_millis(100);

/// Between two looks around when nothing does, or when it waits in vain: everything that matters wakes it before.
const IDLE: Duration = Duration::from_secs(3);

/// Between two looks around of a peer that has not found its root yet.
const LOST: Duration = Duration::from_millis(200);

/// Threads here do little; JSON nested to the parser's own limit is the deepest.
const STACK: usize = 512 << 10;

/// Where it listens. Port 0 takes any.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// `CORE_REST_ADDRESS`, usually port 7050.
    pub rest: SocketAddr,
    /// `CORE_PEER_LISTENADDRESS`, usually port 7051.
    pub peer: SocketAddr,
    /// `CORE_CLI_ADDRESS`, usually port 7052. Accepts and closes.
    pub cli: SocketAddr,
    /// `CORE_PEER_VALIDATOR_EVENTS_ADDRESS`, usually port 7053. Accepts and closes.
    pub events: SocketAddr,
}

/// A peer that runs.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    gates: Vec<Gate>,
    rest: SocketAddr,
}

/// What its threads share.
#[derive(Debug)]
struct Shared {
    peer: Peer,
    links: Links,
    wake: Arc<Wake>,
    stopped: AtomicBool,
    log: Log,
}

impl Server {
    /// Starts a peer. Its ledger is kept in a file in `folder`, or nowhere.
    ///
    /// # Errors
    /// An address that cannot be listened on, a folder that cannot be written; the message names it.
    pub fn start(config: PeerConfig, addresses: Addresses, folder: Option<PathBuf>, log: Log) -> io::Result<Self> {
        let now = clock();
        let peer = match folder {
            Some(folder) => {
                let (records, journal) = journal::open(&folder, log)?;
                Peer::restore(config, &records, Box::new(journal), now)
            }
            None => Peer::new(config, now),
        };
        let listeners = [
            listen("REST", addresses.rest)?,
            listen("the other peers", addresses.peer)?,
            listen("the command line", addresses.cli)?,
            listen("events", addresses.events)?,
        ];
        let rest = listeners[0].local_addr()?;
        let own = peer.config().address.clone();
        let own =
            own.map_or_else(|| listeners[1].local_addr().map(|at| address::seen_by_others(at).to_string()), Ok)?;
        peer.set_address(&own);
        let wake = Arc::new(Wake::default());
        let links = Links::new(Arc::clone(&wake));
        let shared = Arc::new(Shared { peer, links, wake, stopped: AtomicBool::new(false), log });
        let [for_rest, for_peers, cli, events] = listeners;
        let handler = Arc::clone(&shared);
        let talker = Arc::clone(&shared);
        let gates = vec![
            Gate::open("rest", for_rest, http::BUSY, move |stream| rest::serve(&handler, stream))?,
            Gate::open("peers", for_peers, &[], move |stream| talker.converse(stream))?,
            Gate::open("cli", cli, &[], drop)?,
            Gate::open("events", events, &[], drop)?,
        ];
        let looker = Arc::clone(&shared);
        thread::Builder::new().name("look".to_owned()).stack_size(STACK).spawn(move || looker.look_around())?;
        let (id, height) = (&shared.peer.config().id, shared.peer.height());
        log.info(format_args!("{id} serves REST on {rest} and other peers as {own}; its ledger has {height} blocks"));
        Ok(Self { shared, gates, rest })
    }

    /// Where its REST is.
    pub fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Where the others reach it.
    pub fn address(&self) -> String {
        self.shared.peer.lock().address.to_string()
    }
}

impl Drop for Server {
    /// Ends it as a killed process ends: every connection breaks at once.
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.wake.up();
        self.gates.clear();
        self.shared.links.close();
    }
}

impl Shared {
    fn look_around(&self) {
        let mut seen = (0, Vec::new());
        let mut stale = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            self.peer.poll(&self.links, clock());
            let now = (self.peer.height(), self.links.connected());
            if now.1 != seen.1 {
                self.log.info(format_args!("connected to {} other peers: {}", now.1.len(), now.1.join(", ")));
            }
            if now.0 != seen.0 && seen.0 != 0 {
                self.log.info(format_args!("committed up to block {}", now.0 - 1));
            }
            stale = if now == seen { stale + 1 } else { 0 };
            seen = now;
            let lost = self.peer.config().root.is_some() && seen.1.is_empty();
            // After ten seconds in vain only a returning peer helps, and that wakes it.
            self.wake.wait(match (self.peer.is_busy() && stale < 100, lost) {
                (true, _) => BUSY,
                (false, true) => LOST,
                (false, false) => IDLE,
            });
        }
    }

    /// Answers one of the others for as long as its connection stands.
    fn converse(&self, mut stream: std::net::TcpStream) {
        // Whoever says nothing at first is no peer. Later, silence is normal.
        if stream.set_read_timeout(Some(Duration::from_secs(5))).is_err() || stream.set_nodelay(true).is_err() {
            return;
        }
        let mut introduced = false;
        while let Ok((id, message)) = frame::read::<Message>(&mut stream) {
            let hello = match &message {
                Message::Hello { address, .. } => Some(address.clone()),
                _ if !introduced => return,
                _ => None,
            };
            let work = matches!(message, Message::Submit { .. });
            let reply = self.peer.handle(message, clock());
            if frame::write(&mut stream, id, &reply).is_err() || matches!(reply, Reply::Stranger) {
                return;
            }
            match hello {
                Some(address) => {
                    introduced = true;
                    self.links.nudge(&address);
                    if stream.set_read_timeout(None).is_err() {
                        return;
                    }
                }
                None if work => self.wake.up(),
                None => {}
            }
        }
    }
}

fn listen(what: &str, address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address} for {what}: {error}")))
}

/// The time now. This package does without `common`, whose stores would make its image slow to build.
#[expect(clippy::disallowed_methods, reason = "the one place here that reads the clock")]
fn clock() -> UnixNanos {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

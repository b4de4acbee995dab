//! Connections to the other peers: one each, kept open, so that a process that ends is noticed the moment its end of it
//! breaks, while a frozen one stays listed, as with Fabric.
//!
//! A frozen peer answers late or never. The first call to it waits; then it is *silent*, and further calls fail at once
//! until an answer comes, however late. So one frozen peer costs the others one second, once, and its kernel's queues
//! never fill.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use super::wake::Wake;
use super::{STACK, frame};
use crate::message::{Message, Reply};
use crate::{Network, UnixNanos, Unreachable};

/// For an answer. Peers answer in well under a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

/// For a connection. Within one network it takes less than a millisecond; a dead peer's address answers nothing at all.
const DIAL: Duration = Duration::from_millis(250);

/// Between two attempts to reach one that is away; one that returns says hello and is dialled at once.
const RETRY: Duration = Duration::from_secs(2);

/// Addresses remembered: peers come back at others, and each is kept until there are too many.
const MOST: usize = 256;

#[derive(Debug)]
pub struct Links {
    wake: Arc<Wake>,
    links: Mutex<HashMap<Box<str>, Arc<Link>>>,
}

#[derive(Debug)]
struct Link {
    wake: Arc<Wake>,
    /// Held while dialling, by the one thread that calls.
    dial: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Down {
        retry: Instant,
    },
    Up(Connection),
    /// The whole peer has ended.
    Closed,
}

#[derive(Debug)]
struct Connection {
    stream: Arc<TcpStream>,
    waiting: HashMap<u64, SyncSender<Reply>>,
    next: u64,
    silent: bool,
}

impl Links {
    pub fn new(wake: Arc<Wake>) -> Self {
        Self { wake, links: Mutex::new(HashMap::new()) }
    }

    /// The peer there has just spoken: if it is not connected, dial now.
    pub fn nudge(&self, address: &str) {
        let link = self.lock().get(address).map(Arc::clone);
        if let Some(link) = link {
            match &mut *link.lock() {
                State::Down { retry } => *retry = Instant::now(),
                State::Up(_) | State::Closed => return,
            }
        }
        // One that was never dialled is known by now, so the next look around dials it.
        self.wake.up();
    }

    /// Addresses of those connected, in order.
    pub fn connected(&self) -> Vec<String> {
        let links = self.lock();
        let up = links.iter().filter(|(_, link)| matches!(*link.lock(), State::Up(_)));
        let mut addresses: Vec<_> = up.map(|(address, _)| address.to_string()).collect();
        addresses.sort();
        addresses
    }

    /// Breaks all.
    pub fn close(&self) {
        for link in self.lock().values() {
            if let State::Up(connection) = std::mem::replace(&mut *link.lock(), State::Closed) {
                let _broken = connection.stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(&self, address: &str) -> Arc<Link> {
        let mut links = self.lock();
        if links.len() >= MOST {
            links.retain(|_, link| matches!(*link.lock(), State::Up(_)));
        }
        Arc::clone(links.entry(address.into()).or_insert_with(|| {
            let state = Mutex::new(State::Down { retry: Instant::now() });
            Arc::new(Link { wake: Arc::clone(&self.wake), dial: Mutex::new(()), state })
        }))
    }
}

impl Network for Links {
    fn call(&self, address: &str, message: Message, _now: UnixNanos) -> Result<Reply, Unreachable> {
        let link = self.link(address);
        link.dial(address)?;
        link.call(&message)
    }

    fn is_connected(&self, address: &str) -> bool {
        let links = self.lock();
        links.get(address).is_some_and(|link| matches!(*link.lock(), State::Up(_)))
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dial(self: &Arc<Self>, address: &str) -> Result<(), Unreachable> {
        let _dialling = self.dial.lock().unwrap_or_else(PoisonError::into_inner);
        match &*self.lock() {
            State::Up(_) => return Ok(()),
            State::Down { retry } if *retry <= Instant::now() => {}
            State::Down { .. } | State::Closed => return Err(Unreachable),
        }
        // Not under the lock of the state: who lists peers must not wait for this.
        let dialled = connect(address).and_then(|stream| {
            let reader = stream.try_clone()?;
            let stream = Arc::new(stream);
            let mut state = self.lock();
            if matches!(*state, State::Closed) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let (link, own) = (Arc::clone(self), Arc::clone(&stream));
            thread::Builder::new().stack_size(STACK).spawn(move || link.listen(reader, &own))?;
            *state = State::Up(Connection { stream, waiting: HashMap::new(), next: 0, silent: false });
            Ok(())
        });
        dialled.map_err(|_| {
            if let State::Down { retry } = &mut *self.lock() {
                *retry = Instant::now() + RETRY;
            }
            Unreachable
        })
    }

    fn call(&self, message: &Message) -> Result<Reply, Unreachable> {
        let (sender, answer) = sync_channel(1);
        let (stream, number) = {
            let mut state = self.lock();
            let State::Up(connection) = &mut *state else { return Err(Unreachable) };
            if connection.silent {
                return Err(Unreachable);
            }
            connection.next += 1;
            connection.waiting.insert(connection.next, sender);
            (Arc::clone(&connection.stream), connection.next)
        };
        // One thread calls, so frames do not mix. A half-written one makes the connection useless: it goes down.
        let written = stream.try_clone().and_then(|mut stream| frame::write(&mut stream, number, message));
        if written.is_err() {
            self.down(&stream);
            return Err(Unreachable);
        }
        answer.recv_timeout(PATIENCE).map_err(|why| {
            if let (RecvTimeoutError::Timeout, State::Up(connection)) = (why, &mut *self.lock()) {
                connection.waiting.remove(&number);
                connection.silent = true;
            }
            Unreachable
        })
    }

    /// Hands answers to those who wait for them, until the connection breaks.
    fn listen(&self, mut reader: TcpStream, own: &Arc<TcpStream>) {
        while let Ok((number, reply)) = frame::read::<Reply>(&mut reader) {
            if let State::Up(connection) = &mut *self.lock() {
                match connection.waiting.remove(&number) {
                    Some(waiting) => {
                        // Who waited may have given up this moment.
                        let _late = waiting.try_send(reply);
                    }
                    None => self.wake.up(),
                }
                connection.silent = false;
            }
        }
        self.down(own);
    }

    /// Marks it down, if it is still this connection that it has.
    fn down(&self, own: &Arc<TcpStream>) {
        let _broken = own.shutdown(Shutdown::Both);
        let mut state = self.lock();
        if matches!(&*state, State::Up(connection) if Arc::ptr_eq(&connection.stream, own)) {
            *state = State::Down { retry: Instant::now() };
            self.wake.up();
        }
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()?.take(2) {
        match TcpStream::connect_timeout(&address, DIAL) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(PATIENCE))?;
                notice_lost_hosts(&stream)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A host that vanishes breaks no connection; five seconds without a sign of its kernel do. A frozen process' kernel goes on.
fn notice_lost_hosts(stream: &TcpStream) -> io::Result<()> {
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &2)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &1)?;
    setsockopt(stream, sockopt::TcpKeepCount, &3)?;
    setsockopt(stream, sockopt::TcpUserTimeout, &5000)?;
    Ok(())
}

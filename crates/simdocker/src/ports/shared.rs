//! One listener for each port number, for many hosts: the address that a connection was made to tells the host.
//!
//! It listens on every address, but only of the loopback device, so nothing outside the machine can reach it. A port
//! that nobody publishes on the address asked for is reset, not refused: the one difference from a listener of its own.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::listening::{AFTER_FAILURE, Closed, Listening, Target, closing};

/// Connections that may wait to be taken, over all hosts of a port.
const BACKLOG: i32 = 1024;

/// The listeners that hosts have in common. Clones are the same; the last one to go closes them.
#[derive(Clone, Debug, Default)]
pub struct SharedPorts(Arc<Mutex<Registry>>);

#[derive(Debug, Default)]
struct Registry {
    ports: HashMap<u16, Entry>,
}

#[derive(Debug)]
struct Entry {
    hosts: HashMap<Ipv4Addr, (Arc<dyn Target>, Closed)>,
    listener: Arc<TcpListener>,
    task: tokio::task::AbortHandle,
}

/// One host's part of a common listener.
#[derive(Debug)]
pub(super) struct SharedPort {
    ports: SharedPorts,
    at: SocketAddrV4,
}

impl SharedPorts {
    /// Listeners right now, each one descriptor.
    pub fn listeners(&self) -> usize {
        self.lock().ports.len()
    }

    pub(crate) fn listen(&self, at: SocketAddrV4, target: Arc<dyn Target>) -> io::Result<Listening> {
        let mut registry = self.lock();
        let entry = match registry.ports.entry(at.port()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(self.open(at.port())?),
        };
        if entry.hosts.contains_key(at.ip()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (open, closed) = closing();
        entry.hosts.insert(*at.ip(), (target, closed));
        Ok(Listening::shared(at, open, SharedPort { ports: self.clone(), at }))
    }

    fn open(&self, port: u16) -> io::Result<Entry> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind_device(Some(b"lo"))?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
        socket.listen(BACKLOG)?;
        let listener = Arc::new(TcpListener::from_std(socket.into())?);
        let (accepting, weak) = (listener.clone(), Arc::downgrade(&self.0));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = accepting.accept().await else {
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                };
                let Some(registry) = weak.upgrade() else { return };
                Self(registry).take(stream, port);
            }
        });
        Ok(Entry { hosts: HashMap::new(), listener, task: task.abort_handle() })
    }

    fn take(&self, stream: TcpStream, port: u16) {
        let Ok(IpAddr::V4(address)) = stream.local_addr().map(|local| local.ip()) else { return };
        let found = self.lock().ports.get(&port).and_then(|entry| entry.hosts.get(&address).cloned());
        match found {
            Some((target, closed)) => target.connected(stream, closed),
            None => {
                // The nearest to a refusal that is possible once a connection was taken: a reset.
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SharedPort {
    fn drop(&mut self) {
        let mut registry = self.ports.lock();
        let Some(entry) = registry.ports.get_mut(&self.at.port()) else { return };
        entry.hosts.remove(self.at.ip());
        if entry.hosts.is_empty() {
            registry.ports.remove(&self.at.port());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = SockRef::from(&*self.listener).shutdown(std::net::Shutdown::Both);
        self.task.abort();
    }
}

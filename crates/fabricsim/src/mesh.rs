//! A network in memory: one per simulated Docker network.
//!
//! Lazy: nothing happens between two requests. Each request first lets every running peer look around.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::config::PEER_PORT;
use crate::message::{Message, Reply};
use crate::network::{Network, Unreachable};
use crate::{Peer, Response, UnixNanos};

/// The peers on one network, and how each is: running, frozen, or not there.
#[derive(Debug, Default)]
pub struct Mesh {
    nodes: RwLock<Vec<Node>>,
}

#[derive(Debug)]
struct Node {
    ip: IpAddr,
    address: Box<str>,
    names: Box<[Box<str>]>,
    frozen: bool,
    peer: Arc<Peer>,
}

impl Mesh {
    /// The process of `peer` starts, at `ip`, reachable by `names` as well (container name, aliases).
    /// Whatever was at `ip` is gone. Volatile state of `peer` is dropped, as by [`Peer::restarted`].
    pub fn attach(&self, ip: IpAddr, names: &[String], peer: Arc<Peer>) {
        let address: Box<str> = std::net::SocketAddr::new(ip, PEER_PORT).to_string().into();
        peer.restarted();
        peer.set_address(&address);
        let names = names.iter().map(|name| name.as_str().into()).collect();
        let mut nodes = self.write();
        nodes.retain(|node| node.ip != ip && !Arc::ptr_eq(&node.peer, &peer));
        nodes.push(Node { ip, address, names, frozen: false, peer });
    }

    /// The process at `ip` ends.
    pub fn detach(&self, ip: IpAddr) {
        self.write().retain(|node| node.ip != ip);
    }

    /// The process at `ip` is frozen: still listed by the others, answers nothing.
    pub fn pause(&self, ip: IpAddr) {
        self.write().iter_mut().filter(|node| node.ip == ip).for_each(|node| node.frozen = true);
    }

    /// The process at `ip` goes on.
    pub fn unpause(&self, ip: IpAddr) {
        self.write().iter_mut().filter(|node| node.ip == ip).for_each(|node| node.frozen = false);
    }

    /// A REST request to the peer at `ip`. `None`: nobody there, or frozen.
    pub fn rest(&self, ip: IpAddr, method: &str, path: &str, body: &[u8], now: UnixNanos) -> Option<Response> {
        self.settle(now);
        let peer = self.read().iter().find(|node| node.ip == ip && !node.frozen).map(|node| Arc::clone(&node.peer))?;
        Some(peer.rest(self, method, path, body, now))
    }

    /// Lets every running peer look around, as time alone would.
    pub fn settle(&self, now: UnixNanos) {
        let mut running: Vec<Arc<Peer>> =
            self.read().iter().filter(|node| !node.frozen).map(|node| Arc::clone(&node.peer)).collect();
        running.sort_by(|a, b| a.id.cmp(&b.id));
        // The second time, those that were met last time know of each other, and the first has what the last one took.
        for _ in 0..2 {
            running.iter().for_each(|peer| peer.poll(self, now));
        }
    }

    fn find(&self, address: &str) -> Option<(Arc<Peer>, bool)> {
        let name = address.rsplit_once(':').map_or(address, |(name, _)| name);
        let nodes = self.read();
        let by_name = |node: &&Node| *node.address == *address || node.names.iter().any(|own| **own == *name);
        nodes.iter().find(by_name).map(|node| (Arc::clone(&node.peer), node.frozen))
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Node>> {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Network for Mesh {
    fn call(&self, address: &str, message: Message, now: UnixNanos) -> Result<Reply, Unreachable> {
        match self.find(address) {
            Some((peer, false)) => Ok(peer.handle(message, now)),
            _ => Err(Unreachable),
        }
    }

    fn is_connected(&self, address: &str) -> bool {
        self.find(address).is_some()
    }
}

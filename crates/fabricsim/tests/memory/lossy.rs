//! What peers with a quorum keep to when messages and replies get lost, when they all do things at once, and when
//! processes end in the middle of it.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use crate::support::config;
use fabricsim::{Journal, Message, Network, Peer, Record, Reply, UnixNanos, Unreachable};
use proptest::prelude::*;

/// Loses messages and replies, and lets other peers look around between any two, by a sequence that the seed gives.
struct Lossy<'a> {
    peers: &'a [Arc<Peer>],
    seed: Cell<u64>,
    /// Of a hundred messages, and of a hundred replies.
    lost: u64,
    /// Of a hundred messages, before how many another peer looks around.
    between: u64,
    depth: Cell<u32>,
}

impl Lossy<'_> {
    fn random(&self, below: u64) -> u64 {
        // Knuth's multiplier; the upper bits are the good ones.
        self.seed.set(self.seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        (self.seed.get() >> 33) % below
    }

    fn loses(&self) -> bool {
        self.random(100) < self.lost
    }
}

impl Network for Lossy<'_> {
    fn call(&self, address: &str, message: Message, now: UnixNanos) -> Result<Reply, Unreachable> {
        let n =
            address.strip_prefix("vp").and_then(|rest| rest.strip_suffix(":7051")).unwrap().parse::<usize>().unwrap();
        if self.depth.get() < 3 && self.random(100) < self.between {
            self.depth.set(self.depth.get() + 1);
            self.peers[self.random(self.peers.len() as u64) as usize].poll(self, now);
            self.depth.set(self.depth.get() - 1);
        }
        if self.loses() {
            return Err(Unreachable);
        }
        let reply = self.peers[n].handle(message, now);
        if self.loses() { Err(Unreachable) } else { Ok(reply) }
    }

    fn is_connected(&self, _address: &str) -> bool {
        true
    }
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Vec<Record>>>);

impl Journal for Disk {
    fn append(&mut self, record: &Record) {
        // As the file has it.
        let line = serde_json::to_string(record).unwrap();
        self.0.lock().unwrap().push(serde_json::from_str(&line).unwrap());
    }
}

fn boot(n: usize, size: usize, disk: &Disk, now: UnixNanos) -> Arc<Peer> {
    let records = disk.0.lock().unwrap().clone();
    let peer = Peer::restore(config(n, size, "pbft"), &records, Box::new(disk.clone()), now);
    peer.set_address(&format!("vp{n}:7051"));
    Arc::new(peer)
}

#[derive(Clone, Debug)]
enum Step {
    Invoke(usize),
    Look(usize),
    Crash(usize),
}

fn step(size: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..size).prop_map(Step::Invoke),
        8 => (0..size).prop_map(Step::Look),
        1 => (0..size).prop_map(Step::Crash),
    ]
}

const INVOKE: &[u8] =
    br#"{"jsonrpc":"2.0","method":"invoke","params":{"chaincodeID":{"name":"x"},"ctorMsg":{"args":["y"]}},"id":1}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_committed_block_is_never_replaced(
        seed in any::<u64>(),
        lost in 0u64..60,
        between in 0u64..30,
        steps in proptest::collection::vec(step(4), 1..150),
    ) {
        let mut now = UnixNanos(1_000_000_000);
        let disks: Vec<Disk> = (0..4).map(|_| Disk::default()).collect();
        let mut peers: Vec<_> = disks.iter().enumerate().map(|(n, disk)| boot(n, 4, disk, now)).collect();
        let mut seed = seed;
        let mut longest: Vec<String> = Vec::new();
        for step in steps {
            now.0 += 700_000_000;
            let network = |peers, seed| Lossy { peers, seed: Cell::new(seed), lost, between, depth: Cell::new(0) };
            match step {
                Step::Crash(n) => {
                    let before = peers[n].chain();
                    peers[n] = boot(n, 4, &disks[n], now);
                    prop_assert_eq!(peers[n].chain(), before, "the journal gives the same ledger");
                }
                Step::Invoke(n) => {
                    prop_assert_eq!(peers[n].rest(&network(&peers, seed), "POST", "/chaincode", INVOKE, now).status, 200);
                }
                Step::Look(n) => {
                    let network = network(&peers, seed);
                    peers[n].poll(&network, now);
                    seed = network.seed.get();
                }
            }
            for peer in &peers {
                let chain = peer.chain();
                let common = chain.len().min(longest.len());
                prop_assert_eq!(&chain[..common], &longest[..common]);
                if chain.len() > longest.len() {
                    longest = chain;
                }
            }
        }
        let network = Lossy { peers: &peers, seed: Cell::new(1), lost: 0, between: 0, depth: Cell::new(0) };
        for _ in 0..12 {
            now.0 += 700_000_000;
            peers.iter().for_each(|peer| peer.poll(&network, now));
        }
        for peer in &peers {
            prop_assert_eq!(peer.chain(), peers[0].chain());
            prop_assert!(!peer.is_busy() && peer.replaced() == 0);
        }
    }
}

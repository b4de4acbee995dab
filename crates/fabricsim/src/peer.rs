//! One peer, as plain state, and what it answers to the others. What it does of its own accord is in `poll` and `order`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::block::{Block, Hash, Transaction};
use crate::id::{Ballot, PeerId};
use crate::known::Known;
use crate::ledger::{Journal, Ledger, Record};
use crate::message::{Message, Reply};
use crate::{PeerConfig, UnixNanos};

/// Transactions that may wait at one peer: without quorum they only pile up.
const MAX_PENDING: usize = 10_000;

/// Peers that one will remember. A network has six.
const MAX_KNOWN: usize = 64;

/// One reply carries at most so many bytes of blocks.
const FETCH_BYTES: usize = 1 << 20;

/// One peer: its ledger, what waits to be ordered, whom it knows. No thread, no socket, no clock of its own.
///
/// Its ledger outlives [`Peer::restarted`], as a container's own layer outlives stop and start; a new `Peer` has an
/// empty one.
#[derive(Debug)]
pub struct Peer {
    pub(crate) config: PeerConfig,
    pub(crate) id: PeerId,
    state: Mutex<State>,
    /// Held while it looks around, so that it does so once at a time. Never waited for.
    pub(crate) looking: Mutex<()>,
}

/// What changes.
#[derive(Debug)]
pub(crate) struct State {
    pub ledger: Ledger,
    /// Where the others reach this peer.
    pub address: Box<str>,
    pub known: Known,
    /// The peer behind `CORE_PEER_DISCOVERY_ROOTNODE`, once met.
    pub root: Option<PeerId>,
    pub pending: Vec<Pending>,
    /// Since when ordering could go on, for those that let lower-numbered peers go first.
    pub ready_since: Option<UnixNanos>,
    journal: Option<Box<dyn Journal>>,
}

/// A transaction that waits.
#[derive(Debug)]
pub(crate) struct Pending {
    pub transaction: Arc<Transaction>,
    pub since: UnixNanos,
}

impl Peer {
    /// A peer with an empty ledger (block 0 alone, stamped `now`).
    pub fn new(config: PeerConfig, now: UnixNanos) -> Self {
        Self::build(config, Ledger::new(now), Known::default(), None)
    }

    /// A peer as `records` left it, that writes down each further change.
    pub fn restore(config: PeerConfig, records: &[Record], mut journal: Box<dyn Journal>, now: UnixNanos) -> Self {
        if records.is_empty() {
            journal.append(&Record::Born { at: now });
        }
        let mut ledger = Ledger::new(now);
        let mut known = Known::default();
        for record in records {
            ledger.apply(record);
            if let Record::Met { id, address } = record {
                known.insert(id.clone(), address.clone());
            }
        }
        Self::build(config, ledger, known, Some(journal))
    }

    fn build(config: PeerConfig, ledger: Ledger, known: Known, journal: Option<Box<dyn Journal>>) -> Self {
        let id = PeerId::new(&config.id);
        let address = config.address.clone().unwrap_or_default().into();
        let state = State { ledger, address, known, root: None, pending: Vec::new(), ready_since: None, journal };
        Self { config, id, state: Mutex::new(state), looking: Mutex::new(()) }
    }

    /// What it was told.
    pub fn config(&self) -> &PeerConfig {
        &self.config
    }

    /// Where the others reach it (`10.98.1.4:7051`): known only once it runs.
    pub fn set_address(&self, address: &str) {
        self.lock().address = address.into();
    }

    /// Forgets what a process forgets when it ends: what waits to be ordered. The ledger and whom it met are on disk.
    pub fn restarted(&self) {
        let mut state = self.lock();
        state.pending = Vec::new();
        state.root = None;
        state.ready_since = None;
    }

    /// Committed blocks, block 0 included.
    pub fn height(&self) -> u64 {
        self.lock().ledger.height()
    }

    /// Hashes of the committed blocks, as base64: two peers agree as far as these do.
    pub fn chain(&self) -> Vec<String> {
        let state = self.lock();
        (0..state.ledger.height()).filter_map(|n| state.ledger.committed(n)).map(|held| held.hash.to_base64()).collect()
    }

    /// Committed blocks that another chain replaced, ever. Stays 0 with PBFT, unless more than `f` peers lost their ledger.
    pub fn replaced(&self) -> u64 {
        self.lock().ledger.replaced
    }

    /// Whether something waits to be ordered or committed.
    pub fn is_busy(&self) -> bool {
        let state = self.lock();
        !state.pending.is_empty() || state.ledger.has_proposals()
    }

    /// Answers another peer. Quick, and calls nobody.
    pub fn handle(&self, message: Message, now: UnixNanos) -> Reply {
        let mut state = self.lock();
        match message {
            Message::Hello { network, id, address } => {
                if *network != *self.config.network_id || id == self.id {
                    return Reply::Stranger;
                }
                let known = state.known.iter().cloned().collect();
                state.learn(&self.id, id, address);
                Reply::Hello {
                    id: self.id.clone(),
                    address: state.address.clone(),
                    known,
                    height: state.ledger.height(),
                    head: state.ledger.head(),
                    pending: state.pending.len(),
                }
            }
            Message::Submit { transactions } => {
                for transaction in transactions {
                    state.submit(transaction, now);
                }
                Reply::Done
            }
            Message::Fetch { from } => {
                let mut bytes = 0;
                let blocks = (from..state.ledger.height())
                    .map_while(|number| state.ledger.committed(number))
                    .map(|held| Arc::clone(&held.block))
                    .take_while(|block| {
                        let first = bytes == 0;
                        bytes += block.size();
                        first || bytes <= FETCH_BYTES
                    })
                    .collect();
                Reply::Blocks { blocks }
            }
            Message::Prepare { ballot, height, head } => state.prepare(ballot, height, head),
            Message::Propose { ballot, height, head, blocks } => {
                if ballot < state.ledger.promised {
                    return Reply::Outdated { promised: state.ledger.promised.clone() };
                }
                if state.ledger.height() < height && state.ledger.has(height - 1, head) {
                    state.write(Record::Committed { height, at: now }, now);
                }
                // One that has committed more than the proposer is answered like one that has other blocks: it cannot hold these.
                if state.ledger.height() != height || state.ledger.head() != head || !state.ledger.fits(height, &blocks)
                {
                    return Reply::Behind;
                }
                state.write(Record::Proposed { ballot, from: height, blocks }, now);
                Reply::Accepted
            }
            Message::Commit { height, head } => {
                state.commit(height, head, now);
                Reply::Done
            }
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes one change, in the journal first.
    pub fn write(&mut self, record: Record, now: UnixNanos) {
        if let Some(journal) = &mut self.journal {
            journal.append(&record);
        }
        let height = self.ledger.height();
        let lost = self.ledger.apply(&record);
        if self.ledger.height() != height || !lost.is_empty() {
            self.ready_since = None;
            let ledger = &self.ledger;
            self.pending.retain(|waiting| ledger.place(&waiting.transaction.id).is_none());
            for transaction in lost {
                self.submit(transaction, now);
            }
        }
    }

    /// Remembers where a peer is. Returns whether that is news.
    pub fn learn(&mut self, me: &PeerId, id: PeerId, address: Box<str>) -> bool {
        let news = id != *me && !address.is_empty() && self.known.get(&id) != Some(&*address);
        if !news || (self.known.len() >= MAX_KNOWN && self.known.get(&id).is_none()) {
            return false;
        }
        // Addresses are given anew: whoever had this one is not there any more.
        self.known.forget_address(&address);
        if let Some(journal) = &mut self.journal {
            journal.append(&Record::Met { id: id.clone(), address: address.clone() });
        }
        self.known.insert(id, address);
        true
    }

    /// Takes a transaction, unless it has it. Returns whether there was room.
    pub fn submit(&mut self, transaction: Arc<Transaction>, now: UnixNanos) -> bool {
        let known = self.ledger.place(&transaction.id).is_some()
            || self.pending.iter().any(|waiting| waiting.transaction.id == transaction.id);
        let room = self.pending.len() < MAX_PENDING && !self.ledger.is_full();
        if !known && room {
            self.pending.push(Pending { transaction, since: now });
        }
        known || room
    }

    /// Commits what it holds below `height`, if that ends with `head`.
    pub fn commit(&mut self, height: u64, head: Hash, now: UnixNanos) {
        if height > self.ledger.height() && self.ledger.has(height - 1, head) {
            self.write(Record::Committed { height, at: now }, now);
        }
    }

    /// Whether a chain of that height and head counts more: the longer one does, of two equally long ones that with the
    /// lower hash. A rule that all follow alike.
    pub fn is_beaten_by(&self, height: u64, head: Hash) -> bool {
        (height, std::cmp::Reverse(head)) > (self.ledger.height(), std::cmp::Reverse(self.ledger.head()))
    }

    /// Takes over another's committed blocks, which fit at `from`, if they count more than what is here.
    pub fn adopt(&mut self, from: u64, mut blocks: Vec<Arc<Block>>, now: UnixNanos) {
        let known = blocks
            .iter()
            .take_while(|block| block.number < self.ledger.height() && self.ledger.has(block.number, block.hash()));
        let known = known.count();
        blocks.drain(..known);
        let Some(last) = blocks.last() else { return };
        if self.is_beaten_by(last.number + 1, last.hash()) {
            self.write(Record::Adopted { from: from + known as u64, blocks, at: now }, now);
        }
    }

    fn prepare(&mut self, ballot: Ballot, height: u64, head: Hash) -> Reply {
        if ballot <= self.ledger.promised {
            return Reply::Outdated { promised: self.ledger.promised.clone() };
        }
        if self.ledger.height() > height {
            return Reply::Ahead;
        }
        // Proposals on top of other blocks than the proposer's committed ones are void.
        let blocks =
            if height > 0 && self.ledger.has(height - 1, head) { self.ledger.tail(height) } else { Vec::new() };
        let accepted = self.ledger.accepted.clone();
        let record = Record::Promised { ballot };
        if let Some(journal) = &mut self.journal {
            journal.append(&record);
        }
        self.ledger.apply(&record);
        Reply::Promise { accepted, blocks }
    }
}

//! One peer's chain: what is committed, what is proposed on top, and what it has promised to whom.
//!
//! Every change is a [`Record`]. Applied in order to an empty ledger they give the same ledger, so a journal of them is
//! all that has to be kept on disk.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::UnixNanos;
use crate::block::{Block, Hash, Transaction};
use crate::id::{Ballot, PeerId};
use crate::world::World;

/// A ledger takes no more transactions beyond this: a peer in a container has 512 MB at most, and a simulated engine
/// holds many peers.
const MAX_BYTES: usize = 64 << 20;

/// One change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    /// Block 0 was committed.
    Born {
        /// When.
        at: UnixNanos,
    },
    /// Lower ballots are refused from now on.
    Promised {
        /// The ballot.
        ballot: Ballot,
    },
    /// The chain from `from` on is now this, not committed yet.
    Proposed {
        /// By whom, and which attempt.
        ballot: Ballot,
        /// Number of the first of `blocks`.
        from: u64,
        /// May be none.
        blocks: Vec<Arc<Block>>,
    },
    /// All blocks below `height` are committed.
    Committed {
        /// So many.
        height: u64,
        /// When.
        at: UnixNanos,
    },
    /// Another peer's committed blocks were taken over.
    Adopted {
        /// Number of the first of `blocks`.
        from: u64,
        /// At least one.
        blocks: Vec<Arc<Block>>,
        /// When.
        at: UnixNanos,
    },
    /// Another peer was met.
    Met {
        /// Its name.
        id: PeerId,
        /// Where it is reached.
        address: Box<str>,
    },
}

/// Where changes are kept beyond the process.
pub trait Journal: Send + std::fmt::Debug {
    /// Writes one down, before it has any effect.
    fn append(&mut self, record: &Record);
}

/// A block in its place.
#[derive(Debug)]
pub struct Held {
    /// The block.
    pub block: Arc<Block>,
    /// Its hash.
    pub hash: Hash,
    /// When this peer committed it.
    pub at: UnixNanos,
    /// The world's hash after it.
    pub state: Hash,
    /// Places of those of its transactions that could not be carried out.
    failed: Vec<u32>,
}

impl Held {
    fn new(block: Arc<Block>) -> Self {
        let hash = block.hash();
        Self { block, hash, at: UnixNanos(0), state: Hash::none(), failed: Vec::new() }
    }

    /// The transactions that were carried out; Fabric drops the others from the block.
    pub fn transactions(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        let ordered = self.block.ordered.iter().enumerate();
        ordered.filter(|(place, _)| self.failed.binary_search(&(*place as u32)).is_err()).map(|(_, tx)| tx)
    }
}

/// One peer's chain.
#[derive(Debug)]
pub struct Ledger {
    /// No lower ballot is listened to.
    pub promised: Ballot,
    /// The ballot that the proposed blocks came by.
    pub accepted: Ballot,
    /// Committed blocks that another chain replaced, ever: without quorum (noops) histories may part.
    pub replaced: u64,
    chain: Vec<Held>,
    height: usize,
    places: HashMap<Arc<str>, u64>,
    world: World,
    bytes: usize,
}

impl Ledger {
    /// Block 0 alone.
    pub fn new(at: UnixNanos) -> Self {
        let mut genesis = Held::new(Block::genesis());
        genesis.at = at;
        Self {
            promised: Ballot::default(),
            accepted: Ballot::default(),
            replaced: 0,
            chain: vec![genesis],
            height: 1,
            places: HashMap::new(),
            world: World::default(),
            bytes: 0,
        }
    }

    /// Committed blocks.
    pub fn height(&self) -> u64 {
        self.height as u64
    }

    /// Hash of the last committed block.
    pub fn head(&self) -> Hash {
        self.chain[self.height - 1].hash
    }

    /// The committed block of that number.
    pub fn committed(&self, number: u64) -> Option<&Held> {
        self.chain[..self.height].get(usize::try_from(number).ok()?)
    }

    /// Whether block `number` is this one, committed or proposed.
    pub fn has(&self, number: u64, hash: Hash) -> bool {
        usize::try_from(number).ok().and_then(|number| self.chain.get(number)).is_some_and(|held| held.hash == hash)
    }

    /// Committed or proposed blocks from `from` on.
    pub fn tail(&self, from: u64) -> Vec<Arc<Block>> {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.chain.len());
        self.chain[from..].iter().map(|held| Arc::clone(&held.block)).collect()
    }

    /// Whether blocks are proposed and not committed.
    pub fn has_proposals(&self) -> bool {
        self.chain.len() > self.height
    }

    /// The committed block that holds this transaction, carried out or not.
    pub fn place(&self, transaction: &str) -> Option<&Held> {
        self.places.get(transaction).and_then(|number| self.committed(*number))
    }

    /// The accounts, as of the last committed block.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Whether it takes no more transactions.
    pub fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// Whether `blocks` continue the chain that ends before `from`.
    pub fn fits(&self, from: u64, blocks: &[Arc<Block>]) -> bool {
        let Some(before) = usize::try_from(from).ok().and_then(|from| self.chain.get(from.checked_sub(1)?)) else {
            return false;
        };
        let mut expected = (from, before.hash);
        blocks.iter().all(|block| {
            let fits = (block.number, block.previous) == expected;
            expected = (block.number + 1, block.hash());
            fits
        })
    }

    /// Makes one change. Returns the transactions of committed blocks that it replaced.
    ///
    /// A record that does not fit (a damaged journal) changes nothing.
    pub fn apply(&mut self, record: &Record) -> Vec<Arc<Transaction>> {
        match record {
            Record::Born { at } => *self = Self::new(*at),
            Record::Promised { ballot } => self.promised = ballot.clone(),
            Record::Proposed { ballot, from, blocks } => {
                if *from >= self.height() && self.fits(*from, blocks) {
                    self.promised = ballot.clone();
                    self.accepted = ballot.clone();
                    self.replace(*from, blocks);
                }
            }
            Record::Committed { height, at } => self.commit(*height, *at),
            Record::Adopted { from, blocks, at } if self.fits(*from, blocks) => return self.adopt(*from, blocks, *at),
            Record::Adopted { .. } | Record::Met { .. } => {}
        }
        Vec::new()
    }

    fn adopt(&mut self, from: u64, blocks: &[Arc<Block>], at: UnixNanos) -> Vec<Arc<Transaction>> {
        let mut lost = Vec::new();
        if from < self.height() {
            let kept = from as usize;
            lost = self.chain[kept..self.height].iter().flat_map(|held| held.block.ordered.iter().cloned()).collect();
            self.replaced += (self.height - kept) as u64;
            let times: Vec<UnixNanos> = self.chain[..kept].iter().map(|held| held.at).collect();
            self.height = 1;
            self.world = World::default();
            self.places.clear();
            for (number, at) in times.into_iter().enumerate().skip(1) {
                self.commit(number as u64 + 1, at);
            }
        }
        let height = from + blocks.len() as u64;
        // What is proposed on top of the same blocks stays: somebody may count on our having it.
        if !blocks.last().is_some_and(|last| self.has(last.number, last.hash())) {
            self.replace(from, blocks);
        }
        self.commit(height, at);
        lost.retain(|tx| !self.places.contains_key(&tx.id));
        lost
    }

    fn replace(&mut self, from: u64, blocks: &[Arc<Block>]) {
        for gone in self.chain.drain(from as usize..) {
            self.bytes -= gone.block.size();
        }
        for block in blocks {
            self.bytes += block.size();
            self.chain.push(Held::new(Arc::clone(block)));
        }
    }

    fn commit(&mut self, height: u64, at: UnixNanos) {
        while self.height() < height && self.height < self.chain.len() {
            let held = &mut self.chain[self.height];
            held.failed.clear();
            for (place, tx) in held.block.ordered.iter().enumerate() {
                // One that is in the chain already is not carried out twice, whoever ordered it again.
                let again = self.places.contains_key(&tx.id);
                if again || self.world.execute(tx).is_err() {
                    held.failed.push(u32::try_from(place).unwrap_or(u32::MAX));
                }
                if !again {
                    self.places.insert(Arc::clone(&tx.id), held.block.number);
                }
            }
            held.at = at;
            held.state = self.world.hash();
            self.height += 1;
        }
    }
}

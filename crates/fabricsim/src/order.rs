//! One attempt to order blocks. Decides nothing about when: [`Peer::poll`] does.

use std::sync::Arc;

use crate::block::{Block, Hash};
use crate::id::Ballot;
use crate::ledger::Record;
use crate::message::{Message, Reply};
use crate::poll::Met;
use crate::{Network, Peer, UnixNanos};

/// Bytes of transactions that one attempt orders: a message stays small.
const ROUND_BYTES: usize = 1 << 20;

impl Peer {
    /// Prepares, proposes, commits. Gives up at the first sign that another peer is ahead; the next look around begins anew.
    pub(crate) fn order(&self, network: &dyn Network, others: &[Met], now: UnixNanos) {
        let quorum = self.config.consensus.quorum();
        let (ballot, height, head, mut best) = {
            let mut state = self.lock();
            let ballot = state.ledger.promised.next(&self.id);
            state.write(Record::Promised { ballot: ballot.clone() }, now);
            let (height, head) = (state.ledger.height(), state.ledger.head());
            (ballot, height, head, (state.ledger.accepted.clone(), state.ledger.tail(height)))
        };
        let mut promises = 1;
        for other in others {
            match network.call(&other.address, Message::Prepare { ballot: ballot.clone(), height, head }, now) {
                Ok(Reply::Promise { accepted, blocks }) => {
                    promises += 1;
                    if (&accepted, blocks.len()) > (&best.0, best.1.len()) {
                        best = (accepted, blocks);
                    }
                }
                Ok(Reply::Outdated { promised }) => {
                    let mut state = self.lock();
                    if promised > state.ledger.promised {
                        state.write(Record::Promised { ballot: promised }, now);
                    }
                    return;
                }
                Ok(Reply::Ahead) => return,
                _ => {}
            }
        }
        if promises < quorum {
            return;
        }
        let Some((blocks, last)) = self.propose_to_self(&ballot, height, head, best.1, now) else { return };
        let mut holders = 1;
        for other in others {
            let proposal = Message::Propose { ballot: ballot.clone(), height, head, blocks: blocks.clone() };
            match network.call(&other.address, proposal, now) {
                Ok(Reply::Accepted) => holders += 1,
                Ok(Reply::Outdated { .. }) => return,
                _ => {}
            }
        }
        if holders < quorum {
            return;
        }
        let commit = (height + blocks.len() as u64, last);
        self.lock().commit(commit.0, commit.1, now);
        for other in others {
            let _unreachable = network.call(&other.address, Message::Commit { height: commit.0, head: commit.1 }, now);
        }
    }

    /// Puts what waits on top of what is proposed already, and holds that. `None` if meanwhile it promised more to
    /// another, or if there is nothing to propose.
    fn propose_to_self(
        &self,
        ballot: &Ballot,
        height: u64,
        head: Hash,
        mut blocks: Vec<Arc<Block>>,
        now: UnixNanos,
    ) -> Option<(Vec<Arc<Block>>, Hash)> {
        let mut state = self.lock();
        if state.ledger.promised != *ballot || state.ledger.height() != height || state.ledger.head() != head {
            return None;
        }
        if blocks.is_empty() {
            let mut bytes = 0;
            let waiting = state.pending.iter().map(|waiting| &waiting.transaction).take_while(|transaction| {
                let first = bytes == 0;
                bytes += transaction.size();
                first || bytes <= ROUND_BYTES
            });
            let waiting: Vec<_> = waiting.cloned().collect();
            let mut previous = head;
            for (number, batch) in (height..).zip(waiting.chunks(self.config.batch)) {
                let block = Block { number, previous, ordered: batch.to_vec() };
                previous = block.hash();
                blocks.push(Arc::new(block));
            }
        }
        let last = blocks.last()?.hash();
        if !state.ledger.fits(height, &blocks) {
            return None;
        }
        state.write(Record::Proposed { ballot: ballot.clone(), from: height, blocks: blocks.clone() }, now);
        Some((blocks, last))
    }
}

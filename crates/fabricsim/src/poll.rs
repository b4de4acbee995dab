//! What a peer does of its own accord: meets the others, catches up with them, and hands on what waits.

use std::collections::BTreeSet;
use std::sync::{Arc, TryLockError};
use std::time::Duration;

use crate::block::{Block, Hash};
use crate::id::PeerId;
use crate::message::{Message, Reply};
use crate::{Network, Peer, UnixNanos};

/// How long each peer lets each lower-numbered one go first. Ballots keep the chain right if two go at once; this only
/// keeps them from outbidding each other.
const TURN: Duration = Duration::from_secs(2);

/// Transactions handed on in one message.
const SHARED: usize = 256;

/// One that answered just now.
pub(crate) struct Met {
    pub id: PeerId,
    pub address: Box<str>,
    height: u64,
    head: Hash,
    pending: usize,
}

impl Peer {
    /// Looks around once: discovers, catches up, orders what is due. [`Mesh`](crate::Mesh) does this by itself.
    /// Returns at once if it is doing so already.
    pub fn poll(&self, network: &dyn Network, now: UnixNanos) {
        let _looking = match self.looking.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let others = self.meet(network, now);
        for other in &others {
            self.catch_up(network, other, now);
        }
        self.hand_on(network, &others, now);
        if self.may_order(&others, now) {
            self.order(network, &others, now);
        }
    }

    /// Greets all it knows, and all that those know, and the root.
    fn meet(&self, network: &dyn Network, now: UnixNanos) -> Vec<Met> {
        let (mut waiting, mut root) = {
            let state = self.lock();
            (
                state.known.iter().map(|(_, address)| address.clone()).collect::<Vec<_>>(),
                self.config.root.as_deref().map(Box::<str>::from),
            )
        };
        let mut greeted = BTreeSet::new();
        let mut met: Vec<Met> = Vec::new();
        loop {
            let Some(address) = waiting.pop() else {
                // The root by its name, unless it was met where it was last: it may be somewhere else by now.
                let known = self.lock().root.clone();
                match root.take() {
                    Some(_) if known.is_some_and(|root| met.iter().any(|met| met.id == root)) => break,
                    Some(address) => waiting.push(address),
                    None => break,
                }
                continue;
            };
            if !greeted.insert(address.clone()) {
                continue;
            }
            let hello = Message::Hello {
                network: self.config.network_id.as_str().into(),
                id: self.id.clone(),
                address: self.lock().address.clone(),
            };
            let Ok(Reply::Hello { id, address: there, known, height, head, pending }) =
                network.call(&address, hello, now)
            else {
                continue;
            };
            let there = if there.is_empty() { address.clone() } else { there };
            let mut state = self.lock();
            if self.config.root.as_deref() == Some(&*address) {
                state.root = Some(id.clone());
                greeted.insert(there.clone());
            }
            state.learn(&self.id, id.clone(), there.clone());
            for (id, address) in known {
                // What it says of itself counts more than what another says of it.
                if state.known.get(&id).is_none() && state.learn(&self.id, id, address.clone()) {
                    waiting.push(address);
                }
            }
            drop(state);
            if id != self.id && met.iter().all(|met| met.id != id) {
                met.push(Met { id, address: there, height, head, pending });
            }
        }
        met
    }

    /// Takes over the committed blocks of one that has more, or the winning ones where histories have parted.
    fn catch_up(&self, network: &dyn Network, other: &Met, now: UnixNanos) {
        if !self.lock().is_beaten_by(other.height, other.head) {
            return;
        }
        let mut from = self.height();
        let mut back = 1;
        let mut adopted = false;
        let mut found: Vec<Arc<Block>> = Vec::new();
        while let Ok(Reply::Blocks { blocks }) =
            network.call(&other.address, Message::Fetch { from: from + found.len() as u64 }, now)
        {
            let end = blocks.is_empty();
            if end && adopted {
                return;
            }
            found.extend(blocks);
            let mut state = self.lock();
            if found.is_empty() || !state.ledger.fits(from, &found) {
                // Histories parted before `from`. There is nothing before block 0 to part from.
                if from <= 1 {
                    return;
                }
                from = from.saturating_sub(back).max(1);
                back *= 2;
                found.clear();
                continue;
            }
            // Where histories have parted, all at once or not at all: half of it might be worse than what is here.
            if end || from == state.ledger.height() {
                let next = from + found.len() as u64;
                state.adopt(from, std::mem::take(&mut found), now);
                if end {
                    return;
                }
                from = next;
                adopted = true;
            }
        }
    }

    /// Gives what waits here to those where less waits, so that whoever orders next has it.
    fn hand_on(&self, network: &dyn Network, others: &[Met], now: UnixNanos) {
        let (count, transactions) = {
            let state = self.lock();
            let first = state.pending.iter().take(SHARED).map(|waiting| Arc::clone(&waiting.transaction));
            (state.pending.len(), first.collect::<Vec<_>>())
        };
        for other in others.iter().filter(|other| other.pending < count) {
            let _unreachable =
                network.call(&other.address, Message::Submit { transactions: transactions.clone() }, now);
        }
    }

    fn may_order(&self, others: &[Met], now: UnixNanos) -> bool {
        let mut state = self.lock();
        if others.len() + 1 < self.config.consensus.quorum() {
            state.ready_since = None;
            return false;
        }
        let oldest = state.pending.iter().map(|waiting| waiting.since).min();
        let due = state.ledger.has_proposals()
            || state.pending.len() >= self.config.batch
            || oldest.is_some_and(|since| now.since(since) >= self.config.batch_wait);
        if !due {
            return false;
        }
        let before = others.iter().filter(|other| other.id < self.id).count();
        let ready = *state.ready_since.get_or_insert(now);
        now.since(ready) >= TURN * u32::try_from(before).unwrap_or(u32::MAX)
    }
}

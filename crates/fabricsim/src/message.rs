//! What peers say to each other.
//!
//! Ordering is by ballots: who wants to order asks all to [`Prepare`](Message::Prepare), takes the newest proposal that
//! it hears of, [`Propose`](Message::Propose)s it with its own blocks on top, and when a quorum holds that, says
//! [`Commit`](Message::Commit). Any two quorums share a peer that is not lost, so a committed block is never replaced.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::{Block, Hash, Transaction};
use crate::id::{Ballot, PeerId};

/// A question or an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Who I am. Answered by [`Reply::Hello`].
    Hello {
        /// `CORE_PEER_NETWORKID`.
        network: Box<str>,
        /// My name.
        id: PeerId,
        /// Where I am reached.
        address: Box<str>,
    },
    /// Please order these. Answered by [`Reply::Done`].
    Submit {
        /// The transactions.
        transactions: Vec<Arc<Transaction>>,
    },
    /// Your committed blocks, please. Answered by [`Reply::Blocks`].
    Fetch {
        /// Number of the first.
        from: u64,
    },
    /// Listen to no lower ballot. Answered by [`Reply::Promise`], [`Reply::Outdated`] or [`Reply::Ahead`].
    Prepare {
        /// Mine.
        ballot: Ballot,
        /// My committed blocks.
        height: u64,
        /// Hash of the last of them.
        head: Hash,
    },
    /// Hold these blocks. Answered by [`Reply::Accepted`], [`Reply::Outdated`] or [`Reply::Behind`].
    Propose {
        /// Mine.
        ballot: Ballot,
        /// My committed blocks, so the number of the first of `blocks`.
        height: u64,
        /// Hash of the last of them.
        head: Hash,
        /// Not committed yet.
        blocks: Vec<Arc<Block>>,
    },
    /// A quorum holds all blocks below `height`. Answered by [`Reply::Done`].
    Commit {
        /// So many.
        height: u64,
        /// Hash of the last of them.
        head: Hash,
    },
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Who I am and what I know.
    Hello {
        /// My name.
        id: PeerId,
        /// Where I am reached.
        address: Box<str>,
        /// Whom I know, and where.
        known: Vec<(PeerId, Box<str>)>,
        /// My committed blocks.
        height: u64,
        /// Hash of the last of them.
        head: Hash,
        /// Transactions that wait here to be ordered.
        pending: usize,
    },
    /// You are of another network.
    Stranger,
    /// Done, or taken note of.
    Done,
    /// Committed blocks, in order; as many as fit.
    Blocks {
        /// May be none.
        blocks: Vec<Arc<Block>>,
    },
    /// I shall listen to no lower ballot.
    Promise {
        /// The ballot that my proposed blocks came by.
        accepted: Ballot,
        /// Those beyond your height.
        blocks: Vec<Arc<Block>>,
    },
    /// I have promised more to another.
    Outdated {
        /// So much.
        promised: Ballot,
    },
    /// I have committed more than you: catch up first.
    Ahead,
    /// I hold them.
    Accepted,
    /// I lack what they stand on.
    Behind,
}

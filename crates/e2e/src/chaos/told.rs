//! What users were told, as they remember it themselves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use common::model::Timestamp;
use serde::Serialize;

/// A network that a user was told is hers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub user: String,
    /// Which.
    pub cluster: String,
    /// When she first asked to give it back, if she did.
    pub released: Option<Timestamp>,
    /// Whether she was told that it is given back.
    pub gone: bool,
}

/// An apply of which a user does not know what came of it: the answer was lost, or it was a 503.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Who.
    pub user: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// When she gave up on it.
    pub ended: Timestamp,
}

/// How many answers there were of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Applies that gave a network.
    pub applies: u64,
    /// Applies that were refused with a reason: none is free, or the store is away.
    pub refused: u64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What was told.
    pub told: Vec<Told>,
    /// What was lost.
    pub lost: Vec<Lost>,
    /// Requests that neither worked nor were told why, and users who got stuck, in words.
    pub wrong: Vec<String>,
    /// How many answers.
    pub counts: Counts,
}

/// The ledger that all users write into.
#[derive(Debug, Default)]
pub struct Book(Mutex<Ledger>);

impl Book {
    /// A user was given a network; a second time the same one changes nothing.
    pub fn told(&self, user: &str, cluster: &str) {
        self.with(|ledger| {
            ledger.counts.applies += 1;
            if !ledger.told.iter().any(|told| told.user == user && told.cluster == cluster) {
                ledger.told.push(Told {
                    user: user.to_owned(),
                    cluster: cluster.to_owned(),
                    released: None,
                    gone: false,
                });
            }
        });
    }

    /// A user is about to give a network back.
    pub fn releases(&self, user: &str, cluster: &str, at: Timestamp) {
        self.with(|ledger| {
            for told in ledger.told.iter_mut().filter(|told| told.user == user && told.cluster == cluster) {
                told.released.get_or_insert(at);
            }
        });
    }

    /// A user was told that she has given it back.
    pub fn released(&self, user: &str, cluster: &str) {
        self.with(|ledger| {
            for told in ledger.told.iter_mut().filter(|told| told.user == user && told.cluster == cluster) {
                told.gone = true;
            }
        });
    }

    /// An apply was refused with a reason.
    pub fn refused(&self) {
        self.with(|ledger| ledger.counts.refused += 1);
    }

    /// Nobody knows what came of an apply.
    pub fn lost(&self, user: &str, sent: Timestamp, ended: Timestamp) {
        self.with(|ledger| ledger.lost.push(Lost { user: user.to_owned(), sent, ended }));
    }

    /// Something that must not be.
    pub fn wrong(&self, words: String) {
        self.with(|ledger| ledger.wrong.push(words));
    }

    /// How many answers so far.
    pub fn counts(&self) -> Counts {
        self.with(|ledger| ledger.counts)
    }

    /// What users hold as far as they know: cluster by user.
    pub fn held(&self) -> BTreeMap<String, String> {
        self.with(|ledger| {
            let held = ledger.told.iter().filter(|told| told.released.is_none());
            held.map(|told| (told.user.clone(), told.cluster.clone())).collect()
        })
    }

    /// All that was written.
    pub fn all(&self) -> Ledger {
        self.with(|ledger| ledger.clone())
    }

    fn with<T>(&self, write: impl FnOnce(&mut Ledger) -> T) -> T {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

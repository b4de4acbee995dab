//! Backup and restore of either store, in one format of our own: what a file from SQLite holds, MongoDB takes, and the
//! other way round.
//!
//! A backup is a snapshot: one read transaction on SQLite, one snapshot session on MongoDB; programs go on meanwhile. A
//! restore is all or nothing: everything is loaded beside the store and checked to its last byte before it takes the
//! store's place. `record` says what is in a file and what is not, [`file`] how it is written.

mod file;
mod record;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::file::Header;
pub(super) use self::file::{Reader, Writer};
pub(super) use self::record::{EMPTIED, HourOfSamples, Record};
pub use self::record::{Kind, LEFT_OUT};
use super::open::OpenError;
use super::{StoreError, StoreTarget, mongo, sqlite};
use crate::model::Timestamp;

/// How many records there were of each kind.
pub type Counts = BTreeMap<Kind, u64>;

/// How many records are done so far, for whoever shows progress.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// So many by now.
    pub fn records(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether a restore may take the place of a pool that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Only of a store without hosts, clusters and ended leases.
    Nothing,
    /// Of whatever is there. It is gone for good afterwards.
    Everything,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the file said of itself.
    pub header: Header,
    /// How many records of each kind are in the store now.
    pub counts: Counts,
}

/// Why there is no backup, or nothing was restored; reads as what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed in the middle.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// There is nothing to back up yet, or it is of an older version.
    #[error(
        "the store has schema version {found}, and this program writes version {known}: start it once, or make the \
         backup with the program that uses the store now"
    )]
    Older {
        /// What the store has.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// There is no store to back up.
    #[error("there is no store at {0}")]
    Nothing(String),
    /// The input is not one of our files.
    #[error("this is no backup of PoolManager: {0}")]
    Foreign(String),
    /// A later version made the file.
    #[error("the backup is of a newer PoolManager ({what}): restore it with that version or a later one")]
    Newer {
        /// What is newer, with both numbers.
        what: String,
    },
    /// The file is not as it was written.
    #[error("the backup is damaged, so nothing of it was restored: {0}")]
    Damaged(String),
    /// The store holds a pool already.
    #[error(
        "the store is not empty: it has {hosts} hosts, {clusters} clusters and {leases} ended leases, which a restore \
         would remove for good; back them up, then say --replace"
    )]
    NotEmpty {
        /// Hosts.
        hosts: u64,
        /// Clusters.
        clusters: u64,
        /// Ended leases.
        leases: u64,
    },
    /// An admin leads.
    #[error("an admin leads ({address}): stop every admin and app of this store, then restore")]
    Led {
        /// Where it answers.
        address: String,
    },
}

impl BackupError {
    /// Whether it was refused as things stand, so that nothing was tried.
    pub fn is_refusal(&self) -> bool {
        match self {
            BackupError::NotEmpty { .. } | BackupError::Led { .. } | BackupError::Newer { .. } => true,
            BackupError::Older { .. } | BackupError::Foreign(_) | BackupError::Damaged(_) => true,
            BackupError::Open(OpenError::InUse { .. } | OpenError::Newer { .. }) => true,
            BackupError::Open(_) | BackupError::Store(_) | BackupError::File(_) | BackupError::Nothing(_) => false,
        }
    }
}

/// Writes all of a store to `out`; how many records of each kind it was. What is in `out` is a backup only if this is `Ok`.
pub async fn backup(
    target: &StoreTarget,
    out: impl Write + Send + 'static,
    at: Timestamp,
    progress: Progress,
) -> Result<Counts, BackupError> {
    let writer = |header| Writer::begin(Box::new(out) as Box<dyn Write + Send>, header, progress);
    match target {
        StoreTarget::Sqlite { path } => sqlite::dump(path, at, writer).await,
        StoreTarget::Mongo { url, database } => mongo::dump(url, database, at, writer).await,
    }
}

/// Puts what a backup holds in the place of what the store has. Until it is `Ok`, the store is as it was; if this process
/// dies in the very moment of the exchange on MongoDB, no program opens the store until the restore was done again.
pub async fn restore(
    target: &StoreTarget,
    from: impl Read + Send + 'static,
    over: Over,
    progress: Progress,
) -> Result<Restored, BackupError> {
    let reader = Reader::begin(Box::new(from), progress)?;
    let header = reader.header().clone();
    let counts = match target {
        StoreTarget::Sqlite { path } => sqlite::load(path, reader, over).await?,
        StoreTarget::Mongo { url, database } => mongo::load(url, database, reader, over).await?,
    };
    Ok(Restored { header, counts })
}

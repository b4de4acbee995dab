//! Opens the store that the configuration names, and says in plain words why it cannot.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::mongo::MongoStore;
use super::sqlite::SqliteStore;
use super::{EVENTS_KEPT, EVIDENCE_KEPT, ListBounds, SAMPLED_SUBJECTS, SharedStore};

/// Where the store is. `Debug` shows no URL, because that may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreTarget {
    /// A file on this machine, used by one app and one admin.
    Sqlite {
        /// The database's file. Its folder is made when it is not there.
        path: PathBuf,
    },
    /// A MongoDB replica set, used by any number of apps and admins.
    Mongo {
        /// `mongodb://...`; may hold a password, so it is never shown.
        url: String,
        /// The database in it.
        database: String,
    },
}

impl fmt::Debug for StoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreTarget::Sqlite { path } => write!(f, "SQLite at {}", path.display()),
            StoreTarget::Mongo { database, .. } => write!(f, "MongoDB, database {database}"),
        }
    }
}

/// Who opens it. A SQLite file has one user of each kind at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreUser {
    /// What users call.
    App,
    /// What operators see.
    Admin,
    /// A command that an operator gives on the machine, beside both.
    Command,
}

impl StoreUser {
    /// The word for it, also in names of files.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreUser::App => "app",
            StoreUser::Admin => "admin",
            StoreUser::Command => "command",
        }
    }
}

/// Bounds that a deployment leaves as they are.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events kept, see [`EVENTS_KEPT`].
    pub events_kept: u64,
    /// Bundles of evidence kept, see [`EVIDENCE_KEPT`].
    pub evidence_kept: u32,
    /// Subjects of samples within an hour, see [`SAMPLED_SUBJECTS`].
    pub sampled_subjects: u32,
    /// How much a page of a list may look at.
    pub lists: ListBounds,
    /// How long a call may take before it is [`super::StoreError::Unavailable`].
    pub deadline: Duration,
}

impl Default for Limits {
    /// Ten seconds ride over a change of MongoDB's primary when its election timeout is the default of ten or
    /// less, and still end before a browser or proxy gives up.
    fn default() -> Self {
        Limits {
            events_kept: EVENTS_KEPT,
            evidence_kept: EVIDENCE_KEPT,
            sampled_subjects: SAMPLED_SUBJECTS,
            lists: ListBounds::default(),
            deadline: Duration::from_secs(10),
        }
    }
}

/// Why a store cannot be opened; reads as what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file has a user of this kind already.
    #[error(
        "another {user} (process {pid}) is using the store {path}: a SQLite store is for one app and one admin; \
         end the other one, or set MONGO_URL to run several"
    )]
    InUse {
        /// `app`, `admin` or `command`.
        user: &'static str,
        /// The file.
        path: String,
        /// The other's process id, as far as it is known.
        pid: String,
    },
    /// The folder or file cannot be made or written.
    #[error("the store's file {path} cannot be used: {why}; see that its folder exists and this user may write to it")]
    File {
        /// The file.
        path: String,
        /// In the words of the system.
        why: String,
    },
    /// The records are of a later version than this program knows.
    #[error(
        "the store has schema version {found}, and this program knows versions up to {known}: a newer PoolManager \
         has used it; start that version or a later one"
    )]
    Newer {
        /// What the store has.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// MongoDB's URL cannot be read.
    #[error("MONGO_URL is not a MongoDB URL: {0}; write mongodb://USER:PASSWORD@HOST:27017/?replicaSet=NAME")]
    BadUrl(String),
    /// MongoDB does not answer.
    #[error("MongoDB cannot be reached: {0}; see that it runs, that MONGO_URL is right and that the way to it is open")]
    Unreachable(String),
    /// MongoDB refuses the name or the password, or what they may do.
    #[error(
        "MongoDB refuses to let us in: {0}; see the user, the password (percent-encoded) and authSource in MONGO_URL"
    )]
    Refused(String),
    /// MongoDB is not a replica set.
    #[error(
        "MongoDB is not a replica set, which majority writes and watching need; a set of one node will do: start \
         mongod with --replSet NAME and run rs.initiate()"
    )]
    NoReplicaSet,
    /// What the database must have is not there, and this user may not make it.
    #[error(
        "MongoDB's database is not ready after {} s of waiting, and this user may not make it so: start poolmanager-admin of this \
         version, whose user may",
        .waited.as_secs()
    )]
    NotMade {
        /// For how long it was waited.
        waited: Duration,
    },
    /// A restore was exchanging the records when it was killed.
    #[error(
        "a restore of this store was interrupted in the middle, so it is neither the old one nor the new one: restore it \
         again (poolmanager-admin restore FILE)"
    )]
    HalfRestored,
    /// It is there, and something in it is not as it should be.
    #[error("the store cannot be read: {0}")]
    Broken(String),
}

/// Opens the store; makes it when it is new, migrates it when it is of an older version. By a user of MongoDB who has only app's
/// rights: waits until somebody with more has done so.
pub async fn open(target: &StoreTarget, user: StoreUser) -> Result<SharedStore, OpenError> {
    open_with(target, user, Limits::default()).await
}

/// [`open`], with other bounds.
pub async fn open_with(target: &StoreTarget, user: StoreUser, limits: Limits) -> Result<SharedStore, OpenError> {
    match target {
        StoreTarget::Sqlite { path } => Ok(Arc::new(SqliteStore::open(path, user, limits).await?)),
        StoreTarget::Mongo { url, database } => Ok(Arc::new(MongoStore::open(url, database, limits).await?)),
    }
}

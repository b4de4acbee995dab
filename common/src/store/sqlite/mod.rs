//! The store in a SQLite file, for one machine: one app and one admin share it.
//!
//! WAL mode with `synchronous=FULL`, so that what was promised is on disk. All writing is on one thread that commits
//! what waits together; reading is beside it.

mod apply;
mod calls;
mod clusters;
mod demand;
mod dump;
mod error;
mod events;
mod evidence;
mod hosts;
mod leases;
mod lists;
mod load;
mod log;
mod people;
mod readers;
mod row;
mod samples;
mod setup;
mod tokens;
mod watch;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Notify;

pub(super) use self::dump::dump;
pub(super) use self::load::load;
use self::readers::Readers;
use self::setup::FileLock;
use self::watch::Poller;
use self::writer::Writer;
use super::open::{Limits, OpenError, StoreUser};
use super::{StoreError, StoreResult};
use crate::model::{Event, PoolId};

/// The store in a SQLite file.
pub(super) struct SqliteStore {
    pool: PoolId,
    limits: Limits,
    writer: Writer,
    readers: Readers,
    poller: Poller,
    /// Given back last, when nothing of ours touches the file any more.
    lock: Mutex<Option<FileLock>>,
}

impl SqliteStore {
    /// Takes the file for this kind of user, and opens it.
    pub(super) async fn open(path: &Path, user: StoreUser, limits: Limits) -> Result<SqliteStore, OpenError> {
        let path = path.to_owned();
        let wrote = Arc::new(Notify::new());
        let rung = wrote.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let lock = setup::take_file(&path, user)?;
            let pool = setup::prepare(&path)?;
            let broken = |error: rusqlite::Error| OpenError::Broken(format!("{}: {error}", path.display()));
            let readers = Readers::open(&path).map_err(broken)?;
            let writer = Writer::start(&path, limits.deadline, wrote).map_err(broken)?;
            let watching = setup::connect(&path).map_err(broken)?;
            Ok((lock, pool, readers, writer, watching))
        });
        let (lock, pool, readers, writer, watching) =
            opened.await.map_err(|error| OpenError::Broken(error.to_string()))??;
        let poller = Poller::start(watching, rung);
        Ok(SqliteStore { pool, limits, writer, readers, poller, lock: Mutex::new(Some(lock)) })
    }

    /// Whether reads and writes are answered.
    async fn answers(&self) -> StoreResult<()> {
        let look = |conn: &Connection| conn.query_row("SELECT 1", [], |_| Ok(())).map_err(error::sql);
        self.read(look).await?;
        // Writes go by a thread of their own, which can be stuck while reads go on. An empty commit costs no flush; only
        // after a failure it takes a real write to know that the disk has room again.
        if self.writer.is_failing() { self.write(setup::take_room).await } else { self.write(look).await }
    }

    /// Ends reading and writing, then gives the file back.
    fn end(&self) {
        self.readers.close();
        // A join of a thread that ends with what waits: milliseconds.
        self.writer.stop();
        if let Ok(mut lock) = self.lock.lock() {
            lock.take();
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.writer.write(work).await
    }

    /// Makes a change and adds its event, if it has one: both or none. No event when `work` says that there was nothing to
    /// change.
    async fn write_with(
        &self,
        event: impl Into<Option<Event>>,
        work: impl FnOnce(&Connection) -> StoreResult<bool> + Send + 'static,
    ) -> StoreResult<()> {
        let (event, kept) = (event.into(), self.limits.events_kept);
        self.write(move |conn| match (work(conn)?, &event) {
            (true, Some(event)) => events::add(conn, event, kept),
            (true, None) | (false, _) => Ok(()),
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        match tokio::time::timeout(self.limits.deadline, self.readers.read(work)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {:?}", self.limits.deadline))),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer.stop();
    }
}

//! A few connections that only read. In WAL mode they never wait for the writer, nor it for them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::error::caught;
use super::setup;
use crate::store::{StoreError, StoreResult};

/// Reads at once. They come from memory mostly, so more than the processors of a small machine gain nothing.
const CONNECTIONS: usize = 4;

/// The connections that nobody uses just now.
#[derive(Clone)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    /// Opens them all.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Readers> {
        let idle = (0..CONNECTIONS)
            .map(|_| {
                let conn = setup::connect(path)?;
                conn.pragma_update(None, "query_only", "ON")?;
                Ok(conn)
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Readers { turns: Arc::new(Semaphore::new(idle.len())), idle: Arc::new(Mutex::new(idle)) })
    }

    /// Runs `work` on one of them, off the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let closed = || StoreError::Unavailable("it is closed".into());
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| closed())?;
        let idle = self.idle.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let conn = idle.lock().ok().and_then(|mut idle| idle.pop()).ok_or_else(closed)?;
            let outcome = caught(|| work(&conn));
            if let Ok(mut idle) = idle.lock() {
                idle.push(conn);
            }
            drop(turn);
            outcome
        });
        outcome.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Lets nobody in any more and closes what is idle.
    pub(super) fn close(&self) {
        self.turns.close();
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_that_panic_lose_no_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pool.db");
        let _lock = setup::take_file(&path, crate::store::StoreUser::App).unwrap();
        setup::prepare(&path).unwrap();
        let readers = Readers::open(&path).unwrap();
        for _ in 0..CONNECTIONS {
            let panics = readers.read(|_| -> StoreResult<()> { panic!("on purpose") });
            assert!(matches!(panics.await, Err(StoreError::Broken(_))));
        }
        assert_eq!(readers.read(|_| Ok(7)).await.unwrap(), 7);
    }
}

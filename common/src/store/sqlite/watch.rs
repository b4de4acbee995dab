//! Watching: the change log, read whenever somebody wrote. Our own writer rings a bell; another process's commit shows
//! in `data_version`, which is asked ten times a second and costs microseconds.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream;
use rusqlite::{Connection, params};
use tokio::sync::{Notify, watch};

use super::error::sql;
use super::log;
use super::readers::Readers;
use crate::model::{ClusterId, HostId};
use crate::store::{Change, ChangeStream, StoreError, StoreResult, WatchCursor};

/// How long another process's change stays unseen, at most.
const POLL: Duration = Duration::from_millis(100);

/// Changes read at once.
const CHUNK: i64 = 512;

/// Tells watchers that there may be something new.
pub(super) struct Poller {
    news: Arc<watch::Sender<u64>>,
}

impl Poller {
    /// Looks until the store goes, on a connection of its own. `wrote` is what our own writer rings.
    pub(super) fn start(conn: Connection, wrote: Arc<Notify>) -> Poller {
        let news = Arc::new(watch::Sender::new(0));
        tokio::spawn(poll(conn, wrote, Arc::downgrade(&news)));
        Poller { news }
    }

    /// Changes from `since` on.
    pub(super) async fn watch(&self, readers: &Readers, since: Option<WatchCursor>) -> StoreResult<ChangeStream> {
        let mut news = self.news.subscribe();
        news.mark_changed();
        let last = readers.read(newest).await?;
        // A cursor from after the newest is of another file: nothing is known of what lies between.
        let position = match since.map(|cursor| cursor.0.parse::<i64>()) {
            None => Position::At(last),
            Some(Ok(seq)) if (0..=last).contains(&seq) => Position::At(seq),
            Some(_) => Position::Lost,
        };
        let watcher = Watcher { readers: readers.clone(), news, position, ready: VecDeque::new() };
        Ok(Box::pin(stream::unfold(watcher, |mut watcher| async move {
            let next = watcher.next().await?;
            Some((next, watcher))
        })))
    }
}

async fn poll(conn: Connection, wrote: Arc<Notify>, news: Weak<watch::Sender<u64>>) {
    let mut seen = None;
    loop {
        let rung = tokio::select! {
            () = wrote.notified() => true,
            () = tokio::time::sleep(POLL) => false,
        };
        let Some(news) = news.upgrade() else {
            return;
        };
        // It reads a counter in shared memory, so it may run here. When it fails, everybody looks for herself.
        let version = conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut ask| ask.query_row([], |row| row.get::<_, i64>(0)))
            .ok();
        if rung || version.is_none() || version != seen {
            seen = version;
            news.send_modify(|count| *count += 1);
        }
    }
}

enum Position {
    At(i64),
    Lost,
}

struct Watcher {
    readers: Readers,
    news: watch::Receiver<u64>,
    position: Position,
    ready: VecDeque<(Change, WatchCursor)>,
}

impl Watcher {
    async fn next(&mut self) -> Option<(Change, WatchCursor)> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(next);
            }
            match self.position {
                Position::Lost => match self.readers.read(newest).await {
                    Ok(last) => {
                        self.position = Position::At(last);
                        return Some((Change::Missed, WatchCursor(last.to_string())));
                    }
                    Err(_) => self.news.changed().await.ok()?,
                },
                Position::At(seq) => {
                    self.news.borrow_and_update();
                    match self.readers.read(move |conn| after(conn, seq)).await {
                        Ok(Some((changes, last))) => {
                            self.position = Position::At(last);
                            self.ready.extend(changes);
                            if self.ready.is_empty() {
                                self.news.changed().await.ok()?;
                            }
                        }
                        Ok(None) => self.position = Position::Lost,
                        Err(error) => {
                            tracing::warn!(%error, "the change log cannot be read; trying again");
                            self.news.changed().await.ok()?;
                        }
                    }
                }
            }
        }
    }
}

fn newest(conn: &Connection) -> StoreResult<i64> {
    conn.prepare_cached("SELECT ifnull(max(seq), 0) FROM change_log")
        .and_then(|mut find| find.query_row([], |row| row.get(0)))
        .map_err(sql)
}

type Changes = (Vec<(Change, WatchCursor)>, i64);

/// The changes after `seq`, and how far they go; `None` if some of them are not in the log any more.
fn after(conn: &Connection, seq: i64) -> StoreResult<Option<Changes>> {
    let rows = conn
        .prepare_cached("SELECT seq, kind, id FROM change_log WHERE seq > ?1 ORDER BY seq LIMIT ?2")
        .and_then(|mut list| {
            list.query_map(params![seq, CHUNK], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
        })
        .map_err(sql)?;
    // Numbers have no gaps: the log is written in the transactions that it tells of, one after the other.
    if rows.first().is_some_and(|(first, _, _)| *first != seq + 1) {
        return Ok(None);
    }
    let last = rows.last().map_or(seq, |(last, _, _)| *last);
    let changes = rows
        .into_iter()
        .map(|(seq, kind, id)| {
            let bad = |_| StoreError::Broken(format!("change {seq} is of {id:?}"));
            let change = match kind.as_str() {
                log::CLUSTER => Change::Cluster(ClusterId::parse(&id).map_err(bad)?),
                log::HOST => Change::Host(HostId::parse(&id).map_err(bad)?),
                _ => Change::Missed,
            };
            Ok((change, WatchCursor(seq.to_string())))
        })
        .collect::<StoreResult<Vec<_>>>()?;
    Ok(Some((changes, last)))
}

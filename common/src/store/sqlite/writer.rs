//! The one thread that writes. It commits everything that waits together, because a commit costs a flush of the disk
//! however much is in it, and answers only after the commit.
//!
//! Each job runs in a savepoint of its own, so that one's refusal undoes nothing of another's.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::error::{caught, sql};
use super::setup;
use crate::store::{StoreError, StoreResult};

/// Most jobs in one transaction: bounds how long the other process waits for its turn.
const BATCH: usize = 256;

type Job = Box<dyn FnOnce(&Connection) -> Option<Done> + Send>;

/// A job that ran and waits for the commit.
struct Done {
    /// Whether what it wrote is to stay.
    keep: bool,
    /// Told once the transaction has ended.
    tell: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// Whether what was to be written last is on disk. A commit of nothing says nothing: the disk may be as full as before.
pub(super) type Failing = Arc<AtomicBool>;

/// Where jobs are handed in.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    deadline: Duration,
    failing: Failing,
}

fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".into())
}

impl Writer {
    /// Starts the thread. `wrote` is rung after each commit.
    pub(super) fn start(
        path: &Path,
        deadline: Duration,
        wrote: std::sync::Arc<Notify>,
    ) -> Result<Writer, rusqlite::Error> {
        let conn = setup::connect(path)?;
        let (jobs, waiting) = channel();
        let failing = Failing::default();
        let failed = failing.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                run(&conn, &waiting, &wrote, &failed);
                drop(conn);
            })
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Writer { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)), deadline, failing })
    }

    /// Runs `work` in the next transaction; its answer, once that is on disk. What it wrote is undone when it fails.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // Whoever asked has given up: better not done than done unheard of.
            if tell.is_closed() {
                return None;
            }
            let outcome = caught(|| work(conn));
            Some(Done {
                keep: outcome.is_ok(),
                tell: Box::new(move |committed| {
                    let _ = tell.send(outcome.and_then(|value| committed.map(|()| value)));
                }),
            })
        });
        {
            let jobs = self.jobs.lock().map_err(|_| closed())?;
            jobs.as_ref().ok_or_else(closed)?.send(job).map_err(|_| closed())?;
        }
        match tokio::time::timeout(self.deadline, told).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::Unavailable("the transaction could not be begun".into())),
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {:?}", self.deadline))),
        }
    }

    /// Whether the last transaction that wrote anything failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Ends the thread when it has done what waits.
    pub(super) fn stop(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn run(conn: &Connection, waiting: &Receiver<Job>, wrote: &Notify, failing: &Failing) {
    while let Ok(first) = waiting.recv() {
        let mut batch = Vec::with_capacity(16);
        batch.push(first);
        while batch.len() < BATCH
            && let Ok(job) = waiting.try_recv()
        {
            batch.push(job);
        }
        let mut done = Vec::with_capacity(batch.len());
        let changes = conn.total_changes();
        let outcome = transaction(conn, batch, &mut done);
        if outcome.is_ok() {
            wrote.notify_one();
        }
        if outcome.is_err() || conn.total_changes() != changes {
            failing.store(outcome.is_err(), Ordering::Relaxed);
        }
        for one in done {
            (one.tell)(outcome.as_ref().map(|&()| ()).map_err(|error| StoreError::Unavailable(error.to_string())));
        }
    }
}

/// All or, when the transaction itself fails, nothing. Jobs that did not run are dropped, which their callers see.
fn transaction(conn: &Connection, batch: Vec<Job>, done: &mut Vec<Done>) -> Result<(), StoreError> {
    let execute = |text: &str| conn.prepare_cached(text).and_then(|mut statement| statement.execute([])).map_err(sql);
    execute("BEGIN IMMEDIATE")?;
    let all = || -> Result<(), StoreError> {
        for job in batch {
            execute("SAVEPOINT job")?;
            let Some(one) = job(conn) else {
                execute("RELEASE job")?;
                continue;
            };
            let keep = one.keep;
            done.push(one);
            // A full or failing disk ends the whole transaction by itself.
            if conn.is_autocommit() {
                return Err(StoreError::Unavailable("the transaction was rolled back".into()));
            }
            if !keep {
                execute("ROLLBACK TO job")?;
            }
            execute("RELEASE job")?;
        }
        execute("COMMIT").map(|_| ())
    };
    let outcome = all();
    if outcome.is_err() && !conn.is_autocommit() {
        let _ = execute("ROLLBACK");
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(conn: &Connection, text: &str) -> StoreResult<()> {
        conn.execute("INSERT INTO meta (key, value) VALUES (?1, '')", [text]).map(|_| ()).map_err(sql)
    }

    fn noted(conn: &Connection) -> Vec<String> {
        let mut list = conn.prepare("SELECT key FROM meta WHERE key LIKE 'job %' ORDER BY key").unwrap();
        list.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Four jobs of one batch: what the second wrote before it was refused goes, what the others wrote stays; the
    /// fourth's caller has gone before its turn.
    #[test]
    fn one_refusal_undoes_nothing_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pool.db");
        let _lock = setup::take_file(&path, crate::store::StoreUser::App).unwrap();
        setup::prepare(&path).unwrap();
        let conn = setup::connect(&path).unwrap();
        let told = std::sync::Arc::new(Mutex::new(Vec::new()));
        let job = |name: &'static str, keep: bool| -> Job {
            let told = told.clone();
            Box::new(move |conn| {
                note(conn, name).unwrap();
                let tell = move |outcome: Result<(), StoreError>| told.lock().unwrap().push((name, outcome.is_ok()));
                Some(Done { keep, tell: Box::new(tell) })
            })
        };
        let gone: Job = Box::new(|_| None);
        let (hand_in, waiting) = channel();
        for one in [job("job 1", true), job("job 2", false), job("job 3", true), gone] {
            hand_in.send(one).unwrap();
        }
        drop(hand_in);
        run(&conn, &waiting, &Notify::new(), &Failing::default());
        assert_eq!(noted(&conn), ["job 1", "job 3"]);
        assert_eq!(*told.lock().unwrap(), [("job 1", true), ("job 2", true), ("job 3", true)]);
    }

    #[tokio::test]
    async fn a_job_that_panics_is_undone_and_ends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pool.db");
        let _lock = setup::take_file(&path, crate::store::StoreUser::App).unwrap();
        setup::prepare(&path).unwrap();
        let writer = Writer::start(&path, Duration::from_secs(10), std::sync::Arc::default()).unwrap();
        let panics = writer.write(|conn| -> StoreResult<()> {
            note(conn, "job 1").unwrap();
            panic!("on purpose");
        });
        assert!(matches!(panics.await, Err(StoreError::Broken(_))));
        writer.write(|conn| note(conn, "job 2")).await.unwrap();
        assert_eq!(noted(&setup::connect(&path).unwrap()), ["job 2"]);
        writer.stop();
    }

    #[test]
    fn who_waits_for_a_transaction_that_fails_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pool.db");
        let _lock = setup::take_file(&path, crate::store::StoreUser::App).unwrap();
        setup::prepare(&path).unwrap();
        let conn = setup::connect(&path).unwrap();
        let (tell, told) = oneshot::channel();
        let ends_it: Job = Box::new(move |conn| {
            note(conn, "job 1").unwrap();
            // As SQLite itself does when the disk is full.
            conn.execute_batch("ROLLBACK").unwrap();
            Some(Done { keep: true, tell: Box::new(move |outcome| tell.send(outcome).unwrap()) })
        });
        let (hand_in, waiting) = channel();
        hand_in.send(ends_it).unwrap();
        drop(hand_in);
        run(&conn, &waiting, &Notify::new(), &Failing::default());
        assert!(matches!(told.blocking_recv(), Ok(Err(StoreError::Unavailable(_)))));
        assert!(noted(&conn).is_empty());
    }
}

//! Opens the file: who may use it, how connections are set, and what is in it at which version.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::error::sql;
use crate::model::PoolId;
use crate::store::StoreResult;
use crate::store::open::{OpenError, StoreUser};
use crate::store::schema;

/// Another process may hold the write lock for one batch at a time, which is milliseconds; five seconds means that
/// something is wrong with the disk.
const BUSY_LIMIT_MS: i32 = 5_000;

/// More than the distinct statements there are, but for the rarer questions of lists, so that hardly one is compiled twice.
const STATEMENTS_CACHED: usize = 256;

/// A claim changes some ten pages of 4 KiB.
const ROOM: u32 = 64 * 1024;

/// Keeps the others out for as long as it lives. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: File,
}

/// A file of the same name and more beside it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file that its owner alone may read, made if it is not there.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> OpenError {
    let path = path.display().to_string();
    move |error| OpenError::File { path: path.clone(), why: error.to_string() }
}

/// Makes the folder and the file, and takes this kind of user's lock on it.
pub(super) fn take_file(path: &Path, user: StoreUser) -> Result<FileLock, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(file_error(path))?;
    }
    let lock_path = beside(path, &format!(".{}.lock", user.as_str()));
    let mut file = private_file(&lock_path).map_err(file_error(&lock_path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let known = file.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
            return Err(OpenError::InUse {
                user: user.as_str(),
                path: path.display().to_string(),
                pid: if known { pid.trim().to_owned() } else { "unknown".to_owned() },
            });
        }
        Err(TryLockError::Error(error)) => return Err(file_error(&lock_path)(error)),
    }
    // For the message above only; nothing trusts it.
    let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    noted.map_err(file_error(&lock_path))?;
    // SQLite gives its -wal and -shm files the mode of the database's own.
    private_file(path).map_err(file_error(path))?;
    Ok(FileLock { _file: file })
}

/// A connection that waits its turn. SQLite's own handler backs off to 100 ms, in which a busy neighbour commits many
/// times; asking every millisecond gets a fair share.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    conn.busy_handler(Some(|tries| {
        std::thread::sleep(Duration::from_millis(1));
        tries < BUSY_LIMIT_MS
    }))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(conn)
}

/// Writes more than a claim or a move does, so that there is room for one when this succeeds. Its row stays.
pub(super) fn take_room(conn: &Connection) -> StoreResult<()> {
    let put = "INSERT INTO meta (key, value) VALUES ('room', hex(zeroblob(?1)))
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    conn.execute(put, [ROOM / 2]).map(|_| ()).map_err(sql)
}

/// Makes or migrates what is in the file; the pool's id.
pub(super) fn prepare(path: &Path) -> Result<PoolId, OpenError> {
    let broken = |error: rusqlite::Error| OpenError::Broken(format!("{}: {error}", path.display()));
    // Changing the journal's mode does not wait for others, so app and admin that start together take turns here.
    let turn_path = beside(path, ".open.lock");
    let turn = private_file(&turn_path).map_err(file_error(&turn_path))?;
    turn.lock().map_err(file_error(&turn_path))?;

    let mut conn = connect(path).map_err(broken)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(broken)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(broken)?;
    let is_new = tx
        .query_row("SELECT count(*) = 0 FROM sqlite_schema WHERE type = 'table'", [], |row| row.get::<_, bool>(0))
        .map_err(broken)?;
    if is_new {
        tx.execute_batch(VERSION_1).map_err(broken)?;
        let put = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
        tx.execute(put, params!["pool_id", PoolId::random().as_str()]).map_err(broken)?;
        tx.execute(put, params!["schema", "1"]).map_err(broken)?;
    }
    let read = |key: &str| {
        tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, String>(0)).optional()
    };
    let found = read("schema").map_err(broken)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    for version in schema::steps(found)? {
        tx.execute_batch(step_to(version)).map_err(broken)?;
    }
    tx.execute("UPDATE meta SET value = ?1 WHERE key = 'schema'", [schema::CURRENT.to_string()]).map_err(broken)?;
    let pool = read("pool_id").map_err(broken)?.unwrap_or_default();
    let pool = PoolId::parse(&pool).map_err(|error| OpenError::Broken(format!("the pool's id: {error}")))?;
    tx.commit().map_err(broken)?;
    Ok(pool)
}

/// What leads from the version before to this one.
fn step_to(version: u32) -> &'static str {
    match version {
        // Computed from the body, so that records which an older program still writes have it too.
        2 => {
            "ALTER TABLE lease_record ADD COLUMN
                 ended_at INTEGER GENERATED ALWAYS AS (json_extract(body, '$.ended.at')) VIRTUAL;
             DROP INDEX lease_record_user;
             CREATE INDEX lease_record_ended ON lease_record (ended_at, id);
             CREATE INDEX lease_record_user_ended ON lease_record (user, ended_at, id);"
        }
        // Kind and actor are computed from the body too. One index holds them beside the time, so that events are picked
        // without reading their bodies; it takes the old one's place.
        3 => {
            "ALTER TABLE event ADD COLUMN kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL;
             ALTER TABLE event ADD COLUMN actor TEXT GENERATED ALWAYS AS (json_extract(body, '$.actor')) VIRTUAL;
             CREATE INDEX event_seen ON event (at, seq, kind, actor);
             DROP INDEX event_at;
             CREATE TABLE evidence (
                 cluster TEXT PRIMARY KEY, host TEXT NOT NULL, failed_at INTEGER NOT NULL, body TEXT NOT NULL
             );
             CREATE INDEX evidence_failed ON evidence (failed_at, cluster);
             CREATE INDEX evidence_host ON evidence (host, failed_at, cluster);
             CREATE TABLE apply_count (
                 minute INTEGER NOT NULL, flavor TEXT NOT NULL, given INTEGER NOT NULL, missed INTEGER NOT NULL,
                 PRIMARY KEY (minute, flavor)
             ) WITHOUT ROWID;"
        }
        // The keys that `store/list/key.rs` defines, computed from the rows, so that those which an older program still
        // writes have them too. Claims touch only `list_changed`, proofs none.
        4 => VERSION_4,
        // Computed from the body, as in the steps before.
        5 => {
            "ALTER TABLE session ADD COLUMN
                 operator TEXT GENERATED ALWAYS AS (json_extract(body, '$.operator')) VIRTUAL;
             CREATE INDEX session_operator ON session (operator);
             CREATE TABLE token (
                 id TEXT PRIMARY KEY, body TEXT NOT NULL,
                 hash TEXT GENERATED ALWAYS AS (json_extract(body, '$.hash')) VIRTUAL,
                 user TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind.user')) VIRTUAL,
                 created_at INTEGER GENERATED ALWAYS AS (json_extract(body, '$.created_at')) VIRTUAL
             );
             CREATE UNIQUE INDEX token_hash ON token (hash);
             CREATE INDEX token_created ON token (created_at, id);
             CREATE INDEX token_user ON token (user, created_at, id) WHERE user IS NOT NULL;"
        }
        6 => {
            "CREATE TABLE sample (
                 subject TEXT NOT NULL, hour INTEGER NOT NULL, ends INTEGER NOT NULL, body TEXT NOT NULL,
                 PRIMARY KEY (subject, hour)
             );
             CREATE INDEX sample_hour ON sample (hour);
             CREATE INDEX sample_ends ON sample (ends);"
        }
        _ => "",
    }
}

/// What lists are read by.
const VERSION_4: &str = "
ALTER TABLE cluster ADD COLUMN list_name TEXT GENERATED ALWAYS AS
    (lower(body ->> '$.host_name') || printf(' %05d ', slot) || id) VIRTUAL;
ALTER TABLE cluster ADD COLUMN list_created TEXT GENERATED ALWAYS AS
    (printf('%016x', body ->> '$.created_at') || id) VIRTUAL;
ALTER TABLE cluster ADD COLUMN list_flavor TEXT GENERATED ALWAYS AS
    (flavor || printf(' %016x', body ->> '$.created_at') || id) VIRTUAL;
ALTER TABLE cluster ADD COLUMN list_changed TEXT GENERATED ALWAYS AS
    (printf('%016x', life ->> iif(phase = 'in_use', '$.lease.applied_at', '$.since')) || id) VIRTUAL;
ALTER TABLE cluster ADD COLUMN health TEXT GENERATED ALWAYS AS (body ->> '$.health.health') VIRTUAL;
CREATE INDEX cluster_name ON cluster (list_name);
CREATE INDEX cluster_created ON cluster (list_created);
CREATE INDEX cluster_flavor ON cluster (list_flavor);
CREATE INDEX cluster_changed ON cluster (phase, list_changed);
CREATE INDEX cluster_health ON cluster (health);

ALTER TABLE lease_record ADD COLUMN list_ended TEXT GENERATED ALWAYS AS
    (printf('%016x', body ->> '$.ended.at') || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_applied TEXT GENERATED ALWAYS AS
    (printf('%016x', body ->> '$.lease.applied_at') || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_held TEXT GENERATED ALWAYS AS
    (printf('%016x', max(0, (body ->> '$.ended.at') - (body ->> '$.lease.applied_at'))) || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_name TEXT GENERATED ALWAYS AS
    (lower(body ->> '$.cluster_name') || ' ' || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_user TEXT GENERATED ALWAYS AS
    (user || char(1) || printf('%016x', body ->> '$.ended.at') || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_host TEXT GENERATED ALWAYS AS
    ((body ->> '$.host') || printf(' %016x', body ->> '$.ended.at') || id) VIRTUAL;
ALTER TABLE lease_record ADD COLUMN list_flavor TEXT GENERATED ALWAYS AS
    ((body ->> '$.flavor') || printf(' %016x', body ->> '$.ended.at') || id) VIRTUAL;
DROP INDEX lease_record_ended;
DROP INDEX lease_record_user_ended;
CREATE INDEX lease_record_ended ON lease_record (list_ended);
CREATE INDEX lease_record_applied ON lease_record (list_applied);
CREATE INDEX lease_record_held ON lease_record (list_held);
CREATE INDEX lease_record_name ON lease_record (list_name);
CREATE INDEX lease_record_user ON lease_record (list_user);
CREATE INDEX lease_record_host ON lease_record (list_host);
CREATE INDEX lease_record_flavor ON lease_record (list_flavor);

ALTER TABLE evidence ADD COLUMN summary TEXT GENERATED ALWAYS AS
    (json_remove(body, '$.nodes', '$.plan', '$.timings', '$.missing')) VIRTUAL;
CREATE INDEX evidence_summary ON evidence (failed_at, cluster, summary);
";

/// The first version. `docs/db.md` says what is in each column.
const VERSION_1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE host (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, engine_id TEXT NOT NULL,
    version INTEGER NOT NULL, contact TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX host_name ON host (name);
CREATE UNIQUE INDEX host_engine ON host (engine_id);

CREATE TABLE cluster (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, slot INTEGER NOT NULL,
    phase TEXT NOT NULL, version INTEGER NOT NULL, flavor TEXT NOT NULL,
    user TEXT, nth INTEGER, idem_key TEXT,
    offer_flavor TEXT, offer_r REAL, offer_until INTEGER, proven_at INTEGER,
    life TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX cluster_slot ON cluster (host, slot);
CREATE UNIQUE INDEX cluster_nth ON cluster (user, nth) WHERE user IS NOT NULL;
CREATE UNIQUE INDEX cluster_key ON cluster (user, idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX cluster_offer ON cluster (offer_flavor, offer_r, offer_until) WHERE offer_flavor IS NOT NULL;
CREATE INDEX cluster_kind ON cluster (host, flavor, phase);

CREATE TABLE lease_record (id TEXT PRIMARY KEY, user TEXT NOT NULL, idem_key TEXT, body TEXT NOT NULL);
CREATE INDEX lease_record_user ON lease_record (user);
CREATE INDEX lease_record_key ON lease_record (user, idem_key) WHERE idem_key IS NOT NULL;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at INTEGER NOT NULL,
    host TEXT, cluster TEXT, body TEXT NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (id);
CREATE INDEX event_at ON event (at, seq);
CREATE INDEX event_host ON event (host, at, seq) WHERE host IS NOT NULL;
CREATE INDEX event_cluster ON event (cluster, at, seq) WHERE cluster IS NOT NULL;

CREATE TABLE change_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL);

CREATE TABLE operator (id TEXT PRIMARY KEY, username TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX operator_username ON operator (username);
CREATE TABLE session (id TEXT PRIMARY KEY, ends_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX session_ends ON session (ends_at);

CREATE TABLE lock (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, address TEXT NOT NULL, term INTEGER NOT NULL, until INTEGER NOT NULL
);
";

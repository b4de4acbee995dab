//! A restore: a new file is made beside the old one, filled, checked to the last byte of the backup and put on the disk;
//! then it takes the old one's name in one step. Killed before that, the old one is as it was.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};

use super::error::{json, sql};
use super::{clusters, evidence, hosts, people, setup, tokens};
use crate::model::HostId;
use crate::store::StoreError;
use crate::store::backup::{BackupError, Counts, Over, Reader, Record};
use crate::store::open::{OpenError, StoreUser};

/// Puts what `from` holds in the place of what is in the file. Nobody else has the file meanwhile.
pub(in crate::store) async fn load(path: &Path, from: Reader, over: Over) -> Result<Counts, BackupError> {
    let path = path.to_owned();
    let work = tokio::task::spawn_blocking(move || load_file(&path, from, over));
    work.await.map_err(|error| StoreError::Broken(error.to_string()))?
}

fn load_file(path: &Path, mut from: Reader, over: Over) -> Result<Counts, BackupError> {
    let _admin = setup::take_file(path, StoreUser::Admin)?;
    let _app = setup::take_file(path, StoreUser::App)?;
    let _command = setup::take_file(path, StoreUser::Command)?;
    setup::prepare(path)?;
    let old = setup::connect(path).map_err(sql)?;
    if over == Over::Nothing {
        refuse_a_pool(&old)?;
    }
    let term_now: u64 = old.query_row("SELECT ifnull(max(term), 0) FROM lock", [], |row| row.get(0)).map_err(sql)?;

    let new = setup::beside(path, ".restoring");
    clear_away(&new)?;
    let _cleaner = Cleaner(&new);
    drop(setup::private_file(&new)?);
    setup::prepare(&new)?;
    fill(&new, &mut from, term_now)?;
    File::open(&new)?.sync_all()?;

    // What the old one still has in its journal must not be taken for a part of the new one.
    old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(sql)?;
    old.close().map_err(|(_, error)| sql(error))?;
    let journal = setup::beside(path, "-wal");
    if fs::metadata(&journal).is_ok_and(|file| file.len() > 0) {
        let why = format!("another program has {} open; end it, then restore", path.display());
        return Err(StoreError::Unavailable(why).into());
    }
    // Whoever has the old one open and does nothing with it must not share a journal with the new one.
    for suffix in ["-wal", "-shm"] {
        remove(&setup::beside(path, suffix))?;
    }
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(from.counts().clone())
}

fn refuse_a_pool(conn: &Connection) -> Result<(), BackupError> {
    let count = |table: &str| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u64>(0));
    let (hosts, clusters) = (count("host").map_err(sql)?, count("cluster").map_err(sql)?);
    let leases = count("lease_record").map_err(sql)?;
    if hosts + clusters + leases == 0 { Ok(()) } else { Err(BackupError::NotEmpty { hosts, clusters, leases }) }
}

fn fill(path: &Path, from: &mut Reader, term_now: u64) -> Result<(), BackupError> {
    let mut conn = setup::connect(path).map_err(sql)?;
    // Without a journal beside it, the file is whole by itself when it is renamed.
    conn.pragma_update(None, "journal_mode", "DELETE").map_err(sql)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    while let Some(record) = from.next()? {
        add(&tx, &record.at_rest())?;
    }
    // Some of the writes above are fine with a record that is there already.
    for (kind, count) in from.counts() {
        let there = format!("SELECT count(*) FROM {}", kind.table());
        if tx.query_row(&there, [], |row| row.get::<_, u64>(0)).map_err(sql)? != *count {
            return Err(BackupError::Damaged(format!("two {} are the same", kind.words())));
        }
    }
    let header = from.header();
    let set = "UPDATE meta SET value = ?1 WHERE key = 'pool_id'";
    tx.execute(set, [header.pool.as_str()]).map_err(sql)?;
    let lock = "INSERT OR REPLACE INTO lock (name, holder, address, term, until) VALUES ('reconciler', '', '', ?1, 0)";
    tx.execute(lock, [header.term.max(term_now)]).map_err(sql)?;
    tx.execute("DELETE FROM change_log", []).map_err(sql)?;
    tx.commit().map_err(sql)?;
    conn.close().map_err(|(_, error)| sql(error).into())
}

fn add(conn: &Connection, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Host(host) => hosts::insert(conn, host).map(drop),
        Record::Cluster(cluster) => clusters::insert(conn, cluster).map(drop),
        Record::Lease(record) => clusters::add_record(conn, record),
        Record::Event { number, event } => {
            let body = serde_json::to_string(event).map_err(json("an event"))?;
            let cluster = event.cluster.as_ref().map(|(id, _)| id.as_str());
            let host = event.host.as_ref().map(HostId::as_str);
            conn.prepare_cached("INSERT INTO event (seq, id, at, host, cluster, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .and_then(|mut add| {
                    add.execute(params![number, event.id.as_str(), event.at.as_millis(), host, cluster, body])
                })
                .map(drop)
                .map_err(sql)
        }
        Record::Evidence(bundle) => evidence::put(conn, bundle, u32::MAX),
        Record::Applies(count) => conn
            .prepare_cached("INSERT INTO apply_count (minute, flavor, given, missed) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut add| {
                add.execute(params![count.minute.as_millis(), count.flavor.as_str(), count.given, count.missed])
            })
            .map(drop)
            .map_err(sql),
        Record::Operator(operator) => people::insert_operator(conn, operator),
        Record::Token(token) => tokens::insert(conn, token).map(drop),
        Record::Samples(hour) => {
            let body = serde_json::to_string(&hour.values).map_err(json("samples"))?;
            conn.prepare_cached("INSERT INTO sample (subject, hour, ends, body) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut add| {
                    add.execute(params![hour.subject, hour.hour.as_millis(), hour.ends.as_millis(), body])
                })
                .map(drop)
                .map_err(sql)
        }
    }
}

/// The new file and what SQLite and we keep beside it.
fn family(new: &Path) -> [PathBuf; 5] {
    ["", "-wal", "-shm", "-journal", ".open.lock"].map(|suffix| setup::beside(new, suffix))
}

/// What a restore that was killed has left.
fn clear_away(new: &Path) -> Result<(), OpenError> {
    family(new).iter().try_for_each(|path| remove(path))
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(OpenError::File { path: path.display().to_string(), why: error.to_string() })
        }
        _ => Ok(()),
    }
}

struct Cleaner<'a>(&'a Path);

impl Drop for Cleaner<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next restore, and does no harm until then.
        let _ = clear_away(self.0);
    }
}

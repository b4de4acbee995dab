//! A backup: everything as it stood at one moment, read in one transaction while others go on writing.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};
use serde::de::DeserializeOwned;

use super::error::{json, sql};
use super::{demand, hosts, row, setup};
use crate::model::{PoolId, Timestamp};
use crate::store::backup::{BackupError, Counts, Header, HourOfSamples, Kind, Record, Writer};
use crate::store::open::OpenError;
use crate::store::{StoreError, schema};

/// Writes all that is in the file. Needs none of the file's locks.
pub(in crate::store) async fn dump<W>(path: &Path, at: Timestamp, writer: W) -> Result<Counts, BackupError>
where
    W: FnOnce(Header) -> Result<Writer, BackupError> + Send + 'static,
{
    let path = path.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        if !path.exists() {
            return Err(BackupError::Nothing(path.display().to_string()));
        }
        let mut conn = setup::connect(&path).map_err(sql)?;
        // The first read begins the snapshot, which lasts as long as the transaction.
        let snapshot = conn.transaction_with_behavior(TransactionBehavior::Deferred).map_err(sql)?;
        let mut writer = writer(header(&snapshot, &path.display().to_string(), at)?)?;
        for kind in Kind::ALL {
            write(&snapshot, kind, &mut writer)?;
        }
        writer.finish()
    });
    work.await.map_err(|error| StoreError::Broken(error.to_string()))?
}

fn header(tx: &Transaction<'_>, path: &str, at: Timestamp) -> Result<Header, BackupError> {
    let is_empty = "SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'meta'";
    if tx.query_row(is_empty, [], |row| row.get(0)).map_err(sql)? {
        return Err(BackupError::Nothing(path.to_owned()));
    }
    let meta = |key: &str| {
        let found = tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, String>(0));
        found.optional().map(Option::unwrap_or_default).map_err(sql)
    };
    let found: u32 = meta("schema")?.parse().unwrap_or(0);
    if !schema::steps(found)?.is_empty() {
        return Err(BackupError::Older { found, known: schema::CURRENT });
    }
    let pool =
        PoolId::parse(&meta("pool_id")?).map_err(|error| OpenError::Broken(format!("the pool's id: {error}")))?;
    let term = tx.query_row("SELECT term FROM lock WHERE name = 'reconciler'", [], |row| row.get(0)).optional();
    Ok(Header::new(pool, at, term.map_err(sql)?.unwrap_or(0)))
}

fn write(conn: &Connection, kind: Kind, to: &mut Writer) -> Result<(), BackupError> {
    let body = |row: &Row<'_>| row.get::<_, String>(0);
    match kind {
        Kind::Host => each(conn, "SELECT body, contact FROM host ORDER BY id", hosts::parse, |texts| {
            to.add(&Record::Host(Box::new(hosts::host(texts)?)))
        }),
        Kind::Cluster => {
            let all = format!("SELECT {} FROM cluster ORDER BY id", row::COLUMNS);
            each(conn, &all, row::ClusterRow::read, |found| to.add(&Record::Cluster(Box::new(found.parse()?))))
        }
        Kind::Lease => each(conn, "SELECT body FROM lease_record ORDER BY id", body, |text| {
            to.add(&Record::Lease(parsed("a lease record", &text)?))
        }),
        Kind::Event => {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
            each(conn, "SELECT seq, body FROM event ORDER BY seq", read, |(number, text)| {
                to.add(&Record::Event { number, event: parsed("an event", &text)? })
            })
        }
        Kind::Evidence => each(conn, "SELECT body FROM evidence ORDER BY cluster", body, |text| {
            to.add(&Record::Evidence(parsed("evidence", &text)?))
        }),
        Kind::Applies => {
            let counts = demand::since(conn, Timestamp::from_millis(i64::MIN))?;
            counts.into_iter().try_for_each(|count| to.add(&Record::Applies(count)))
        }
        Kind::Operator => each(conn, "SELECT body FROM operator ORDER BY id", body, |text| {
            to.add(&Record::Operator(parsed("an operator", &text)?))
        }),
        Kind::Token => each(conn, "SELECT body FROM token ORDER BY id", body, |text| {
            to.add(&Record::Token(parsed("a token", &text)?))
        }),
        Kind::Samples => {
            let all = "SELECT subject, hour, ends, body FROM sample ORDER BY subject, hour";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?));
            each(conn, all, read, |(subject, hour, ends, body)| {
                let (hour, ends) = (Timestamp::from_millis(hour), Timestamp::from_millis(ends));
                let values = parsed("samples", &body)?;
                to.add(&Record::Samples(HourOfSamples { subject, hour, ends, values }))
            })
        }
    }
}

/// Row by row, so that a long history need not fit into memory.
fn each<T>(
    conn: &Connection,
    query: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    mut then: impl FnMut(T) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut statement = conn.prepare(query).map_err(sql)?;
    let mut rows = statement.query([]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        then(read(row).map_err(sql)?)?;
    }
    Ok(())
}

fn parsed<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(json(what))
}

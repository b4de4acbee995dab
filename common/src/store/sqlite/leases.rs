//! The history: leases that have ended.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use crate::model::{IdempotencyKey, LeaseId, LeaseRecord, Timestamp, UserId};
use crate::store::{LeaseFilter, Page, StoreError, StoreResult};

fn record(body: String) -> StoreResult<LeaseRecord> {
    serde_json::from_str(&body).map_err(json("a lease record"))
}

pub(super) fn list(conn: &Connection, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>> {
    // Both columns hold the time of the end and then the id; that of a user begins with the user.
    let user = filter.user.as_ref().map(|user| format!("{user}\u{1}"));
    let column = if user.is_some() { "list_user" } else { "list_ended" };
    let user = user.unwrap_or_default();
    let end = match &page.after {
        // No digit is greater than this.
        None => format!("{user}~"),
        Some(after) => {
            let place = conn
                .prepare_cached("SELECT list_ended FROM lease_record WHERE id = ?1")
                .and_then(|mut find| find.query_row([after], |row| row.get::<_, String>(0)).optional())
                .map_err(sql)?;
            format!("{user}{}", place.ok_or(StoreError::NotFound("lease record to go on after"))?)
        }
    };
    let text =
        format!("SELECT body FROM lease_record WHERE {column} >= ?1 AND {column} < ?2 ORDER BY {column} DESC LIMIT ?3");
    let bodies = conn
        .prepare_cached(&text)
        .and_then(|mut list| {
            list.query_map(params![user, end, page.limit], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        })
        .map_err(sql)?;
    bodies.into_iter().map(record).collect()
}

pub(super) fn by_id(conn: &Connection, id: &LeaseId) -> StoreResult<Option<LeaseRecord>> {
    conn.prepare_cached("SELECT body FROM lease_record WHERE id = ?1")
        .and_then(|mut find| find.query_row([id.as_str()], |row| row.get(0)).optional())
        .map_err(sql)?
        .map(record)
        .transpose()
}

/// The latest that this key gave her and that ended after `since`.
pub(super) fn by_key(
    conn: &Connection,
    user: &UserId,
    key: &IdempotencyKey,
    since: Timestamp,
) -> StoreResult<Option<LeaseRecord>> {
    conn.prepare_cached(
        "SELECT body FROM lease_record WHERE user = ?1 AND idem_key = ?2 AND ended_at > ?3
         ORDER BY ended_at DESC LIMIT 1",
    )
    .and_then(|mut find| {
        find.query_row(params![user.as_str(), key.as_str(), since.as_millis()], |row| row.get(0)).optional()
    })
    .map_err(sql)?
    .map(record)
    .transpose()
}

pub(super) fn delete(conn: &Connection, id: &LeaseId) -> StoreResult<()> {
    conn.prepare_cached("DELETE FROM lease_record WHERE id = ?1")
        .and_then(|mut delete| delete.execute([id.as_str()]))
        .map(|_| ())
        .map_err(sql)
}

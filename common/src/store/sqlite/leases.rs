//! The history: leases that have ended.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use crate::model::{IdempotencyKey, LeaseId, LeaseRecord, Timestamp, UserId};
use crate::store::{LeaseFilter, Page, StoreError, StoreResult};

fn record(body: String) -> StoreResult<LeaseRecord> {
    serde_json::from_str(&body).map_err(json("a lease record"))
}

pub(super) fn list(conn: &Connection, filter: &LeaseFilter, page: &Page) -> StoreResult<Vec<LeaseRecord>> {
    let (ended_at, id) = match &page.after {
        // No id is greater than this: they are hexadecimal.
        None => (i64::MAX, "~".to_owned()),
        Some(after) => {
            let place = conn
                .prepare_cached("SELECT ended_at FROM lease_record WHERE id = ?1")
                .and_then(|mut find| find.query_row([after], |row| row.get(0)).optional())
                .map_err(sql)?;
            (place.ok_or(StoreError::NotFound("lease record to go on after"))?, after.clone())
        }
    };
    let user = filter.user.as_ref().map(UserId::as_str);
    let which = if user.is_some() { "user = ?1" } else { "?1 IS NULL" };
    let text = format!(
        "SELECT body FROM lease_record WHERE {which} AND (ended_at, id) < (?2, ?3)
         ORDER BY ended_at DESC, id DESC LIMIT ?4"
    );
    let bodies = conn
        .prepare_cached(&text)
        .and_then(|mut list| {
            list.query_map(params![user, ended_at, id, page.limit], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
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

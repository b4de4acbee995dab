//! Operators, their sessions, and the reconciler's lock.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql, violated};
use crate::model::{Operator, OperatorId, Role, Session, SessionId, Timestamp};
use crate::store::{LockRecord, SESSIONS_LISTED, StoreError, StoreResult};

fn parsed<T: serde::de::DeserializeOwned>(what: &'static str, body: String) -> StoreResult<T> {
    serde_json::from_str(&body).map_err(json(what))
}

pub(super) fn operators(conn: &Connection) -> StoreResult<Vec<Operator>> {
    let bodies = conn
        .prepare_cached("SELECT body FROM operator ORDER BY username")
        .and_then(|mut list| list.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>())
        .map_err(sql)?;
    bodies.into_iter().map(|body| parsed("an operator", body)).collect()
}

fn one<T: serde::de::DeserializeOwned>(
    conn: &Connection,
    text: &'static str,
    what: &'static str,
    value: &str,
) -> StoreResult<Option<T>> {
    conn.prepare_cached(text)
        .and_then(|mut find| find.query_row([value], |row| row.get(0)).optional())
        .map_err(sql)?
        .map(|body| parsed(what, body))
        .transpose()
}

pub(super) fn operator_by_name(conn: &Connection, username: &str) -> StoreResult<Option<Operator>> {
    one(conn, "SELECT body FROM operator WHERE username = ?1", "an operator", username)
}

pub(super) fn operator(conn: &Connection, id: &OperatorId) -> StoreResult<Option<Operator>> {
    one(conn, "SELECT body FROM operator WHERE id = ?1", "an operator", id.as_str())
}

pub(super) fn insert_operator(conn: &Connection, operator: &Operator) -> StoreResult<()> {
    let body = serde_json::to_string(operator).map_err(json("an operator"))?;
    let added = conn
        .prepare_cached("INSERT INTO operator (id, username, body) VALUES (?1, ?2, ?3)")
        .map_err(sql)?
        .execute(params![operator.id.as_str(), operator.username, body]);
    match added {
        Ok(_) => Ok(()),
        Err(error) if violated(&error).is_some() => match self::operator(conn, &operator.id)? {
            Some(found) if found == *operator => Ok(()),
            _ => Err(StoreError::Taken { field: "username" }),
        },
        Err(error) => Err(sql(error)),
    }
}

/// Whether it was changed; `false` when it is as wanted already.
pub(super) fn change_operator(conn: &Connection, to: &Operator) -> StoreResult<bool> {
    match operator(conn, &to.id)? {
        None => return Err(StoreError::NotFound("operator")),
        Some(found) if found == *to => return Ok(false),
        Some(found) if found.version + 1 != to.version => return Err(StoreError::Conflict("operator")),
        Some(found) if found.role == Role::Admin && to.role != Role::Admin => another_admin(conn, &to.id)?,
        Some(_) => {}
    }
    let body = serde_json::to_string(to).map_err(json("an operator"))?;
    conn.prepare_cached("UPDATE operator SET username = ?2, body = ?3 WHERE id = ?1")
        .and_then(|mut change| change.execute(params![to.id.as_str(), to.username, body]))
        .map(|_| true)
        .map_err(|error| if violated(&error).is_some() { StoreError::Taken { field: "username" } } else { sql(error) })
}

/// Whether it was there.
pub(super) fn delete_operator(conn: &Connection, id: &OperatorId, version: u64) -> StoreResult<bool> {
    match operator(conn, id)? {
        None => return Ok(false),
        Some(found) if found.version != version => return Err(StoreError::Conflict("operator")),
        Some(found) if found.role == Role::Admin => another_admin(conn, id)?,
        Some(_) => {}
    }
    delete_sessions(conn, id, None)?;
    conn.prepare_cached("DELETE FROM operator WHERE id = ?1")
        .and_then(|mut delete| delete.execute([id.as_str()]))
        .map(|_| true)
        .map_err(sql)
}

/// Nobody else writes between this and what it allows: writers take turns, other programs' too.
fn another_admin(conn: &Connection, but: &OperatorId) -> StoreResult<()> {
    let others = operators(conn)?.iter().any(|one| one.role == Role::Admin && one.id != *but);
    if others { Ok(()) } else { Err(StoreError::LastAdmin) }
}

pub(super) fn sessions(conn: &Connection, of: &OperatorId) -> StoreResult<Vec<Session>> {
    let bodies = conn
        .prepare_cached(
            "SELECT body FROM session WHERE operator = ?1 ORDER BY json_extract(body, '$.used_at') DESC, id LIMIT ?2",
        )
        .and_then(|mut list| {
            list.query_map(params![of.as_str(), SESSIONS_LISTED], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
        })
        .map_err(sql)?;
    bodies.into_iter().map(|body| parsed("a session", body)).collect()
}

pub(super) fn delete_sessions(conn: &Connection, of: &OperatorId, but: Option<&SessionId>) -> StoreResult<()> {
    conn.prepare_cached("DELETE FROM session WHERE operator = ?1 AND id IS NOT ?2")
        .and_then(|mut delete| delete.execute(params![of.as_str(), but.map(SessionId::as_str)]))
        .map(|_| ())
        .map_err(sql)
}

/// Also forgets sessions that were over when this one was last used: nobody else would.
pub(super) fn put_session(conn: &Connection, session: &Session) -> StoreResult<()> {
    let body = serde_json::to_string(session).map_err(json("a session"))?;
    conn.prepare_cached("INSERT OR REPLACE INTO session (id, ends_at, body) VALUES (?1, ?2, ?3)")
        .and_then(|mut put| put.execute(params![session.id.as_str(), session.ends_at.as_millis(), body]))
        .and_then(|_| conn.prepare_cached("DELETE FROM session WHERE ends_at < ?1"))
        .and_then(|mut delete| delete.execute([session.used_at.as_millis()]))
        .map(|_| ())
        .map_err(sql)
}

pub(super) fn touch_session(conn: &Connection, id: &SessionId, used_at: Timestamp) -> StoreResult<()> {
    conn.prepare_cached(
        "UPDATE session SET body = json_set(body, '$.used_at', max(?2, json_extract(body, '$.used_at'))) WHERE id = ?1",
    )
    .and_then(|mut touch| touch.execute(params![id.as_str(), used_at.as_millis()]))
    .map(|_| ())
    .map_err(sql)
}

pub(super) fn session(conn: &Connection, id: &SessionId) -> StoreResult<Option<Session>> {
    one(conn, "SELECT body FROM session WHERE id = ?1", "a session", id.as_str())
}

pub(super) fn delete_session(conn: &Connection, id: &SessionId) -> StoreResult<()> {
    conn.prepare_cached("DELETE FROM session WHERE id = ?1")
        .and_then(|mut delete| delete.execute([id.as_str()]))
        .map(|_| ())
        .map_err(sql)
}

pub(super) fn lock(conn: &Connection) -> StoreResult<Option<LockRecord>> {
    conn.prepare_cached("SELECT holder, address, term, until FROM lock WHERE name = 'reconciler' AND holder <> ''")
        .and_then(|mut find| {
            find.query_row([], |row| {
                Ok(LockRecord {
                    holder: row.get(0)?,
                    address: row.get(1)?,
                    term: row.get(2)?,
                    until: Timestamp::from_millis(row.get(3)?),
                })
            })
            .optional()
        })
        .map_err(sql)
}

/// The row stays when the lock is given back, without a holder: its term must go on growing.
pub(super) fn take_lock(
    conn: &Connection,
    holder: &str,
    address: &str,
    ttl: Duration,
    now: Timestamp,
) -> StoreResult<Option<LockRecord>> {
    let taken = conn
        .prepare_cached(
            "INSERT INTO lock (name, holder, address, term, until) VALUES ('reconciler', ?1, ?2, 1, ?3)
             ON CONFLICT (name) DO UPDATE SET
                 term = term + (holder <> ?1), holder = ?1, address = ?2, until = ?3
             WHERE holder = ?1 OR holder = '' OR until <= ?4",
        )
        .and_then(|mut take| take.execute(params![holder, address, (now + ttl).as_millis(), now.as_millis()]))
        .map_err(sql)?;
    if taken == 1 { lock(conn) } else { Ok(None) }
}

pub(super) fn drop_lock(conn: &Connection, holder: &str) -> StoreResult<()> {
    conn.prepare_cached("UPDATE lock SET holder = '' WHERE name = 'reconciler' AND holder = ?1")
        .and_then(|mut drop| drop.execute([holder]))
        .map(|_| ())
        .map_err(sql)
}

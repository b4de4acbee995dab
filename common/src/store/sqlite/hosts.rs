//! Hosts. The contact has a column of its own, because admin writes it every few seconds and it changes no version.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::{json, sql, violated};
use super::log;
use crate::model::{Contact, Host, HostId};
use crate::store::{StoreError, StoreResult, same};

pub(super) fn parse(row: &Row<'_>) -> rusqlite::Result<(String, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

pub(super) fn host((body, contact): (String, String)) -> StoreResult<Host> {
    let mut host: Host = serde_json::from_str(&body).map_err(json("a host"))?;
    host.contact = serde_json::from_str(&contact).map_err(json("a host's contact"))?;
    Ok(host)
}

pub(super) fn list(conn: &Connection) -> StoreResult<Vec<Host>> {
    let rows = conn
        .prepare_cached("SELECT body, contact FROM host ORDER BY name")
        .and_then(|mut list| list.query_map([], parse)?.collect::<rusqlite::Result<Vec<_>>>())
        .map_err(sql)?;
    rows.into_iter().map(host).collect()
}

pub(super) fn by_id(conn: &Connection, id: &HostId) -> StoreResult<Option<Host>> {
    conn.prepare_cached("SELECT body, contact FROM host WHERE id = ?1")
        .and_then(|mut find| find.query_row([id.as_str()], parse).optional())
        .map_err(sql)?
        .map(host)
        .transpose()
}

fn taken(error: rusqlite::Error) -> StoreError {
    match violated(&error) {
        Some(columns) if columns.contains("host.name") => StoreError::Taken { field: "name" },
        Some(columns) if columns.contains("host.engine_id") => StoreError::Taken { field: "engine_id" },
        _ => sql(error),
    }
}

/// Whether it was added; `false` when the very same is there.
pub(super) fn insert(conn: &Connection, host: &Host) -> StoreResult<bool> {
    if let Some(found) = by_id(conn, &host.id)? {
        return if same::host(&found, host) { Ok(false) } else { Err(StoreError::Taken { field: "id" }) };
    }
    let body = serde_json::to_string(host).map_err(json("a host"))?;
    let contact = serde_json::to_string(&host.contact).map_err(json("a host's contact"))?;
    conn.prepare_cached(
        "INSERT INTO host (id, name, engine_id, version, contact, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .map_err(sql)?
    .execute(params![host.id.as_str(), host.settings.name.as_str(), host.engine_id, host.version, contact, body])
    .map_err(taken)?;
    log::host_changed(conn, &host.id).map(|()| true)
}

/// Whether it was changed; `false` when it is as wanted already.
pub(super) fn change(conn: &Connection, to: &Host) -> StoreResult<bool> {
    let body = serde_json::to_string(to).map_err(json("a host"))?;
    let changed = conn
        .prepare_cached(
            "UPDATE host SET name = ?3, engine_id = ?4, version = ?5, body = ?6 WHERE id = ?1 AND version = ?2",
        )
        .map_err(sql)?
        .execute(params![
            to.id.as_str(),
            to.version.saturating_sub(1),
            to.settings.name.as_str(),
            to.engine_id,
            to.version,
            body
        ])
        .map_err(taken)?;
    if changed == 1 {
        return log::host_changed(conn, &to.id).map(|()| true);
    }
    match by_id(conn, &to.id)? {
        None => Err(StoreError::NotFound("host")),
        Some(found) if same::host(&found, to) => Ok(false),
        Some(_) => Err(StoreError::Conflict("host")),
    }
}

/// A change that is told only if the host went away or came back.
pub(super) fn note_contact(conn: &Connection, id: &HostId, contact: &Contact) -> StoreResult<()> {
    let Some(found) = by_id(conn, id)? else { return Err(StoreError::NotFound("host")) };
    let text = serde_json::to_string(contact).map_err(json("a host's contact"))?;
    conn.prepare_cached("UPDATE host SET contact = ?2 WHERE id = ?1")
        .and_then(|mut update| update.execute(params![id.as_str(), text]))
        .map_err(sql)?;
    if found.contact.state == contact.state { Ok(()) } else { log::host_changed(conn, id) }
}

/// Whether it was there.
pub(super) fn delete(conn: &Connection, id: &HostId, version: u64) -> StoreResult<bool> {
    let Some(found) = by_id(conn, id)? else {
        return Ok(false);
    };
    let occupied: bool = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM cluster WHERE host = ?1)")
        .and_then(|mut find| find.query_row([id.as_str()], |row| row.get(0)))
        .map_err(sql)?;
    if found.version != version || occupied {
        return Err(StoreError::Conflict("host"));
    }
    conn.prepare_cached("DELETE FROM host WHERE id = ?1")
        .and_then(|mut delete| delete.execute([id.as_str()]))
        .map_err(sql)?;
    log::host_changed(conn, id).map(|()| true)
}

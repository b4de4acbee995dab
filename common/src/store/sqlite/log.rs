//! What is added beside a write, in its transaction: events for people, and the change log for those who watch.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use crate::model::{ClusterId, Event, HostId};
use crate::store::{EventFilter, Page, StoreError, StoreResult};

/// Changes kept. A watcher that is further behind than this looks at everything instead.
pub(super) const CHANGES_KEPT: i64 = 20_000;

/// The log is cut once in so many changes, because cutting one row at a time costs as much as adding it.
const CUT_EVERY: i64 = 1_024;

/// The log's word for a cluster.
pub(super) const CLUSTER: &str = "cluster";
/// The log's word for a host.
pub(super) const HOST: &str = "host";

/// Notes that a cluster was made, changed or went.
pub(super) fn cluster_changed(conn: &Connection, id: &ClusterId) -> StoreResult<()> {
    note(conn, CLUSTER, id.as_str())
}

/// Notes that a host was made, changed or went.
pub(super) fn host_changed(conn: &Connection, id: &HostId) -> StoreResult<()> {
    note(conn, HOST, id.as_str())
}

/// The same, by the log's word and the id's text.
pub(super) fn note(conn: &Connection, kind: &str, id: &str) -> StoreResult<()> {
    let mut add = conn.prepare_cached("INSERT INTO change_log (kind, id) VALUES (?1, ?2)").map_err(sql)?;
    let seq = add.insert(params![kind, id]).map_err(sql)?;
    if seq % CUT_EVERY == 0 {
        let mut cut = conn.prepare_cached("DELETE FROM change_log WHERE seq <= ?1").map_err(sql)?;
        cut.execute([seq - CHANGES_KEPT]).map_err(sql)?;
    }
    Ok(())
}

/// Adds an event; one that is there already stays as it is. The oldest beyond `kept` go, a batch at a time.
pub(super) fn add_event(conn: &Connection, event: &Event, kept: u64) -> StoreResult<()> {
    let body = serde_json::to_string(event).map_err(json("an event"))?;
    let mut add = conn
        .prepare_cached(
            "INSERT INTO event (id, at, host, cluster, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING",
        )
        .map_err(sql)?;
    let added = add
        .execute(params![
            event.id.as_str(),
            event.at.as_millis(),
            event.host.as_ref().map(HostId::as_str),
            event.cluster.as_ref().map(|(id, _)| id.as_str()),
            body
        ])
        .map_err(sql)?;
    let seq = conn.last_insert_rowid();
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    if added > 0 && seq % (kept / 16).clamp(1, CUT_EVERY) == 0 {
        let mut cut = conn.prepare_cached("DELETE FROM event WHERE seq <= ?1").map_err(sql)?;
        cut.execute([seq.saturating_sub(kept)]).map_err(sql)?;
    }
    Ok(())
}

/// Events, newest first; of those of one millisecond the one added last is the newest.
pub(super) fn list_events(conn: &Connection, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
    let (at, seq) = match &page.after {
        None => (i64::MAX, i64::MAX),
        Some(id) => {
            let mut find = conn.prepare_cached("SELECT at, seq FROM event WHERE id = ?1").map_err(sql)?;
            let place = find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(sql)?;
            place.ok_or(StoreError::NotFound("event to go on after"))?
        }
    };
    let host = filter.host.as_ref().map(HostId::as_str);
    let cluster = filter.cluster.as_ref().map(ClusterId::as_str);
    let which = match (host, cluster) {
        (None, None) => "?1 IS NULL AND ?2 IS NULL",
        (Some(_), None) => "host = ?1 AND ?2 IS NULL",
        (None, Some(_)) => "cluster = ?2 AND ?1 IS NULL",
        (Some(_), Some(_)) => "cluster = ?2 AND host = ?1",
    };
    let text =
        format!("SELECT body FROM event WHERE {which} AND (at, seq) < (?3, ?4) ORDER BY at DESC, seq DESC LIMIT ?5");
    let mut list = conn.prepare_cached(&text).map_err(sql)?;
    let bodies = list
        .query_map(params![host, cluster, at, seq, page.limit], |row| row.get::<_, String>(0))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(sql)?;
    bodies.iter().map(|body| serde_json::from_str(body).map_err(json("an event"))).collect()
}

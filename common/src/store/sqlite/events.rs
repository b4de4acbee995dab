//! Events. Their numbers follow the order of the commits, because all writing is one transaction after the other: so
//! whoever has read up to a number has read everything before it.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::error::{json, sql};
use crate::model::{Event, HostId};
use crate::store::filter::place_of;
use crate::store::{EventCursor, EventFilter, Page, StoreError, StoreResult};

/// The oldest go once in so many events, because cutting one row at a time costs as much as adding it.
const CUT_EVERY: i64 = 1_024;

/// Events read at once by who follows.
const CHUNK: u32 = 512;

/// Adds an event; one that is there already stays as it is. The oldest beyond `kept` go, a batch at a time.
pub(super) fn add(conn: &Connection, event: &Event, kept: u64) -> StoreResult<()> {
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
pub(super) fn list(conn: &Connection, filter: &EventFilter, page: &Page) -> StoreResult<Vec<Event>> {
    let (at, seq): (i64, i64) = match &page.after {
        None => (i64::MAX, i64::MAX),
        Some(id) => {
            let mut find = conn.prepare_cached("SELECT at, seq FROM event WHERE id = ?1").map_err(sql)?;
            let place = find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(sql)?;
            place.ok_or(StoreError::NotFound("event to go on after"))?
        }
    };
    let mut text = "SELECT body FROM event WHERE (at, seq) < (?, ?)".to_owned();
    let mut values = vec![Value::Integer(at), Value::Integer(seq)];
    let mut also = |condition: &str, value: Value| {
        text.push_str(condition);
        values.push(value);
    };
    if let Some(host) = &filter.host {
        also(" AND host = ?", Value::Text(host.to_string()));
    }
    if let Some(cluster) = &filter.cluster {
        also(" AND cluster = ?", Value::Text(cluster.to_string()));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        also(" AND kind IN (SELECT value FROM json_each(?))", Value::Text(serde_json::Value::from(kinds).to_string()));
    }
    if let Some(actor) = &filter.actor {
        also(" AND actor = ?", Value::Text(serde_json::to_string(actor).map_err(json("an actor"))?));
    }
    if let Some(since) = filter.since {
        also(" AND at >= ?", Value::Integer(since.as_millis()));
    }
    if let Some(until) = filter.until {
        also(" AND at < ?", Value::Integer(until.as_millis()));
    }
    also(" ORDER BY at DESC, seq DESC LIMIT ?", Value::Integer(i64::from(page.limit)));
    let mut list = conn.prepare_cached(&text).map_err(sql)?;
    let bodies = list
        .query_map(params_from_iter(values), |row| row.get::<_, String>(0))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(sql)?;
    Ok(bodies.iter().filter_map(|body| parse(body)).collect())
}

/// Events after a place, in the order of their numbers, and the place after the last that was looked at.
pub(super) fn tail(
    conn: &Connection,
    after: Option<&EventCursor>,
    filter: &EventFilter,
    limit: u32,
) -> StoreResult<(Vec<Event>, EventCursor)> {
    let Some(after) = after else {
        let newest: i64 = conn
            .prepare_cached("SELECT ifnull(max(seq), 0) FROM event")
            .and_then(|mut find| find.query_row([], |row| row.get(0)))
            .map_err(sql)?;
        return Ok((Vec::new(), EventCursor(newest.to_string())));
    };
    let mut place = place_of(after)?;
    let mut found = Vec::new();
    let mut next =
        conn.prepare_cached("SELECT seq, body FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2").map_err(sql)?;
    loop {
        let rows = next
            .query_map(params![place, CHUNK], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(sql)?;
        // The newest is never cut, so a place beyond it is of another store.
        if rows.is_empty() && place > 0 {
            return Err(StoreError::NotFound("place among the events"));
        }
        let was_last = rows.len() < CHUNK as usize;
        for (seq, body) in rows {
            if seq <= place {
                continue;
            }
            place = seq;
            found.extend(parse(&body).filter(|event| filter.matches(event)));
            if found.len() >= limit as usize {
                return Ok((found, EventCursor(place.to_string())));
            }
        }
        if was_last {
            return Ok((found, EventCursor(place.to_string())));
        }
    }
}

/// What is wrong with one must not keep the others from anybody.
fn parse(body: &str) -> Option<Event> {
    serde_json::from_str(body).inspect_err(|error| tracing::error!(%error, "an event is passed over")).ok()
}

//! What is kept of clusters that failed.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use crate::model::{ClusterId, Evidence, HostId};
use crate::store::{Page, StoreError, StoreResult};

fn parsed(body: String) -> StoreResult<Evidence> {
    serde_json::from_str(&body).map_err(json("evidence"))
}

/// In the place of what there was of its cluster; the oldest beyond `kept` go.
pub(super) fn put(conn: &Connection, evidence: &Evidence, kept: u32) -> StoreResult<()> {
    let body = serde_json::to_string(evidence).map_err(json("evidence"))?;
    let (cluster, host) = (evidence.cluster.as_str(), evidence.host.as_str());
    conn.prepare_cached("INSERT OR REPLACE INTO evidence (cluster, host, failed_at, body) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut put| put.execute(params![cluster, host, evidence.failed_at.as_millis(), body]))
        .map_err(sql)?;
    // Some hundred entries of an index, and failures are few.
    conn.prepare_cached(
        "DELETE FROM evidence WHERE (failed_at, cluster) <=
             (SELECT failed_at, cluster FROM evidence ORDER BY failed_at DESC, cluster DESC LIMIT 1 OFFSET ?1)",
    )
    .and_then(|mut cut| cut.execute([kept]))
    .map(|_| ())
    .map_err(sql)
}

pub(super) fn of(conn: &Connection, cluster: &ClusterId) -> StoreResult<Option<Evidence>> {
    conn.prepare_cached("SELECT body FROM evidence WHERE cluster = ?1")
        .and_then(|mut find| find.query_row([cluster.as_str()], |row| row.get(0)).optional())
        .map_err(sql)?
        .map(parsed)
        .transpose()
}

/// Latest failure first.
pub(super) fn list(conn: &Connection, host: Option<&HostId>, page: &Page) -> StoreResult<Vec<Evidence>> {
    let (failed_at, cluster) = match &page.after {
        // No id is greater than this: they are hexadecimal.
        None => (i64::MAX, "~".to_owned()),
        Some(after) => {
            let place = conn
                .prepare_cached("SELECT failed_at FROM evidence WHERE cluster = ?1")
                .and_then(|mut find| find.query_row([after], |row| row.get(0)).optional())
                .map_err(sql)?;
            (place.ok_or(StoreError::NotFound("evidence to go on after"))?, after.clone())
        }
    };
    let which = if host.is_some() { "host = ?1" } else { "?1 IS NULL" };
    let text = format!(
        "SELECT body FROM evidence WHERE {which} AND (failed_at, cluster) < (?2, ?3)
         ORDER BY failed_at DESC, cluster DESC LIMIT ?4"
    );
    let bodies = conn
        .prepare_cached(&text)
        .and_then(|mut list| {
            list.query_map(params![host.map(HostId::as_str), failed_at, cluster, page.limit], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
        })
        .map_err(sql)?;
    bodies.into_iter().map(parsed).collect()
}

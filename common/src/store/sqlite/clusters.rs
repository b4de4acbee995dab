//! Clusters: lists, counts, moves, proofs and the end of a record.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql, violated};
use super::{events, hosts, log, row};
use crate::model::{Cluster, ClusterId, Event, FlavorId, HostId, LeaseRecord, PhaseKind, Timestamp};
use crate::store::{ClusterCounts, ClusterFilter, Page, Proof, StoreError, StoreResult, same};

pub(super) fn list(conn: &Connection, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<row::ClusterRow>> {
    let mut text = format!("SELECT {} FROM cluster WHERE id > ?", row::COLUMNS);
    let mut params = vec![Value::Text(page.after.clone().unwrap_or_default())];
    if let Some(host) = &filter.host {
        text.push_str(" AND host = ?");
        params.push(Value::Text(host.to_string()));
    }
    if let Some(user) = &filter.user {
        text.push_str(" AND user = ? AND phase = 'in_use'");
        params.push(Value::Text(user.to_string()));
    }
    let mut one_of = |column: &str, values: Vec<String>| {
        if !values.is_empty() {
            // As one JSON value, so that the statement's text does not grow with the list.
            text.push_str(&format!(" AND {column} IN (SELECT value FROM json_each(?))"));
            params.push(Value::Text(serde_json::Value::from(values).to_string()));
        }
    };
    one_of("phase", filter.phases.iter().map(|phase| phase.as_str().to_owned()).collect());
    one_of("flavor", filter.flavors.iter().map(FlavorId::to_string).collect());
    text.push_str(" ORDER BY id LIMIT ?");
    params.push(Value::Integer(i64::from(page.limit)));
    row::rows(conn, &text, params)
}

/// On one host or all.
pub(super) fn count(conn: &Connection, host: Option<&HostId>) -> StoreResult<ClusterCounts> {
    let which = if host.is_some() { "WHERE host = ?" } else { "" };
    let text = format!("SELECT host, flavor, phase, count(*) FROM cluster {which} GROUP BY host, flavor, phase");
    let mut statement = conn.prepare_cached(&text).map_err(sql)?;
    let rows = statement
        .query_map(rusqlite::params_from_iter(host.map(HostId::as_str)), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(sql)?;
    let bad = |what: &str| StoreError::Broken(format!("a cluster's {what} is {what:?}"));
    rows.into_iter()
        .map(|(host, flavor, phase, count)| {
            let host = HostId::parse(&host).map_err(|_| bad(&host))?;
            let flavor = FlavorId::parse(&flavor).map_err(|_| bad(&flavor))?;
            let phase = PhaseKind::ALL.into_iter().find(|kind| kind.as_str() == phase).ok_or_else(|| bad(&phase))?;
            Ok(((host, flavor, phase), count))
        })
        .collect()
}

/// Adds one where there is room: jobs run one after the other, so nobody adds another between the look and the writing.
pub(super) fn place(conn: &Connection, cluster: &Cluster, host_version: u64) -> StoreResult<bool> {
    if row::by_id(conn, &cluster.id)?.is_none() {
        let host = hosts::by_id(conn, &cluster.host)?.filter(|host| host.version == host_version);
        let host = host.ok_or(StoreError::Conflict("host"))?;
        let there: u64 = count(conn, Some(&cluster.host))?.values().sum();
        if there >= u64::from(host.settings.capacity) {
            return Err(StoreError::Full);
        }
    }
    insert(conn, cluster)
}

/// Adds one. The very same, made a moment ago, is fine: the caller asks again when it did not hear the answer.
pub(super) fn insert(conn: &Connection, cluster: &Cluster) -> StoreResult<bool> {
    if let Some(found) = row::by_id(conn, &cluster.id)? {
        return if same::cluster(&found.parse()?, cluster) {
            Ok(false)
        } else {
            Err(StoreError::Taken { field: "id" })
        };
    }
    let lease = cluster.lease();
    let mut add = conn
        .prepare_cached(
            "INSERT INTO cluster (id, host, slot, phase, version, flavor, user, nth, idem_key,
                                  offer_flavor, offer_r, offer_until, proven_at, life, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )
        .map_err(sql)?;
    let added = add.execute(params![
        cluster.id.as_str(),
        cluster.host.as_str(),
        cluster.slot.0,
        cluster.phase.kind().as_str(),
        cluster.version,
        cluster.flavor.as_str(),
        lease.map(|lease| lease.user.as_str()),
        lease.map(|lease| lease.nth),
        lease.and_then(|lease| lease.key.as_ref()).map(|key| key.as_str()),
        cluster.offer.as_ref().map(|offer| offer.flavor.as_str()),
        cluster.offer.as_ref().map(|offer| offer.r),
        cluster.offer.as_ref().map(|offer| offer.until.as_millis()),
        cluster.proven_at.map(|at| at.as_millis()),
        row::life(&cluster.phase)?,
        row::body(cluster)?,
    ]);
    match added {
        Ok(_) => log::cluster_changed(conn, &cluster.id).map(|()| true),
        Err(error) if violated(&error).is_some_and(|columns| columns.contains("cluster.slot")) => {
            Err(StoreError::Taken { field: "slot" })
        }
        Err(error) => Err(sql(error)),
    }
}

/// Puts `to` in the place of `from`. What proofs wrote since `from` was read is kept: the later proof wins, and
/// an offer that the move does not touch holds as long as the longer of the two says.
pub(super) fn change(conn: &Connection, from: &Cluster, to: &Cluster) -> StoreResult<bool> {
    let lease = to.lease();
    let mut change = conn
        .prepare_cached(
            "UPDATE cluster SET phase = ?4, version = ?5, user = ?6, nth = ?7, idem_key = ?8,
                 proven_at = nullif(max(ifnull(proven_at, -1), ifnull(?12, -1)), -1),
                 offer_until = CASE WHEN offer_r = ?10 THEN max(offer_until, ?11) ELSE ?11 END,
                 offer_flavor = ?9, offer_r = ?10, life = ?13, body = ?14
             WHERE id = ?1 AND version = ?2 AND phase = ?3",
        )
        .map_err(sql)?;
    let changed = change
        .execute(params![
            from.id.as_str(),
            from.version,
            from.phase.kind().as_str(),
            to.phase.kind().as_str(),
            to.version,
            lease.map(|lease| lease.user.as_str()),
            lease.map(|lease| lease.nth),
            lease.and_then(|lease| lease.key.as_ref()).map(|key| key.as_str()),
            to.offer.as_ref().map(|offer| offer.flavor.as_str()),
            to.offer.as_ref().map(|offer| offer.r),
            to.offer.as_ref().map(|offer| offer.until.as_millis()),
            to.proven_at.map(|at| at.as_millis()),
            row::life(&to.phase)?,
            row::body(to)?,
        ])
        .map_err(sql)?;
    if changed == 1 {
        return log::cluster_changed(conn, &from.id).map(|()| true);
    }
    match row::by_id(conn, &from.id)?.map(row::ClusterRow::parse).transpose()? {
        None => Err(StoreError::NotFound("cluster")),
        Some(found) if same::cluster(&found, to) => Ok(false),
        Some(_) => Err(StoreError::Conflict("cluster")),
    }
}

pub(super) fn prove(conn: &Connection, proofs: &[Proof]) -> StoreResult<()> {
    let mut prove = conn
        .prepare_cached(
            "UPDATE cluster SET proven_at = ?2, offer_until = CASE WHEN offer_flavor IS NULL THEN NULL ELSE ?3 END
             WHERE id = ?1 AND phase IN ('free', 'in_use') AND (proven_at IS NULL OR proven_at <= ?2)",
        )
        .map_err(sql)?;
    for proof in proofs {
        let params = params![proof.cluster.as_str(), proof.at.as_millis(), proof.offer_until.as_millis()];
        prove.execute(params).map_err(sql)?;
    }
    Ok(())
}

pub(super) fn extend_offers(
    conn: &Connection,
    host: &HostId,
    max_proof_age: Duration,
    until: Timestamp,
) -> StoreResult<()> {
    let age = i64::try_from(max_proof_age.as_millis()).unwrap_or(i64::MAX);
    conn.prepare_cached(
        "UPDATE cluster SET offer_until = min(proven_at + ?2, ?3)
         WHERE host = ?1 AND offer_until < min(proven_at + ?2, ?3)",
    )
    .and_then(|mut extend| extend.execute(params![host.as_str(), age, until.as_millis()]))
    .map(|_| ())
    .map_err(sql)
}

pub(super) fn vanish(conn: &Connection, cluster: &Cluster, event: &Event, events_kept: u64) -> StoreResult<()> {
    if !cluster.may_vanish() {
        return Err(StoreError::Broken(format!("cluster {} may not vanish in its phase", cluster.id)));
    }
    match version(conn, &cluster.id)? {
        None => return Ok(()),
        Some(version) if version == cluster.version => {}
        Some(_) => return Err(StoreError::Conflict("cluster")),
    }
    if let Some(record) = cluster.lease_record() {
        add_record(conn, &record)?;
    }
    conn.prepare_cached("DELETE FROM cluster WHERE id = ?1")
        .and_then(|mut delete| delete.execute([cluster.id.as_str()]))
        .map_err(sql)?;
    log::cluster_changed(conn, &cluster.id)?;
    events::add(conn, event, events_kept)
}

fn version(conn: &Connection, id: &ClusterId) -> StoreResult<Option<u64>> {
    conn.prepare_cached("SELECT version FROM cluster WHERE id = ?1")
        .and_then(|mut find| find.query_row([id.as_str()], |row| row.get(0)).optional())
        .map_err(sql)
}

/// Puts an ended lease into the history.
pub(super) fn add_record(conn: &Connection, record: &LeaseRecord) -> StoreResult<()> {
    let body = serde_json::to_string(record).map_err(json("a lease record"))?;
    conn.prepare_cached("INSERT OR REPLACE INTO lease_record (id, user, idem_key, body) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut add| {
            add.execute(params![
                record.lease.id.as_str(),
                record.lease.user.as_str(),
                record.lease.key.as_ref().map(|key| key.as_str()),
                body
            ])
        })
        .map(|_| ())
        .map_err(sql)
}

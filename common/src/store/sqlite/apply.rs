//! The claim. Applies come one after the other on the writer's thread, so each sees what those before it did.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use super::row::{self, ClusterRow};
use super::{leases, log};
use crate::model::{FlavorId, Lease, LeaseId, LeaseRecord, Phase, PhaseKind, UserId};
use crate::store::{Applied, Apply, Holding, KEY_KEPT, StoreError, StoreResult};

/// What came of it, not parsed yet: the writer's thread has better things to do.
pub(super) enum Outcome {
    New(ClusterRow),
    Held(ClusterRow),
    /// In the history.
    Ended(LeaseRecord),
    NoneFree,
    TooMany(u32),
}

impl Outcome {
    pub(super) fn parse(self) -> StoreResult<Applied> {
        Ok(match self {
            Outcome::New(row) => Applied::New(row.parse()?),
            Outcome::Held(row) => {
                let cluster = row.parse()?;
                match cluster.lease_record() {
                    None => Applied::Held(cluster),
                    // Given back, and still being removed.
                    Some(record) => Applied::Ended(record),
                }
            }
            Outcome::Ended(record) => Applied::Ended(record),
            Outcome::NoneFree => Applied::NoneFree,
            Outcome::TooMany(held) => Applied::TooMany(held),
        })
    }
}

/// A hold of the user's that still has its cluster.
struct Hold {
    cluster: String,
    flavor: String,
    phase: String,
    nth: u32,
    key: Option<String>,
}

/// Takes a cluster. `start` in [0, 1) is where the search begins.
pub(super) fn apply(conn: &Connection, apply: Apply, start: f64) -> StoreResult<Outcome> {
    let holds = holds(conn, &apply.user)?;
    if let Some(key) = &apply.key {
        if let Some(hold) = holds.iter().find(|hold| hold.key.as_deref() == Some(key.as_str())) {
            return Ok(Outcome::Held(by_text(conn, &hold.cluster)?));
        }
        if let Some(record) = leases::by_key(conn, &apply.user, key, apply.now - KEY_KEPT)? {
            return Ok(Outcome::Ended(record));
        }
    }
    if apply.holding == Holding::GiveSame {
        let same = holds.iter().find(|hold| {
            hold.phase == PhaseKind::InUse.as_str() && apply.flavors.iter().any(|flavor| flavor.as_str() == hold.flavor)
        });
        if let Some(hold) = same {
            return Ok(Outcome::Held(by_text(conn, &hold.cluster)?));
        }
    }
    let held = holds.iter().filter(|hold| hold.phase == PhaseKind::InUse.as_str()).count();
    let held = u32::try_from(held).unwrap_or(u32::MAX);
    if apply.most.is_some_and(|most| held >= most) {
        return Ok(Outcome::TooMany(held));
    }
    let Some(id) = candidate(conn, &apply, start)? else {
        return Ok(Outcome::NoneFree);
    };
    let lease = Lease {
        id: LeaseId::random(),
        user: apply.user,
        nth: holds.iter().map(|hold| hold.nth).max().unwrap_or(0) + 1,
        key: apply.key,
        applied_at: apply.now,
        metadata: apply.metadata,
    };
    take(conn, &id, lease).map(Outcome::New)
}

fn holds(conn: &Connection, user: &UserId) -> StoreResult<Vec<Hold>> {
    conn.prepare_cached("SELECT id, flavor, phase, nth, idem_key FROM cluster WHERE user = ?1 ORDER BY nth")
        .and_then(|mut find| {
            find.query_map([user.as_str()], |row| {
                Ok(Hold {
                    cluster: row.get(0)?,
                    flavor: row.get(1)?,
                    phase: row.get(2)?,
                    nth: row.get(3)?,
                    key: row.get(4)?,
                })
            })?
            .collect()
        })
        .map_err(sql)
}

fn by_text(conn: &Connection, id: &str) -> StoreResult<ClusterRow> {
    let text = format!("SELECT {} FROM cluster WHERE id = ?1", row::COLUMNS);
    conn.prepare_cached(&text).and_then(|mut find| find.query_row([id], ClusterRow::read)).map_err(sql)
}

/// The first on offer from `start` on, else from 0 on: over all flavors, so that what is offered more often is given
/// more often.
fn candidate(conn: &Connection, apply: &Apply, start: f64) -> StoreResult<Option<String>> {
    let mut find = conn
        .prepare_cached(
            "SELECT id, offer_r FROM cluster
             WHERE offer_flavor = ?1 AND offer_r >= ?2 AND offer_until > ?3 ORDER BY offer_r LIMIT 1",
        )
        .map_err(sql)?;
    for from in [start, 0.0] {
        let mut best: Option<(String, f64)> = None;
        for flavor in &apply.flavors {
            let found = find
                .query_row(params![FlavorId::as_str(flavor), from, apply.now.as_millis()], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
                })
                .optional()
                .map_err(sql)?;
            if let Some((id, r)) = found
                && best.as_ref().is_none_or(|(_, least)| r < *least)
            {
                best = Some((id, r));
            }
        }
        if let Some((id, _)) = best {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Free to InUse, as `Cluster::claim` has it. The body is not touched.
fn take(conn: &Connection, id: &str, lease: Lease) -> StoreResult<ClusterRow> {
    let (user, nth) = (lease.user.as_str().to_owned(), lease.nth);
    let key = lease.key.as_ref().map(|key| key.as_str().to_owned());
    let life = serde_json::to_string(&Phase::InUse { lease }).map_err(json("a cluster's life"))?;
    let text = format!(
        "UPDATE cluster SET phase = 'in_use', version = version + 1, user = ?2, nth = ?3, idem_key = ?4, life = ?5,
             offer_flavor = NULL, offer_r = NULL, offer_until = NULL
         WHERE id = ?1 AND phase = 'free' RETURNING {}",
        row::COLUMNS
    );
    let mut update = conn.prepare_cached(&text).map_err(sql)?;
    let taken = update
        .query_row(params![id, user, nth, key, life], ClusterRow::read)
        .optional()
        .map_err(sql)?
        .ok_or_else(|| StoreError::Broken(format!("cluster {id} has an offer and is not free")))?;
    log::note(conn, log::CLUSTER, id)?;
    Ok(taken)
}

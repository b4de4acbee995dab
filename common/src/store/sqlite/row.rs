//! A cluster as a row: what is searched and what is changed often in columns, the phase as JSON, the rest as JSON.
//!
//! The columns are the truth; nothing of them is in the JSON a second time, except that `life` (the phase) carries
//! the lease that `user`, `nth` and `idem_key` are taken from.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use super::error::{json, sql};
use crate::model::{
    Cluster, ClusterId, ClusterName, Endpoint, FlavorId, Health, HostId, HostName, Node, NodeName, NodeWish, Offer,
    Phase, Slot, Timestamp,
};
use crate::store::{StoreError, StoreResult};

/// The columns that [`ClusterRow::read`] takes, in its order.
pub(super) const COLUMNS: &str =
    "id, host, slot, version, flavor, offer_flavor, offer_r, offer_until, proven_at, life, body";

/// A row as it was read; parsed apart from the reading, so that the writer's thread need not do it.
pub(super) struct ClusterRow {
    id: String,
    host: String,
    slot: u16,
    version: u64,
    flavor: String,
    offer: Option<(String, f64, i64)>,
    proven_at: Option<i64>,
    /// The phase, as JSON.
    pub(super) life: String,
    body: String,
}

/// What no query asks for.
#[derive(Serialize, Deserialize)]
struct Body {
    name: ClusterName,
    host_name: HostName,
    flavor_digest: String,
    size: u32,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    wishes: BTreeMap<NodeName, NodeWish>,
    nodes: BTreeMap<NodeName, Node>,
    endpoints: BTreeMap<String, Endpoint>,
    health: Health,
}

impl ClusterRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<ClusterRow> {
        let flavor: Option<String> = row.get(5)?;
        let offer = match flavor {
            Some(flavor) => Some((flavor, row.get(6)?, row.get(7)?)),
            None => None,
        };
        Ok(ClusterRow {
            id: row.get(0)?,
            host: row.get(1)?,
            slot: row.get(2)?,
            version: row.get(3)?,
            flavor: row.get(4)?,
            offer,
            proven_at: row.get(8)?,
            life: row.get(9)?,
            body: row.get(10)?,
        })
    }

    /// The cluster it stands for.
    pub(super) fn parse(self) -> StoreResult<Cluster> {
        let bad = |what: &str| StoreError::Broken(format!("cluster {}: {what}", self.id));
        let body: Body = serde_json::from_str(&self.body).map_err(json("a cluster's body"))?;
        let phase: Phase = serde_json::from_str(&self.life).map_err(json("a cluster's life"))?;
        let flavor = |text: &str| FlavorId::parse(text).map_err(|_| bad("its flavor"));
        let offer = match &self.offer {
            Some((text, r, until)) => {
                Some(Offer { flavor: flavor(text)?, r: *r, until: Timestamp::from_millis(*until) })
            }
            None => None,
        };
        Ok(Cluster {
            id: ClusterId::parse(&self.id).map_err(|_| bad("its id"))?,
            version: self.version,
            name: body.name,
            host: HostId::parse(&self.host).map_err(|_| bad("its host"))?,
            host_name: body.host_name,
            slot: Slot(self.slot),
            flavor: flavor(&self.flavor)?,
            flavor_digest: body.flavor_digest,
            size: body.size,
            created_at: body.created_at,
            asked_by: body.asked_by,
            phase,
            wishes: body.wishes,
            nodes: body.nodes,
            endpoints: body.endpoints,
            health: body.health,
            proven_at: self.proven_at.map(Timestamp::from_millis),
            offer,
        })
    }
}

/// The phase as JSON.
pub(super) fn life(phase: &Phase) -> StoreResult<String> {
    serde_json::to_string(phase).map_err(json("a cluster's life"))
}

/// What no query asks for, as JSON.
pub(super) fn body(cluster: &Cluster) -> StoreResult<String> {
    let body = Body {
        name: cluster.name.clone(),
        host_name: cluster.host_name.clone(),
        flavor_digest: cluster.flavor_digest.clone(),
        size: cluster.size,
        created_at: cluster.created_at,
        asked_by: cluster.asked_by.clone(),
        wishes: cluster.wishes.clone(),
        nodes: cluster.nodes.clone(),
        endpoints: cluster.endpoints.clone(),
        health: cluster.health.clone(),
    };
    serde_json::to_string(&body).map_err(json("a cluster's body"))
}

/// One cluster's row.
pub(super) fn by_id(conn: &Connection, id: &ClusterId) -> StoreResult<Option<ClusterRow>> {
    let text = format!("SELECT {COLUMNS} FROM cluster WHERE id = ?1");
    rows(conn, &text, vec![Value::Text(id.to_string())]).map(|mut found| found.pop())
}

/// All rows of a query that selects [`COLUMNS`].
pub(super) fn rows(conn: &Connection, text: &str, params: Vec<Value>) -> StoreResult<Vec<ClusterRow>> {
    let mut statement = conn.prepare_cached(text).map_err(sql)?;
    let found = statement.query_map(rusqlite::params_from_iter(params), ClusterRow::read).map_err(sql)?;
    found.collect::<rusqlite::Result<Vec<_>>>().map_err(sql)
}

//! The change log for those who watch, added to in the transaction of each change.

use rusqlite::{Connection, params};

use super::error::sql;
use crate::model::{ClusterId, HostId};
use crate::store::StoreResult;

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

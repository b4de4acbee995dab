//! Counts of applies, a row for each minute and flavor.

use rusqlite::{Connection, params};

use super::error::sql;
use crate::model::{ApplyCount, FlavorId, Timestamp};
use crate::store::{APPLIES_KEPT, StoreError, StoreResult};

/// Adds them to what there is; those that are too old, as seen from the newest of these, go.
pub(super) fn count(conn: &Connection, counts: &[ApplyCount]) -> StoreResult<()> {
    let Some(newest) = counts.iter().map(|count| count.minute).max() else {
        return Ok(());
    };
    let mut add = conn
        .prepare_cached(
            "INSERT INTO apply_count (minute, flavor, given, missed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (minute, flavor) DO UPDATE SET given = given + excluded.given, missed = missed + excluded.missed",
        )
        .map_err(sql)?;
    for count in counts {
        add.execute(params![count.minute.as_millis(), count.flavor.as_str(), count.given, count.missed])
            .map_err(sql)?;
    }
    conn.prepare_cached("DELETE FROM apply_count WHERE minute < ?1")
        .and_then(|mut cut| cut.execute([(newest - APPLIES_KEPT).as_millis()]))
        .map(|_| ())
        .map_err(sql)
}

/// Of the minutes that began then or later, oldest first.
pub(super) fn since(conn: &Connection, since: Timestamp) -> StoreResult<Vec<ApplyCount>> {
    let rows = conn
        .prepare_cached(
            "SELECT minute, flavor, given, missed FROM apply_count WHERE minute >= ?1 ORDER BY minute, flavor",
        )
        .and_then(|mut list| {
            list.query_map([since.as_millis()], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
        })
        .map_err(sql)?;
    rows.into_iter()
        .map(|(minute, flavor, given, missed)| {
            let bad = |_| StoreError::Broken(format!("applies were counted for {flavor:?}"));
            let flavor = FlavorId::parse(&flavor).map_err(bad)?;
            Ok(ApplyCount { minute: Timestamp::from_millis(minute), flavor, given, missed })
        })
        .collect()
}

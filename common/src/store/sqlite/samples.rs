//! Numbers over time, a row for each subject and hour.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql};
use crate::model::{SAMPLES_TOGETHER, Sample, Subject, Timestamp, beginning};
use crate::store::StoreResult;
use crate::store::together::{Numbers, Place, group, take_apart};

/// As it stands in the row: by name the numbers of the minutes from the first one on, `null` where there is none.
type Body = BTreeMap<String, Vec<Option<u64>>>;

/// Adds them to what there is; what is too old as seen from the newest of these goes. An hour has room for so many subjects.
pub(super) fn put(conn: &Connection, samples: &[Sample], room: u32) -> StoreResult<()> {
    let Some(newest) = samples.iter().map(|sample| sample.minute).max() else {
        return Ok(());
    };
    let mut left: BTreeMap<Timestamp, u32> = BTreeMap::new();
    for (place, numbers) in group(samples) {
        let found = body(conn, &place)?;
        if found.is_none() {
            let left = match left.get_mut(&place.hour) {
                Some(left) => left,
                None => left.entry(place.hour).or_insert(room.saturating_sub(subjects(conn, place.hour)?)),
            };
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => continue,
            }
        }
        let body = serde_json::to_string(&with(found.unwrap_or_default(), &numbers)).map_err(json("samples"))?;
        let (subject, hour, ends) = (place.subject.key(), place.hour.as_millis(), place.ends().as_millis());
        conn.prepare_cached(
            "INSERT INTO sample (subject, hour, ends, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (subject, hour) DO UPDATE SET body = excluded.body",
        )
        .and_then(|mut put| put.execute(params![subject, hour, ends, body]))
        .map_err(sql)?;
    }
    conn.prepare_cached("DELETE FROM sample WHERE ends <= ?1")
        .and_then(|mut cut| cut.execute([newest.as_millis()]))
        .map(|_| ())
        .map_err(sql)
}

fn body(conn: &Connection, place: &Place) -> StoreResult<Option<Body>> {
    let found: Option<String> = conn
        .prepare_cached("SELECT body FROM sample WHERE subject = ?1 AND hour = ?2")
        .and_then(|mut find| {
            find.query_row(params![place.subject.key(), place.hour.as_millis()], |row| row.get(0)).optional()
        })
        .map_err(sql)?;
    found.map(|body| serde_json::from_str(&body).map_err(json("samples"))).transpose()
}

fn subjects(conn: &Connection, hour: Timestamp) -> StoreResult<u32> {
    conn.prepare_cached("SELECT count(*) FROM sample WHERE hour = ?1")
        .and_then(|mut count| count.query_row([hour.as_millis()], |row| row.get(0)))
        .map_err(sql)
}

fn with(mut body: Body, numbers: &Numbers) -> Body {
    for (name, values) in numbers {
        let list = body.entry(name.clone()).or_default();
        for (minute, value) in values {
            let minute = usize::from(*minute);
            if list.len() <= minute {
                list.resize(minute + 1, None);
            }
            list[minute] = Some(*value);
        }
    }
    body
}

/// Of the minutes that began then or later, oldest first.
pub(super) fn since(conn: &Connection, subject: &Subject, since: Timestamp) -> StoreResult<Vec<Sample>> {
    let from = beginning(since, SAMPLES_TOGETHER).as_millis();
    let rows = conn
        .prepare_cached("SELECT hour, body FROM sample WHERE subject = ?1 AND hour >= ?2 ORDER BY hour")
        .and_then(|mut list| {
            list.query_map(params![subject.key(), from], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<(i64, String)>>>()
        })
        .map_err(sql)?;
    let mut samples = Vec::new();
    for (hour, body) in rows {
        let body: Body = serde_json::from_str(&body).map_err(json("samples"))?;
        let by_minute =
            |list: Vec<Option<u64>>| (0..60).zip(list).filter_map(|(at, value)| Some((at, value?))).collect();
        let numbers: Numbers = body.into_iter().map(|(name, list)| (name, by_minute(list))).collect();
        samples.extend(take_apart(subject, Timestamp::from_millis(hour), numbers, since));
    }
    Ok(samples)
}

//! The keys that clusters and lease records are listed by. SQLite computes the same texts in its columns.
//!
//! Each ends with the record's id, 24 digits, so it is unique and tells whose it is. Times are 16 hexadecimal digits.

use serde::Serialize;

use crate::model::{Cluster, LeaseRecord, Phase, Timestamp};

/// Between a user's id, which may have any visible character and spaces, and what follows it.
pub(super) const AFTER_USER: char = '\u{1}';

/// Digits of an id.
const ID_DIGITS: usize = 24;

/// The id that a key ends with.
pub(super) fn id_of(key: &str) -> &str {
    key.get(key.len().saturating_sub(ID_DIGITS)..).unwrap_or(key)
}

pub(super) fn time(at: Timestamp) -> String {
    number(u64::try_from(at.as_millis()).unwrap_or_default())
}

pub(super) fn number(n: u64) -> String {
    format!("{n:016x}")
}

pub(super) fn name_key(host_name: &str, slot: u16, id: &str) -> String {
    format!("{} {slot:05} {id}", host_name.to_ascii_lowercase())
}

/// What a cluster is listed by.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterKeys {
    name: String,
    created: String,
    flavor: String,
    /// Beside the phase in its index.
    pub(crate) changed: String,
}

impl ClusterKeys {
    /// Those of a cluster.
    pub(crate) fn of(cluster: &Cluster) -> ClusterKeys {
        let (id, created) = (&cluster.id, time(cluster.created_at));
        ClusterKeys {
            name: name_key(cluster.host_name.as_str(), cluster.slot.0, id.as_str()),
            flavor: format!("{} {created}{id}", cluster.flavor),
            created: format!("{created}{id}"),
            changed: changed(&cluster.phase, id.as_str()),
        }
    }
}

/// By when a cluster became what it is.
pub(crate) fn changed(phase: &Phase, id: &str) -> String {
    let since = match phase {
        Phase::InUse { lease } => lease.applied_at,
        Phase::Creating { since, .. }
        | Phase::Free { since }
        | Phase::Releasing { since, .. }
        | Phase::Removing { since, .. }
        | Phase::Failed { since, .. }
        | Phase::Lost { since, .. } => *since,
    };
    format!("{}{id}", time(since))
}

/// What a lease record is listed by.
#[derive(Debug, Serialize)]
pub(crate) struct RecordKeys {
    ended: String,
    applied: String,
    held: String,
    name: String,
    user: String,
    host: String,
    flavor: String,
}

impl RecordKeys {
    /// Those of a record.
    pub(crate) fn of(record: &LeaseRecord) -> RecordKeys {
        let (id, at) = (&record.lease.id, record.ended.at());
        let ended = format!("{}{id}", time(at));
        let held = u64::try_from(at.since(record.lease.applied_at).as_millis()).unwrap_or(u64::MAX);
        RecordKeys {
            applied: format!("{}{id}", time(record.lease.applied_at)),
            held: format!("{}{id}", number(held)),
            name: format!("{} {id}", record.cluster_name.as_str().to_ascii_lowercase()),
            user: format!("{}{AFTER_USER}{ended}", record.lease.user),
            host: format!("{} {ended}", record.host),
            flavor: format!("{} {ended}", record.flavor),
            ended,
        }
    }
}

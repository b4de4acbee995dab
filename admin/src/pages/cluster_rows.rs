//! A cluster, and the record of an ended lease, as lists show them.

use common::compose::Catalog;
use common::model::{Cluster, Ended, Health, LeaseRecord, Phase, Timestamp, Want};
use serde::Serialize;

use super::words::{self, Badge, When, when};
use crate::api::life;
use crate::operations::restarts;

/// A cluster in a list.
#[derive(Serialize)]
pub struct ClusterRow {
    id: String,
    name: String,
    flavor: String,
    size: u32,
    host_id: String,
    host: String,
    phase: Badge,
    since: When,
    created: When,
    why: Option<String>,
    /// Whether it is well, and whether it is stopped.
    condition: Vec<Badge>,
    health_seen: Option<String>,
    user: Option<String>,
    applied: Option<When>,
    /// For a restart that happens once, however often its button is pressed.
    restarts: u64,
    may_start: bool,
    may_stop: bool,
    may_release: bool,
    may_delete: bool,
}

impl ClusterRow {
    /// Whether its nodes can be started, stopped and restarted, each by itself.
    pub fn may_wish(&self) -> bool {
        self.may_start || self.may_stop
    }

    /// How a cluster is listed.
    pub fn of(cluster: &Cluster, catalog: &Catalog, now: Timestamp) -> ClusterRow {
        let (since, _, why) = life(cluster);
        let wishable = matches!(cluster.phase, Phase::Free { .. } | Phase::InUse { .. });
        let wanted = |want: Want| cluster.wishes.values().any(|wish| wish.want == want);
        ClusterRow {
            id: cluster.id.to_string(),
            name: cluster.name.to_string(),
            flavor: words::flavor(catalog, cluster),
            size: cluster.size,
            host_id: cluster.host.to_string(),
            host: cluster.host_name.to_string(),
            phase: words::phase(cluster.phase.kind()),
            since: when(since, now),
            created: when(cluster.created_at, now),
            why,
            condition: words::condition(cluster),
            health_seen: match &cluster.health {
                Health::Failing { seen, .. } => Some(seen.clone()),
                Health::Ok | Health::Unknown => None,
            },
            user: cluster.lease().map(|lease| lease.user.to_string()),
            applied: cluster.lease().map(|lease| when(lease.applied_at, now)),
            restarts: restarts(cluster),
            may_start: wishable && wanted(Want::Stopped),
            may_stop: wishable && wanted(Want::Running),
            may_release: matches!(cluster.phase, Phase::InUse { .. }),
            may_delete: matches!(cluster.phase, Phase::Free { .. } | Phase::Creating { .. } | Phase::Failed { .. }),
        }
    }
}

/// The record of an ended lease in a list.
#[derive(Serialize)]
pub struct RecordRow {
    lease: String,
    name: String,
    flavor: String,
    size: u32,
    host_id: String,
    host: String,
    user: String,
    applied: When,
    ended: When,
    how: String,
    duration: String,
}

impl RecordRow {
    /// How a record is listed.
    pub fn of(record: &LeaseRecord, catalog: &Catalog, now: Timestamp) -> RecordRow {
        let title = catalog.flavor(&record.flavor).map(|flavor| flavor.title.clone());
        RecordRow {
            lease: record.lease.id.to_string(),
            name: record.cluster_name.to_string(),
            flavor: title.unwrap_or_else(|| record.flavor.to_string()),
            size: record.size,
            host_id: record.host.to_string(),
            host: record.host_name.to_string(),
            user: record.lease.user.to_string(),
            applied: when(record.lease.applied_at, now),
            ended: when(record.ended.at(), now),
            how: match &record.ended {
                Ended::Released { by, .. } => format!("released by {by}"),
                Ended::Lost { reason, .. } => format!("lost: {reason}"),
            },
            duration: words::duration(record.ended.at().since(record.lease.applied_at)),
        }
    }
}

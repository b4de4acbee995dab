//! A cluster as the old services wrote it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use common::compose::Catalog;
use common::model::{Cluster, Endpoint, Health, Phase, Timestamp, Want};
use serde::Serialize;

/// The endpoint behind `api_url`: vp0's REST port, by the name that the templates give it.
const REST: &str = "rest";

/// A cluster as v2 has it.
#[derive(Serialize)]
pub struct OldCluster<'a> {
    id: &'a str,
    name: &'a str,
    user_id: Cow<'a, str>,
    host_id: &'a str,
    consensus_plugin: &'a str,
    consensus_mode: &'a str,
    daemon_url: &'a str,
    create_ts: String,
    apply_ts: String,
    release_ts: String,
    duration: String,
    containers: BTreeMap<&'a str, &'a str>,
    size: u32,
    status: &'static str,
    health: &'static str,
    /// What was seen of one that is not well; the old services had no place for it, so it is there only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_reason: Option<&'a str>,
    mapped_ports: BTreeMap<&'a str, u16>,
    service_url: BTreeMap<&'a str, String>,
    api_url: String,
}

/// A cluster as v1 has it.
#[derive(Serialize)]
pub struct BareCluster<'a> {
    id: &'a str,
    name: &'a str,
    user_id: Cow<'a, str>,
    daemon_url: &'a str,
    api_url: String,
    consensus_type: &'a str,
}

impl<'a> OldCluster<'a> {
    /// Of a cluster, with its host's daemon URL ("" when the host is gone).
    pub fn of(cluster: &'a Cluster, catalog: &'a Catalog, daemon_url: &'a str) -> Self {
        let (plugin, mode) = consensus(cluster, catalog);
        let applied = cluster.lease().map(|lease| lease.applied_at);
        let ended = match &cluster.phase {
            Phase::Releasing { since, .. } | Phase::Lost { since, .. } => Some(*since),
            Phase::Creating { .. }
            | Phase::Free { .. }
            | Phase::InUse { .. }
            | Phase::Removing { .. }
            | Phase::Failed { .. } => None,
        };
        Self {
            id: cluster.id.as_str(),
            name: cluster.name.as_str(),
            user_id: shown_user(cluster),
            host_id: cluster.host.as_str(),
            consensus_plugin: plugin,
            consensus_mode: mode,
            daemon_url,
            create_ts: http_date(cluster.created_at),
            apply_ts: applied.map(http_date).unwrap_or_default(),
            release_ts: ended.map(http_date).unwrap_or_default(),
            duration: applied.zip(ended).map(|(from, to)| clock_time(to.since(from))).unwrap_or_default(),
            containers: cluster
                .nodes
                .iter()
                .map(|(name, node)| (name.as_str(), node.container.as_deref().unwrap_or("")))
                .collect(),
            size: cluster.size,
            status: status(cluster),
            health: health(cluster),
            health_reason: health_reason(cluster),
            mapped_ports: cluster.endpoints.iter().map(|(name, at)| (name.as_str(), at.port)).collect(),
            service_url: cluster.endpoints.iter().map(|(name, at)| (name.as_str(), at.authority())).collect(),
            api_url: api_url(cluster),
        }
    }

    /// `running` or `stopped`.
    pub fn status(&self) -> &'static str {
        self.status
    }

    /// `OK`, `FAIL` or "".
    pub fn health(&self) -> &'static str {
        self.health
    }
}

impl<'a> BareCluster<'a> {
    /// Of a cluster, with its host's daemon URL ("" when the host is gone).
    pub fn of(cluster: &'a Cluster, catalog: &'a Catalog, daemon_url: &'a str) -> Self {
        let (plugin, mode) = consensus(cluster, catalog);
        Self {
            id: cluster.id.as_str(),
            name: cluster.name.as_str(),
            user_id: shown_user(cluster),
            daemon_url,
            api_url: api_url(cluster),
            consensus_type: if mode == "sieve" { mode } else { plugin },
        }
    }
}

/// Who an old client is told to hold it: "" for a free one, and the words of old while it is made or removed.
pub fn shown_user(cluster: &Cluster) -> Cow<'_, str> {
    match &cluster.phase {
        Phase::InUse { lease } => Cow::Borrowed(lease.user.as_str()),
        Phase::Free { .. } => Cow::Borrowed(""),
        Phase::Creating { .. } => Cow::Borrowed("__SYSTEM__CREATING"),
        Phase::Removing { .. } | Phase::Failed { .. } => Cow::Borrowed("__SYSTEM__DELETING"),
        Phase::Releasing { lease, .. } | Phase::Lost { lease, .. } => {
            Cow::Owned(format!("__SYSTEM__DELETING{}", lease.user))
        }
    }
}

/// Plugin and mode; both "" when the flavor is not offered any more.
fn consensus<'a>(cluster: &Cluster, catalog: &'a Catalog) -> (&'a str, &'a str) {
    catalog.flavor(&cluster.flavor).map_or(("", ""), |flavor| (flavor.consensus_plugin(), flavor.consensus_mode()))
}

/// `stopped` once every node was stopped on purpose. What stopped by itself shows in the health.
fn status(cluster: &Cluster) -> &'static str {
    let all_stopped = !cluster.wishes.is_empty()
        && cluster.wishes.values().all(|wish| wish.want == Want::Stopped)
        && cluster.wishes_done();
    if all_stopped { "stopped" } else { "running" }
}

fn health(cluster: &Cluster) -> &'static str {
    match cluster.health {
        Health::Ok => "OK",
        Health::Failing { .. } => "FAIL",
        Health::Unknown => "",
    }
}

fn health_reason(cluster: &Cluster) -> Option<&str> {
    match &cluster.health {
        Health::Failing { seen, .. } => Some(seen),
        Health::Ok | Health::Unknown => None,
    }
}

fn api_url(cluster: &Cluster) -> String {
    let url = |at: &Endpoint| format!("{}://{}", at.scheme, at.authority());
    cluster.endpoints.get(REST).map(url).unwrap_or_default()
}

fn http_date(at: Timestamp) -> String {
    httpdate::fmt_http_date(at.to_system_time())
}

/// `2:03:04`, or `1 day, 2:03:04`: how the old services wrote a length of time.
fn clock_time(length: Duration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes, seconds) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match days {
        0 => format!("{hours}:{minutes:02}:{seconds:02}"),
        1 => format!("1 day, {hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days} days, {hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_written_as_of_old() {
        for (seconds, text) in
            [(0, "0:00:00"), (3_723, "1:02:03"), (90_061, "1 day, 1:01:01"), (172_800, "2 days, 0:00:00")]
        {
            assert_eq!(clock_time(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn times_are_http_dates() {
        assert_eq!(http_date(Timestamp::from_millis(1_464_603_010_000)), "Mon, 30 May 2016 10:10:10 GMT");
    }
}

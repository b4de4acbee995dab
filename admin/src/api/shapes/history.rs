//! What stays of leases, what happened, and what clusters can be, in JSON.

use std::collections::BTreeMap;

use common::model::{Actor, Ended, Event, EventKind, Flavor, LeaseRecord};
use schemars::JsonSchema;
use serde::Serialize;

use super::cluster::{LeaseShape, lease};

/// The record of an ended lease.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Record")]
pub struct RecordShape {
    #[serde(flatten)]
    lease: LeaseShape,
    cluster_id: String,
    cluster_name: String,
    host_id: String,
    host_name: String,
    flavor: String,
    size: u32,
    ended_at: String,
    #[schemars(extend("enum" = ["released", "lost"]))]
    ended: &'static str,
    by: Option<String>,
    reason: Option<String>,
    /// Seconds.
    duration_s: u64,
}

/// The record of an ended lease.
pub fn record(record: &LeaseRecord) -> RecordShape {
    let (ended, by, reason) = match &record.ended {
        Ended::Released { by, .. } => ("released", Some(by.clone()), None),
        Ended::Lost { reason, .. } => ("lost", None, Some(reason.clone())),
    };
    RecordShape {
        lease: lease(&record.lease),
        cluster_id: record.cluster.to_string(),
        cluster_name: record.cluster_name.to_string(),
        host_id: record.host.to_string(),
        host_name: record.host_name.to_string(),
        flavor: record.flavor.to_string(),
        size: record.size,
        ended_at: record.ended.at().to_string(),
        ended,
        by,
        reason,
        duration_s: record.ended.at().since(record.lease.applied_at).as_secs(),
    }
}

/// An event.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventShape {
    id: String,
    at: String,
    #[schemars(with = "String", extend("enum" = kinds()))]
    kind: EventKind,
    #[schemars(extend("enum" = ["user", "operator", "reconciler"]))]
    actor: &'static str,
    actor_name: Option<String>,
    reason: String,
    host_id: Option<String>,
    cluster_id: Option<String>,
    cluster_name: Option<String>,
    lease_id: Option<String>,
    user: Option<String>,
}

/// The words for kinds of events.
pub(crate) fn kinds() -> Vec<&'static str> {
    EventKind::ALL.into_iter().map(EventKind::as_str).collect()
}

/// An event.
pub fn event(event: &Event) -> EventShape {
    let (actor, actor_name) = match &event.actor {
        Actor::User { id } => ("user", Some(id.to_string())),
        Actor::Operator { name } => ("operator", Some(name.clone())),
        Actor::Reconciler => ("reconciler", None),
    };
    EventShape {
        id: event.id.to_string(),
        at: event.at.to_string(),
        kind: event.kind,
        actor,
        actor_name,
        reason: event.reason.clone(),
        host_id: event.host.as_ref().map(ToString::to_string),
        cluster_id: event.cluster.as_ref().map(|(id, _)| id.to_string()),
        cluster_name: event.cluster.as_ref().map(|(_, name)| name.clone()),
        lease_id: event.lease.as_ref().map(ToString::to_string),
        user: event.user.as_ref().map(ToString::to_string),
    }
}

/// A flavor.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Flavor")]
pub struct FlavorShape {
    id: String,
    template: String,
    title: String,
    size: u32,
    /// Every parameter's value, in the template's words.
    parameters: BTreeMap<String, String>,
}

/// A flavor.
pub fn flavor(flavor: &Flavor) -> FlavorShape {
    FlavorShape {
        id: flavor.id.to_string(),
        template: flavor.template.to_string(),
        title: flavor.title.clone(),
        size: flavor.size,
        parameters: flavor.params.clone(),
    }
}

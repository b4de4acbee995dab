//! What lists can be asked for. Fields that are `None` or empty do not restrict.

use super::{StoreError, StoreResult};
use crate::model::{Actor, ClusterId, Event, EventKind, FlavorId, HostId, PhaseKind, Timestamp, UserId};

/// Which clusters.
#[derive(Clone, Debug, Default)]
pub struct ClusterFilter {
    /// On this host.
    pub host: Option<HostId>,
    /// In one of these phases.
    pub phases: Vec<PhaseKind>,
    /// Held (InUse) by this user.
    pub user: Option<UserId>,
    /// Of one of these flavors.
    pub flavors: Vec<FlavorId>,
}

/// A part of a list that is ordered by id.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only what comes after this id.
    pub after: Option<String>,
    /// At most so many; at least 1.
    pub limit: u32,
}

impl Page {
    /// The first `limit`.
    pub fn first(limit: u32) -> Page {
        Page { after: None, limit }
    }
}

/// Which lease records.
#[derive(Clone, Debug, Default)]
pub struct LeaseFilter {
    /// Of this user.
    pub user: Option<UserId>,
}

/// Which tokens.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Of this user.
    pub user: Option<UserId>,
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// About this host.
    pub host: Option<HostId>,
    /// About this cluster.
    pub cluster: Option<ClusterId>,
    /// Of one of these kinds. [`EventKind::Applied`] is stored nowhere, so it finds nothing.
    pub kinds: Vec<EventKind>,
    /// Asked by exactly this one.
    pub actor: Option<Actor>,
    /// Of this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// Whether an event is among them.
    pub fn matches(&self, event: &Event) -> bool {
        self.host.as_ref().is_none_or(|host| event.host.as_ref() == Some(host))
            && self.cluster.as_ref().is_none_or(|id| event.cluster.as_ref().is_some_and(|(about, _)| about == id))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// A place between two events; opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor(pub String);

/// The number that a place among the events is on both stores.
pub(super) fn place_of(cursor: &EventCursor) -> StoreResult<i64> {
    let place = cursor.0.parse().ok().filter(|place| *place >= 0);
    place.ok_or(StoreError::NotFound("place among the events"))
}

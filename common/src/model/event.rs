//! What happened, for people: every move of a cluster and every wish of an operator, with its reason.

use serde::{Deserialize, Serialize};

use super::{ClusterId, EventId, HostId, LeaseId, Timestamp, UserId};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: EventKind,
    /// Who or what asked.
    pub actor: Actor,
    /// The reason, a sentence for people. Never holds a secret.
    pub reason: String,
    /// The host it is about.
    pub host: Option<HostId>,
    /// The cluster it is about, with its name, which outlives it.
    pub cluster: Option<(ClusterId, String)>,
    /// The lease it is about.
    pub lease: Option<LeaseId>,
    /// The user it is about.
    pub user: Option<UserId>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A cluster's making began.
    Creating,
    /// A cluster became free.
    Ready,
    /// A cluster was given to a user. Derived from the lease when a cluster's events are listed; not stored on its own.
    Applied,
    /// A cluster was given back.
    Released,
    /// The record of an ended lease was deleted.
    RecordDeleted,
    /// A cluster could not be made, or broke while free.
    Failed,
    /// A user's cluster was given up because its host was removed by force.
    Lost,
    /// A cluster's removal began.
    Removing,
    /// A cluster is gone.
    Removed,
    /// Somebody wants nodes started, stopped or restarted.
    Wished,
    /// A node was started, stopped or restarted.
    NodeChanged,
    /// A leased or free cluster fell ill or got well.
    HealthChanged,
    /// A host was added, configured or is being deleted.
    HostChanged,
    /// A host stopped answering, or answers again.
    HostContact,
    /// Something foreign stands in the way, or something of ours was found without a record and removed.
    Swept,
    /// Who may come in: an operator signed in or out, operators, passwords and tokens were made, changed or ended.
    Access,
}

impl EventKind {
    /// All of them.
    pub const ALL: [EventKind; 16] = [
        EventKind::Creating,
        EventKind::Ready,
        EventKind::Applied,
        EventKind::Released,
        EventKind::RecordDeleted,
        EventKind::Failed,
        EventKind::Lost,
        EventKind::Removing,
        EventKind::Removed,
        EventKind::Wished,
        EventKind::NodeChanged,
        EventKind::HealthChanged,
        EventKind::HostChanged,
        EventKind::HostContact,
        EventKind::Swept,
        EventKind::Access,
    ];

    /// The word that records and JSON have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Creating => "creating",
            EventKind::Ready => "ready",
            EventKind::Applied => "applied",
            EventKind::Released => "released",
            EventKind::RecordDeleted => "record_deleted",
            EventKind::Failed => "failed",
            EventKind::Lost => "lost",
            EventKind::Removing => "removing",
            EventKind::Removed => "removed",
            EventKind::Wished => "wished",
            EventKind::NodeChanged => "node_changed",
            EventKind::HealthChanged => "health_changed",
            EventKind::HostChanged => "host_changed",
            EventKind::HostContact => "host_contact",
            EventKind::Swept => "swept",
            EventKind::Access => "access",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Who or what asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "actor", rename_all = "snake_case")]
pub enum Actor {
    /// A user, by the API.
    User {
        /// Her id.
        id: UserId,
    },
    /// An operator, by the dashboard or its API.
    Operator {
        /// The name she signs in with.
        name: String,
    },
    /// The pool itself.
    Reconciler,
}

impl Event {
    /// An event about nothing in particular yet.
    pub fn new(at: Timestamp, kind: EventKind, actor: Actor, reason: impl Into<String>) -> Event {
        Event {
            id: EventId::random(),
            at,
            kind,
            actor,
            reason: reason.into(),
            host: None,
            cluster: None,
            lease: None,
            user: None,
        }
    }

    /// The same, about a cluster (and its host and lease).
    pub fn about(mut self, cluster: &super::Cluster) -> Event {
        self.host = Some(cluster.host.clone());
        self.cluster = Some((cluster.id.clone(), cluster.name.to_string()));
        self.lease = cluster.lease().map(|lease| lease.id.clone());
        self.user = cluster.lease().map(|lease| lease.user.clone());
        self
    }

    /// The same, about a host.
    pub fn about_host(mut self, host: &HostId) -> Event {
        self.host = Some(host.clone());
        self
    }

    /// A claim, from the lease it made: claims write no event of their own. The same lease gives the same event.
    pub fn of_claim(lease: &super::Lease, cluster: &ClusterId, cluster_name: &str, host: &HostId) -> Event {
        let actor = Actor::User { id: lease.user.clone() };
        let said = format!("given to {}", lease.user);
        let mut event = Event::new(lease.applied_at, EventKind::Applied, actor, said).about_host(host);
        // Both are 24 digits at random.
        event.id = EventId::parse(lease.id.as_str()).unwrap_or(event.id);
        event.cluster = Some((cluster.clone(), cluster_name.to_owned()));
        event.lease = Some(lease.id.clone());
        event.user = Some(lease.user.clone());
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_word_in_code_and_in_records() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::parse("Released"), None);
    }
}

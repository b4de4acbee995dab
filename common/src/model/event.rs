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
    /// An operator signed in or out, or failed to.
    Access,
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

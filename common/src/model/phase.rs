//! What a cluster is in its life. [`super::cluster_moves`] has the legal moves between phases.

use serde::{Deserialize, Serialize};

use super::{Lease, Timestamp, Why};

/// What a cluster is in its life. Every phase that is not at rest has a deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Being brought up and proven.
    Creating {
        /// Since then.
        since: Timestamp,
        /// After which it counts as failed.
        deadline: Timestamp,
    },
    /// Proven well, waiting for a user.
    Free {
        /// Since then.
        since: Timestamp,
    },
    /// Held by a user.
    InUse {
        /// The hold.
        lease: Lease,
    },
    /// Given back; being removed.
    Releasing {
        /// The hold that was.
        lease: Lease,
        /// Since then.
        since: Timestamp,
        /// By whom it was given back.
        by: String,
        /// After which its removal is called overdue.
        deadline: Timestamp,
    },
    /// Being removed, and nobody held it.
    Removing {
        /// Why.
        why: Why,
        /// Since then.
        since: Timestamp,
        /// After which its removal is called overdue.
        deadline: Timestamp,
    },
    /// Could not be made, or broke while free.
    Failed {
        /// Why.
        why: Why,
        /// Since then.
        since: Timestamp,
    },
    /// Its host was removed by force while a user held it.
    Lost {
        /// The hold that was.
        lease: Lease,
        /// Why.
        reason: String,
        /// Since then.
        since: Timestamp,
    },
}

/// A phase without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// [`Phase::Creating`]
    Creating,
    /// [`Phase::Free`]
    Free,
    /// [`Phase::InUse`]
    InUse,
    /// [`Phase::Releasing`]
    Releasing,
    /// [`Phase::Removing`]
    Removing,
    /// [`Phase::Failed`]
    Failed,
    /// [`Phase::Lost`]
    Lost,
}

impl PhaseKind {
    /// All of them, in the order of a life.
    pub const ALL: [PhaseKind; 7] = [
        PhaseKind::Creating,
        PhaseKind::Free,
        PhaseKind::InUse,
        PhaseKind::Releasing,
        PhaseKind::Removing,
        PhaseKind::Failed,
        PhaseKind::Lost,
    ];

    /// The word that the stores and the JSON of `Phase` use.
    pub fn as_str(self) -> &'static str {
        match self {
            PhaseKind::Creating => "creating",
            PhaseKind::Free => "free",
            PhaseKind::InUse => "in_use",
            PhaseKind::Releasing => "releasing",
            PhaseKind::Removing => "removing",
            PhaseKind::Failed => "failed",
            PhaseKind::Lost => "lost",
        }
    }
}

impl Phase {
    /// Which it is.
    pub fn kind(&self) -> PhaseKind {
        match self {
            Phase::Creating { .. } => PhaseKind::Creating,
            Phase::Free { .. } => PhaseKind::Free,
            Phase::InUse { .. } => PhaseKind::InUse,
            Phase::Releasing { .. } => PhaseKind::Releasing,
            Phase::Removing { .. } => PhaseKind::Removing,
            Phase::Failed { .. } => PhaseKind::Failed,
            Phase::Lost { .. } => PhaseKind::Lost,
        }
    }

    /// The hold, live or ended, if there ever was one.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Phase::InUse { lease } | Phase::Releasing { lease, .. } | Phase::Lost { lease, .. } => Some(lease),
            Phase::Creating { .. } | Phase::Free { .. } | Phase::Removing { .. } | Phase::Failed { .. } => None,
        }
    }
}

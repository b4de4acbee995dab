//! Why a cluster is removed or failed.

use serde::{Deserialize, Serialize};

use super::FlavorId;

/// Why a cluster is removed or failed, for people and for counting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// An operator deleted it.
    Deleted {
        /// Who.
        by: String,
    },
    /// The host's capacity went down, or its autofill was turned off and it was cleaned.
    PoolShrunk,
    /// The host is being deleted.
    HostLeaves,
    /// Operators want the host emptied.
    HostCleared {
        /// `clean`, `drain` or `reset`.
        purpose: String,
        /// Who asked.
        by: String,
    },
    /// It was free, and the pool had more of its kind than it needs while there was no place for one that it lacks.
    GaveWay {
        /// What is made in its place.
        to: FlavorId,
    },
    /// The template or its parameters changed since it was made, or are gone.
    FlavorChanged,
    /// It was not ready in time.
    CreateTimedOut {
        /// What was still missing.
        missing: String,
    },
    /// The engine refused or could not do a step of its making.
    CreateFailed {
        /// In the engine's words.
        error: String,
    },
    /// It was free, and its probe failed again and again, or a node died.
    Unhealthy {
        /// What was seen.
        seen: String,
    },
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Deleted { by } => write!(f, "deleted by {by}"),
            Why::PoolShrunk => f.write_str("pool shrunk"),
            Why::HostLeaves => f.write_str("its host is being deleted"),
            Why::HostCleared { purpose, by } => write!(f, "{purpose} of its host, asked by {by}"),
            Why::GaveWay { to } => write!(f, "made room for {to}, of which too few are free"),
            Why::FlavorChanged => f.write_str("its flavor changed"),
            Why::CreateTimedOut { missing } => write!(f, "not ready in time: {missing}"),
            Why::CreateFailed { error } => write!(f, "could not be made: {error}"),
            Why::Unhealthy { seen } => write!(f, "unhealthy: {seen}"),
        }
    }
}

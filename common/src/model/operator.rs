//! A person who signs in to admin.

use serde::{Deserialize, Serialize};

use super::{OperatorId, SessionId, Timestamp};

/// A person who signs in to admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Its id.
    pub id: OperatorId,
    /// What she signs in with; unique.
    pub username: String,
    /// Argon2id, in the PHC string format.
    pub password_hash: String,
    /// What she may do.
    pub role: Role,
    /// When she was added.
    pub created_at: Timestamp,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Look and operate hosts and clusters.
    Operator,
    /// Everything, other operators included.
    Admin,
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Hash of the secret in the cookie: the store never holds the secret.
    pub id: SessionId,
    /// Whose it is.
    pub operator: OperatorId,
    /// What forms must carry.
    pub csrf: String,
    /// When she signed in.
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    pub used_at: Timestamp,
    /// After which it is void.
    pub ends_at: Timestamp,
}

//! One user's hold on one cluster, and the record that stays of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClusterId, ClusterName, FlavorId, HostId, HostName, InvalidText, LeaseId, Timestamp, UserId};

/// What a caller wants to be kept beside a lease.
pub type Metadata = BTreeMap<String, String>;

/// The live hold; embedded in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// Who holds it.
    pub user: UserId,
    /// One more than the highest that the user held when this was made, from 1; unique among her live leases, so
    /// that two applies at once cannot both take "her one".
    pub nth: u32,
    /// The caller's key, by which a repeated apply finds this lease again.
    pub key: Option<IdempotencyKey>,
    /// When it was given.
    pub applied_at: Timestamp,
    /// What the caller wanted kept beside it.
    pub metadata: Metadata,
}

/// A caller's own key for one apply: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Takes 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        if (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidText("must be 1 to 128 visible ASCII characters".into()))
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> String {
        key.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidText;
    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::parse(&text)
    }
}

/// What stays of a lease when its cluster is gone. Written before the cluster's record goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// The lease as it was.
    pub lease: Lease,
    /// The cluster it held.
    pub cluster: ClusterId,
    /// That cluster's name.
    pub cluster_name: ClusterName,
    /// Where it was.
    pub host: HostId,
    /// That host's name then.
    pub host_name: HostName,
    /// What it was.
    pub flavor: FlavorId,
    /// How many nodes.
    pub size: u32,
    /// When and how it ended.
    pub ended: Ended,
}

/// How a lease ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ended {
    /// It was given back.
    Released {
        /// When.
        at: Timestamp,
        /// By whom: the user, or an operator's name.
        by: String,
    },
    /// Its host was removed by force.
    Lost {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl Ended {
    /// When it ended.
    pub fn at(&self) -> Timestamp {
        match self {
            Ended::Released { at, .. } | Ended::Lost { at, .. } => *at,
        }
    }
}

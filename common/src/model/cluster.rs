//! A cluster: one running compose project on one host.
//!
//! `phase` alone says what a cluster is. Beside it stand what is wanted of its nodes, what was seen of them,
//! and its health; [`super::cluster_moves`] has the legal moves between phases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::node::{Endpoint, Node, NodeState, NodeWish, Want};
use super::{ClusterId, ClusterName, FlavorId, HostId, HostName, Lease, NodeName, Phase, Slot, Timestamp};

/// One running (or being made, or being removed) compose project on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its id; new for every cluster that is made, also in an old slot.
    pub id: ClusterId,
    /// Counts every change but proofs; a write that was decided on an older one is refused.
    pub version: u64,
    /// `<host>_<slot>`, frozen at creation.
    pub name: ClusterName,
    /// Where it is.
    pub host: HostId,
    /// That host's name at creation.
    pub host_name: HostName,
    /// Its place there.
    pub slot: Slot,
    /// What it is.
    pub flavor: FlavorId,
    /// Hash of what the flavor meant when this was made.
    pub flavor_digest: String,
    /// How many nodes a user would count.
    pub size: u32,
    /// When its making began.
    pub created_at: Timestamp,
    /// The operator who wanted this very one; `None`: it was made because the pool was short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// What it is in its life.
    pub phase: Phase,
    /// What is wanted of each node.
    pub wishes: BTreeMap<NodeName, NodeWish>,
    /// What was last seen of each node.
    pub nodes: BTreeMap<NodeName, Node>,
    /// Where its services answer, by the template's names (`rest`, `grpc`).
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Whether it is well.
    pub health: Health,
    /// When a probe last proved it well. Written in batches, without a new version.
    pub proven_at: Option<Timestamp>,
    /// On a Free cluster that may be given out, and nowhere else.
    pub offer: Option<Offer>,
}

/// What a new cluster begins as.
#[derive(Clone, Debug)]
pub struct NewCluster {
    /// Its id.
    pub id: ClusterId,
    /// Its name.
    pub name: ClusterName,
    /// Where.
    pub host: HostId,
    /// That host's name.
    pub host_name: HostName,
    /// Its place there.
    pub slot: Slot,
    /// What it will be.
    pub flavor: FlavorId,
    /// Hash of what that means now.
    pub flavor_digest: String,
    /// How many nodes.
    pub size: u32,
    /// The services of its project.
    pub nodes: Vec<NodeName>,
    /// Where they will answer.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Now.
    pub now: Timestamp,
    /// By when it must be Free.
    pub deadline: Timestamp,
}

/// Whether a cluster is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// Its last look was good.
    Ok,
    /// It is not.
    Failing {
        /// Since then.
        since: Timestamp,
        /// How many looks in a row said so.
        times: u32,
        /// What the last one saw.
        seen: String,
    },
    /// Not looked at yet, or its host does not answer.
    Unknown,
}

/// What makes a Free cluster takeable. No offer, no lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is, again, for the one index that claims use.
    pub flavor: FlavorId,
    /// A random number in [0, 1), drawn anew each time it becomes Free: spreads claimers.
    pub r: f64,
    /// After this it is not fresh enough to be given out.
    pub until: Timestamp,
}

impl Cluster {
    /// A cluster whose making is about to begin.
    pub fn begin(new: NewCluster) -> Cluster {
        let wish = NodeWish { want: Want::Running, restart_seq: 0 };
        let node = Node { container: None, state: NodeState::Missing, restarted_seq: 0 };
        Cluster {
            id: new.id,
            version: 1,
            name: new.name,
            host: new.host,
            host_name: new.host_name,
            slot: new.slot,
            flavor: new.flavor,
            flavor_digest: new.flavor_digest,
            size: new.size,
            created_at: new.now,
            asked_by: None,
            phase: Phase::Creating { since: new.now, deadline: new.deadline },
            wishes: new.nodes.iter().map(|name| (name.clone(), wish.clone())).collect(),
            nodes: new.nodes.into_iter().map(|name| (name, node.clone())).collect(),
            endpoints: new.endpoints,
            health: Health::Unknown,
            proven_at: None,
            offer: None,
        }
    }

    /// The same, wanted by this operator.
    pub fn asked_by(self, operator: &str) -> Cluster {
        Cluster { asked_by: Some(operator.to_owned()), ..self }
    }

    /// The live or ended hold.
    pub fn lease(&self) -> Option<&Lease> {
        self.phase.lease()
    }

    /// Whether somebody stopped a node of it, or all. While it is free such a one keeps its place and is given to nobody.
    pub fn is_stopped(&self) -> bool {
        self.wishes.values().any(|wish| wish.want == Want::Stopped)
    }

    /// Whether somebody wanted it there or stopped it. While it is free such a one gives way to no other flavor.
    pub fn is_kept(&self) -> bool {
        self.asked_by.is_some() || self.is_stopped()
    }

    /// Whether every node is as wanted: running ones run (and were restarted as often as asked), stopped ones do not.
    pub fn wishes_done(&self) -> bool {
        self.wishes.keys().all(|name| self.wish_done(name))
    }

    /// The same for one node.
    pub fn wish_done(&self, name: &NodeName) -> bool {
        let (Some(wish), Some(node)) = (self.wishes.get(name), self.nodes.get(name)) else {
            return false;
        };
        match wish.want {
            Want::Running => node.state == NodeState::Running && node.restarted_seq >= wish.restart_seq,
            Want::Stopped => !matches!(node.state, NodeState::Running | NodeState::Paused | NodeState::Restarting),
        }
    }
}

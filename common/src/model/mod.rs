//! The words of the house as plain types: no I/O, no clock, no randomness except where an id is made.
//!
//! Legal moves of a cluster are functions here ([`Cluster::offer_out`], [`Cluster::release`], ...); the store
//! carries them out as conditional writes, and nothing else changes a phase.

mod cluster;
mod cluster_moves;
#[cfg(test)]
mod cluster_moves_test;
mod event;
mod flavor;
pub mod host;
mod id;
mod lease;
mod name;
mod operator;
mod slot;
mod time;

pub use cluster::{
    Cluster, Endpoint, Health, NewCluster, Node, NodeState, NodeWish, Offer, Phase, PhaseKind, Want, Why,
};
pub use cluster_moves::{IllegalMove, NodeScope, WishChange};
pub use event::{Actor, Event, EventKind};
pub use flavor::{Flavor, FlavorId, TemplateId};
pub use host::{
    Contact, DaemonUrl, Host, HostKind, HostPurpose, HostSettings, HostState, LogLevel, LogTarget, MAX_CAPACITY,
};
pub use id::{ClusterId, EventId, HostId, InvalidId, LeaseId, OperatorId, PoolId, SessionId};
pub use lease::{Ended, IdempotencyKey, Lease, LeaseRecord, Metadata};
pub use name::{ClusterName, HostName, InvalidText, NodeName, UserId};
pub use operator::{Operator, Role, Session};
pub use slot::{PortRange, Slot, SlotLayout, SubnetRange};
pub use time::Timestamp;

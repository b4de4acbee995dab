//! The words of the house as plain types: no I/O, no clock, no randomness except where an id is made.
//!
//! Legal moves of a cluster are functions here ([`Cluster::offer_out`], [`Cluster::release`], ...); the store
//! carries them out as conditional writes, and nothing else changes a phase.

mod cluster;
mod cluster_moves;
#[cfg(test)]
mod cluster_moves_test;
mod daemon_url;
mod demand;
mod event;
pub mod evidence;
mod flavor;
pub mod host;
mod host_purpose;
mod host_tls;
mod id;
mod lease;
mod name;
mod node;
mod operator;
mod phase;
mod sample;
mod slot;
mod time;
mod token;
mod why;

pub use cluster::{Cluster, Health, NewCluster, Offer};
pub use cluster_moves::{IllegalMove, NodeScope, WishChange};
pub use daemon_url::{DaemonUrl, parse_address};
pub use demand::{ApplyCount, FlavorShare};
pub use event::{Actor, Event, EventKind};
pub use evidence::{Evidence, Failure, NodeEvidence, Timing};
pub use flavor::{Flavor, FlavorId, TemplateId};
pub use host::{Contact, Host, HostKind, HostSettings, HostState, LogLevel, LogTarget, MAX_CAPACITY};
pub use host_purpose::{Asked, ForeignKind, ForeignThing, HostPurpose, MAX_FOREIGN};
pub use host_tls::{CertificateFacts, HostTls, Sealed};
pub use id::{ClusterId, EventId, HostId, InvalidId, LeaseId, OperatorId, PoolId, SessionId, TokenId};
pub use lease::{Ended, IdempotencyKey, Lease, LeaseRecord, Metadata};
pub use name::{ClusterName, HostName, InvalidText, NodeName, UserId};
pub use node::{Endpoint, Node, NodeState, NodeWish, Want};
pub use operator::{Operator, Role, Session, check_username};
pub use phase::{Phase, PhaseKind};
pub use sample::{SAMPLE_EVERY, SAMPLES_TOGETHER, Sample, Subject, beginning};
pub use slot::{PortRange, Slot, SlotLayout, SubnetRange};
pub use time::Timestamp;
pub use token::{Revoked, Token, TokenHash, TokenKind, TokenState, TokenText};
pub use why::Why;

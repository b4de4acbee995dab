//! The legal moves of a cluster, as functions from one value to the next. Each bumps the version; the store writes
//! the result only if the version it started from is still there.
//!
//! The one move that is not here is the claim, Free to InUse: the store does it in one conditional write, by the
//! same rule as [`Cluster::claim`], which SQLite calls and the contract tests compare MongoDB with.

use std::time::Duration;

use super::{
    Cluster, Ended, Health, Lease, LeaseRecord, Node, NodeName, NodeState, Offer, Phase, PhaseKind, Timestamp, Want,
    Why,
};

/// Removal of a cluster is called overdue after this; a removal is never given up.
const REMOVE_LIMIT: Duration = Duration::from_secs(120);

/// A move that the cluster's phase does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cluster that is {} cannot {what}", from.as_str())]
pub struct IllegalMove {
    /// What it is.
    pub from: PhaseKind,
    /// What was tried.
    pub what: &'static str,
}

/// One node, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeScope {
    /// Every node.
    All,
    /// This one.
    One(NodeName),
}

/// What somebody wants changed about nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishChange {
    /// Run again.
    Start,
    /// Stop, ledger kept.
    Stop,
    /// Stop and run again, ledger kept.
    Restart,
}

impl Cluster {
    fn refuse<T>(&self, what: &'static str) -> Result<T, IllegalMove> {
        Err(IllegalMove { from: self.phase.kind(), what })
    }

    fn moved(&self, phase: Phase) -> Cluster {
        Cluster { version: self.version + 1, phase, offer: None, ..self.clone() }
    }

    /// Creating to Free, with the offer that makes it takeable. `r` is a fresh random number in [0, 1).
    pub fn offer_out(&self, r: f64, until: Timestamp, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match self.phase {
            Phase::Creating { .. } => {
                let mut next = self.moved(Phase::Free { since: now });
                next.health = Health::Ok;
                next.proven_at = Some(now);
                next.offer = Some(Offer { flavor: self.flavor.clone(), r, until });
                Ok(next)
            }
            _ => self.refuse("become free"),
        }
    }

    /// Gives a Free cluster that lost its offer (blind spell, drain) a new one, because it was proven again.
    pub fn offer_again(&self, r: f64, until: Timestamp, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match &self.phase {
            Phase::Free { since } => {
                let mut next = self.moved(Phase::Free { since: *since });
                next.health = Health::Ok;
                next.proven_at = Some(now);
                next.offer = Some(Offer { flavor: self.flavor.clone(), r, until });
                Ok(next)
            }
            _ => self.refuse("be offered again"),
        }
    }

    /// Takes the offer away from a Free cluster, which stays Free.
    pub fn withdraw(&self) -> Result<Cluster, IllegalMove> {
        match self.phase {
            Phase::Free { since } => Ok(self.moved(Phase::Free { since })),
            _ => self.refuse("be withdrawn"),
        }
    }

    /// Whether a claim may take it at this moment.
    pub fn takeable(&self, now: Timestamp) -> bool {
        matches!(self.phase, Phase::Free { .. }) && self.offer.as_ref().is_some_and(|offer| offer.until > now)
    }

    /// Free to InUse.
    pub fn claim(&self, lease: Lease, now: Timestamp) -> Result<Cluster, IllegalMove> {
        if self.takeable(now) { Ok(self.moved(Phase::InUse { lease })) } else { self.refuse("be claimed") }
    }

    /// InUse to Releasing. A cluster that is being released already is returned as it is.
    pub fn release(&self, by: &str, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match &self.phase {
            Phase::InUse { lease } => Ok(self.moved(Phase::Releasing {
                lease: lease.clone(),
                since: now,
                by: by.to_owned(),
                deadline: now + REMOVE_LIMIT,
            })),
            Phase::Releasing { .. } => Ok(self.clone()),
            _ => self.refuse("be released"),
        }
    }

    /// Creating or Free to Failed.
    pub fn fail(&self, why: Why, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match self.phase {
            Phase::Creating { .. } | Phase::Free { .. } => Ok(self.moved(Phase::Failed { why, since: now })),
            _ => self.refuse("fail"),
        }
    }

    /// Creating, Free or Failed to Removing. Never InUse: a user keeps her cluster until she releases it.
    pub fn remove(&self, why: Why, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match self.phase {
            Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. } => {
                Ok(self.moved(Phase::Removing { why, since: now, deadline: now + REMOVE_LIMIT }))
            }
            _ => self.refuse("be removed"),
        }
    }

    /// InUse to Lost, when its host is removed by force.
    pub fn lose(&self, reason: String, now: Timestamp) -> Result<Cluster, IllegalMove> {
        match &self.phase {
            Phase::InUse { lease } | Phase::Releasing { lease, .. } => {
                Ok(self.moved(Phase::Lost { lease: lease.clone(), reason, since: now }))
            }
            _ => self.refuse("be lost"),
        }
    }

    /// Changes what is wanted of nodes. Only of a cluster at rest: Free or InUse. `None` if there is no such node;
    /// one that is gone counts as none, for nothing can be done about it.
    pub fn wish(&self, scope: &NodeScope, change: WishChange) -> Result<Option<Cluster>, IllegalMove> {
        if !matches!(self.phase, Phase::Free { .. } | Phase::InUse { .. }) {
            return self.refuse(match change {
                WishChange::Start => "be started",
                WishChange::Stop => "be stopped",
                WishChange::Restart => "be restarted",
            });
        }
        let mut next = Cluster { version: self.version + 1, ..self.clone() };
        let mut met = false;
        for (name, wish) in &mut next.wishes {
            let gone = next.nodes.get(name).is_some_and(|node| node.state == NodeState::Gone);
            if matches!(scope, NodeScope::One(one) if one != name) || gone {
                continue;
            }
            met = true;
            match change {
                WishChange::Start => wish.want = Want::Running,
                WishChange::Stop => wish.want = Want::Stopped,
                WishChange::Restart => {
                    wish.want = Want::Running;
                    wish.restart_seq += 1;
                }
            }
        }
        // A free cluster with a stopped node must not be given out.
        if matches!(next.phase, Phase::Free { .. }) && change != WishChange::Start {
            next.offer = None;
        }
        Ok(met.then_some(next))
    }

    /// Records what was seen of the nodes and what that says of its health; the phase stays.
    /// A Free cluster that is not [`Health::Ok`] loses its offer.
    pub fn seen(&self, nodes: Vec<(NodeName, Node)>, health: Health) -> Cluster {
        let mut next = Cluster { version: self.version + 1, health, ..self.clone() };
        for (name, node) in nodes {
            next.nodes.insert(name, node);
        }
        if next.health != Health::Ok {
            next.offer = None;
        }
        next
    }

    /// The same cluster, with its services at another address of the same host.
    pub fn readdressed(&self, address: &str) -> Cluster {
        let mut next = Cluster { version: self.version + 1, ..self.clone() };
        for endpoint in next.endpoints.values_mut() {
            address.clone_into(&mut endpoint.address);
        }
        // Nobody has asked it there yet.
        if matches!(next.phase, Phase::Free { .. }) {
            (next.offer, next.health) = (None, Health::Unknown);
        }
        next
    }

    /// The health that one more bad look makes of this one.
    pub fn worse(&self, seen: String, now: Timestamp) -> Health {
        match &self.health {
            Health::Failing { since, times, .. } => Health::Failing { since: *since, times: times + 1, seen },
            Health::Ok | Health::Unknown => Health::Failing { since: now, times: 1, seen },
        }
    }

    /// What stays of its lease in the history; `None` while it is live or if there was none.
    pub fn lease_record(&self) -> Option<LeaseRecord> {
        let (lease, ended) = match &self.phase {
            Phase::Releasing { lease, since, by, .. } => (lease, Ended::Released { at: *since, by: by.clone() }),
            Phase::Lost { lease, reason, since } => (lease, Ended::Lost { at: *since, reason: reason.clone() }),
            Phase::Creating { .. }
            | Phase::Free { .. }
            | Phase::InUse { .. }
            | Phase::Removing { .. }
            | Phase::Failed { .. } => return None,
        };
        Some(LeaseRecord {
            lease: lease.clone(),
            cluster: self.id.clone(),
            cluster_name: self.name.clone(),
            host: self.host.clone(),
            host_name: self.host_name.clone(),
            flavor: self.flavor.clone(),
            size: self.size,
            ended,
        })
    }

    /// Whether its record may go, once the engine has nothing of it left.
    pub fn may_vanish(&self) -> bool {
        match self.phase {
            Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } => true,
            Phase::Creating { .. } | Phase::Free { .. } | Phase::InUse { .. } | Phase::Failed { .. } => false,
        }
    }
}

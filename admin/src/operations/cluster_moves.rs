//! What operators can have done with a cluster: start, stop, restart, release, delete.
//!
//! [`decide`] says from the record alone what to write; the writing is conditional on that record, and whoever loses
//! a race decides again. All are safe to ask for twice; a restart is when it carries the count that its asker saw.

use common::model::{Cluster, ClusterId, Event, EventKind, NodeName, NodeScope, Phase, Timestamp, Why, WishChange};
use common::store::StoreError;

use super::{Done, Operations, Refusal, TRIES, operator};

/// What is asked of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterAction {
    /// Start, stop or restart nodes.
    Wish {
        /// Which nodes.
        scope: NodeScope,
        /// What.
        change: WishChange,
        /// How many restarts had been asked of the cluster when the asker looked; a restart on an older count was
        /// sent twice and is not done twice. `None`: whoever asks twice gets it twice.
        seen_restarts: Option<u64>,
    },
    /// Take it back from its user.
    Release,
    /// Remove one that nobody holds; the pool makes another if it is short of one.
    Delete,
}

/// What to do about an action.
enum Step {
    /// Nothing: it is as asked already.
    Nothing(String),
    /// Write this.
    Move(Box<Cluster>, EventKind, String),
}

impl ClusterAction {
    /// Start, stop or restart of one node (its name as somebody gave it) or, if it is empty, of all.
    pub fn wish(node: &str, change: WishChange, seen_restarts: Option<u64>) -> Result<ClusterAction, Refusal> {
        let scope = match node {
            "" => NodeScope::All,
            name => NodeScope::One(NodeName::parse(name).map_err(|why| Refusal::field("node", why.0))?),
        };
        Ok(ClusterAction::Wish { scope, change, seen_restarts })
    }
}

/// How many restarts were ever asked of a cluster's nodes.
pub fn restarts(cluster: &Cluster) -> u64 {
    cluster.wishes.values().map(|wish| u64::from(wish.restart_seq)).sum()
}

impl Operations {
    /// Has something done with a cluster; returns when it is written down, not when it is done.
    pub async fn act(&self, id: &ClusterId, action: &ClusterAction, by: &str, now: Timestamp) -> Result<Done, Refusal> {
        for _ in 0..TRIES {
            let cluster = self.store.cluster(id).await?.ok_or(Refusal::NoSuch("cluster"))?;
            let (next, kind, reason) = match decide(&cluster, action, by, now)? {
                Step::Nothing(said) => return Ok(Done::said(said)),
                Step::Move(next, kind, reason) => (next, kind, reason),
            };
            let event = Event::new(now, kind, operator(by), reason.as_str()).about(&next);
            match self.store.move_cluster(&cluster, &next, Some(event)).await {
                Ok(()) => {
                    self.ring();
                    return Ok(Done::said(sentence(&cluster, action)));
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Conflict("the cluster keeps changing; look again".into()))
    }
}

fn decide(cluster: &Cluster, action: &ClusterAction, by: &str, now: Timestamp) -> Result<Step, Refusal> {
    let name = &cluster.name;
    match action {
        ClusterAction::Wish { scope, change, seen_restarts } => {
            if let NodeScope::One(node) = scope
                && !cluster.wishes.contains_key(node)
            {
                return Err(Refusal::field("node", format!("is not a node of {name}: there is no {node}")));
            }
            let again = *change == WishChange::Restart && seen_restarts.is_some_and(|seen| seen != restarts(cluster));
            if again {
                return Ok(Step::Nothing(format!("A restart of {name} was asked for already.")));
            }
            let next = cluster.wish(scope, *change)?.ok_or(Refusal::NoSuch("node"))?;
            if next.wishes == cluster.wishes {
                return Ok(Step::Nothing(format!("{name}: that was asked for already.")));
            }
            let reason = format!("{by} wants {} {}", nodes(scope, name.as_str()), verb(*change));
            Ok(Step::Move(Box::new(next), EventKind::Wished, reason))
        }
        ClusterAction::Release => match &cluster.phase {
            Phase::Releasing { by, .. } => Ok(Step::Nothing(format!("{name} was released already, by {by}."))),
            Phase::Creating { .. }
            | Phase::Free { .. }
            | Phase::InUse { .. }
            | Phase::Removing { .. }
            | Phase::Failed { .. }
            | Phase::Lost { .. } => {
                let next = cluster.release(by, now)?;
                Ok(Step::Move(Box::new(next), EventKind::Released, format!("released by operator {by}")))
            }
        },
        ClusterAction::Delete => match &cluster.phase {
            Phase::InUse { lease } => Err(Refusal::Conflict(format!(
                "{name} is held by {}: release it instead, which takes it from its user and removes it",
                lease.user
            ))),
            Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } => {
                Ok(Step::Nothing(format!("The removal of {name} has begun already.")))
            }
            Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. } => {
                let next = cluster.remove(Why::Deleted { by: by.to_owned() }, now)?;
                Ok(Step::Move(Box::new(next), EventKind::Removing, format!("deleted by {by}")))
            }
        },
    }
}

fn nodes(scope: &NodeScope, cluster: &str) -> String {
    match scope {
        NodeScope::All => format!("every node of {cluster}"),
        NodeScope::One(node) => format!("{node} of {cluster}"),
    }
}

fn verb(change: WishChange) -> &'static str {
    match change {
        WishChange::Start => "started",
        WishChange::Stop => "stopped",
        WishChange::Restart => "restarted",
    }
}

fn sentence(cluster: &Cluster, action: &ClusterAction) -> String {
    let name = &cluster.name;
    match action {
        ClusterAction::Wish { scope, change, .. } => {
            let doing = match change {
                WishChange::Start => "Starting",
                WishChange::Stop => "Stopping",
                WishChange::Restart => "Restarting",
            };
            format!("{doing} {} has begun.", nodes(scope, name.as_str()))
        }
        ClusterAction::Release => {
            let user = cluster.lease().map(|lease| lease.user.to_string()).unwrap_or_default();
            format!("{name} was taken back from {user}, and its removal has begun; a new one takes its place.")
        }
        ClusterAction::Delete => format!("The removal of {name} has begun."),
    }
}

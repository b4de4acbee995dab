//! Decides when a free cluster is asked to commit a transaction. Part of [`super`]: as plain as it.
//!
//! It leaves a trace on the chain and takes the cluster out of service for its while, so: only free clusters, one at a time
//! on a host, and none that is the last of its flavor on offer there.

use std::time::Duration;

use common::model::{Cluster, FlavorId, Health, Timestamp, Why};

use crate::reconciler::plan::host::Planner;
use crate::reconciler::plan::{Action, Work};

/// What the plan must know of a flavor's deep probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeepFacts {
    /// How long a good answer is good for.
    pub every: Duration,
    /// Only on hosts that give their nodes a Docker endpoint.
    pub needs_chaincode: bool,
}

/// After a bad answer it is asked again so soon: until then it is not given out.
const AGAIN: Duration = Duration::from_secs(10);

impl Planner<'_> {
    /// What the deep probe says of a free cluster that is well as far as other probes tell, and whether it is time for
    /// another. Whether there was anything to do or to wait for.
    pub(super) fn deep(&mut self, cluster: &Cluster) -> bool {
        let Some(facts) = self.facts.deep.get(&cluster.flavor).copied() else { return false };
        let suits = !facts.needs_chaincode || self.view.host.settings.chaincode_endpoint.is_some();
        if !suits || self.flavor_changed(cluster) {
            return false;
        }
        let memory = &self.view.memory;
        if let Some(last) = memory.deep.get(&cluster.id).filter(|last| last.bad > 0).cloned() {
            let seen = format!("deep probe: {}", last.result.err().unwrap_or_default());
            if last.bad >= self.policy.bad_looks {
                self.fail(cluster, Why::Unhealthy { seen });
            } else if cluster.offer.is_some() || cluster.health == Health::Ok {
                let health = cluster.worse(seen.clone(), self.now);
                let action = Action::Record { cluster: cluster.id.clone(), nodes: Vec::new(), health };
                self.step(cluster, action, seen);
            } else if last.at + AGAIN > self.now {
                self.wake(last.at + AGAIN);
            } else if !self.deep_under_way() {
                self.deep_look(cluster, seen);
            }
            return true;
        }
        let Some(due) = self.deep_due(cluster) else { return false };
        if due > self.now {
            self.wake(due);
            return false;
        }
        let waits_longer = |other: &&Cluster| other.id != cluster.id && self.deep_due(other).is_some_and(|it| it < due);
        let others = self.view.clusters.iter().filter(|other| other.offer.is_some() && !self.is_busy(&other.id));
        if others.filter(waits_longer).any(|other| self.offered(&other.flavor) > 1) {
            return false;
        }
        if cluster.offer.is_none() || self.deep_under_way() || self.offered(&cluster.flavor) < 2 {
            return false;
        }
        self.deep_look(cluster, "it is to commit a transaction now and then".into());
        true
    }

    /// When a cluster is to be asked the next time, if ever. Of one that another process asked nothing is known: it is not
    /// asked sooner than a new one.
    fn deep_due(&self, cluster: &Cluster) -> Option<Timestamp> {
        let (facts, memory) = (self.facts.deep.get(&cluster.flavor)?, &self.view.memory);
        let since = memory.heard_since.map_or(cluster.created_at, |heard| heard.max(cluster.created_at));
        Some(memory.deep.get(&cluster.id).map_or(since, |last| last.at) + facts.every)
    }

    fn deep_look(&mut self, cluster: &Cluster, why: String) {
        self.deep_sent = true;
        self.step(cluster, Action::DeepLook { cluster: cluster.id.clone() }, why);
    }

    fn deep_under_way(&self) -> bool {
        self.deep_sent || self.view.memory.busy.values().any(|busy| busy.work == Work::Deep)
    }

    fn offered(&self, flavor: &FlavorId) -> usize {
        let on_offer = |c: &&Cluster| {
            c.flavor == *flavor && !self.is_busy(&c.id) && c.offer.as_ref().is_some_and(|offer| offer.until > self.now)
        };
        self.view.clusters.iter().filter(on_offer).count()
    }
}

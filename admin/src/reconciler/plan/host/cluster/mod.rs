//! Decides what to do with one cluster of a host whose engine answers. Part of [`super`]: as plain as it.

mod creating;
mod deep;
mod free;
mod leased;
mod nodes;
#[cfg(test)]
mod nodes_test;

use common::model::{Cluster, Phase, Timestamp, Why};

pub use self::deep::DeepFacts;
use super::Planner;
use crate::reconciler::plan::{About, Action};
use crate::reconciler::view::Found;

/// Evidence that could not be kept in so many tries is let go.
const GATHER_TRIES: u32 = 3;

impl Planner<'_> {
    pub(super) fn cluster(&mut self, cluster: &Cluster, found: Option<&Found>) {
        match &cluster.phase {
            Phase::Creating { since, deadline } => self.creating(cluster, found, *since, *deadline),
            Phase::Free { .. } => self.free(cluster, found),
            Phase::InUse { .. } => match self.forced() {
                Some(reason) => self.lose(cluster, &reason),
                None => self.in_use(cluster, found),
            },
            Phase::Failed { why, .. } => self.failed(cluster, why),
            Phase::Releasing { since, deadline, by, .. } => {
                self.take_down(cluster, *since, Some(*deadline), format!("released by {by}"));
            }
            Phase::Removing { since, deadline, why } => {
                self.take_down(cluster, *since, Some(*deadline), why.to_string());
            }
            Phase::Lost { since, reason, .. } => self.take_down(cluster, *since, None, reason.clone()),
        }
    }

    /// Tells users the host's new address, if that changed since the cluster was made.
    pub(super) fn readdress(&mut self, cluster: &Cluster) -> bool {
        let address = &self.view.host.settings.address;
        let old = cluster.endpoints.values().any(|endpoint| endpoint.address != *address);
        if old {
            let action = Action::Readdress { cluster: cluster.id.clone(), address: address.clone() };
            self.step(cluster, action, "the host's address changed");
        }
        old
    }

    fn take_down(&mut self, cluster: &Cluster, since: Timestamp, deadline: Option<Timestamp>, why: String) {
        let what = format!("removing {}", cluster.name);
        if self.left_there(&cluster.id) {
            return self.drop_record(cluster);
        }
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            let seconds = self.now.since(since).as_secs();
            let overdue = format!("overdue: it has been going on for {seconds} s");
            self.held_of(About::Cluster(cluster.id.clone()), &what, overdue);
        }
        if self.waits(&cluster.id, &what) {
            return;
        }
        if self.take_downs == 0 {
            let limit = self.take_down_limit();
            return self.held_of(About::Cluster(cluster.id.clone()), what, limit);
        }
        self.take_downs -= 1;
        self.step(cluster, Action::TakeDown { cluster: cluster.id.clone() }, why);
    }

    pub(super) fn remove(&mut self, cluster: &Cluster, why: Why) {
        let reason = why.to_string();
        self.step(cluster, Action::Remove { cluster: cluster.id.clone(), why }, reason);
    }

    /// Keeps what can be learnt of it, then removes it. Its place is worth more than its evidence: what cannot be kept in
    /// a few tries is let go.
    fn failed(&mut self, cluster: &Cluster, why: &Why) {
        let tries = self.view.memory.retries.get(&cluster.id).map_or(0, |retry| retry.times);
        if tries >= GATHER_TRIES {
            return self.remove(cluster, why.clone());
        }
        if self.waits(&cluster.id, &format!("keeping the evidence of {}", cluster.name)) {
            return;
        }
        let timings = self.view.memory.timings.get(&cluster.id).cloned().unwrap_or_default();
        let action = Action::Gather { cluster: cluster.id.clone(), why: why.clone(), timings };
        self.step(cluster, action, why.to_string());
    }

    pub(super) fn fail(&mut self, cluster: &Cluster, why: Why) {
        let reason = why.to_string();
        self.step(cluster, Action::Fail { cluster: cluster.id.clone(), why }, reason);
    }

    pub(super) fn flavor_changed(&self, cluster: &Cluster) -> bool {
        self.facts.flavors.get(&cluster.flavor) != Some(&cluster.flavor_digest)
    }
}

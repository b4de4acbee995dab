//! Decides what to do on one host now, why, and what is held back.
//!
//! A plain function of its arguments: no clock, no store, no engine, no randomness.
//! [`crate::reconciler::execute`] carries the answer out. What happens to one cluster is decided in [`cluster`]; here is
//! what concerns the host.

mod cluster;
mod create;
#[cfg(test)]
mod create_test;
#[cfg(test)]
mod host_test;
mod looks;
mod offers;
#[cfg(test)]
mod properties_test;
mod purpose;
#[cfg(test)]
mod purpose_test;
mod surplus;

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, ClusterId, FlavorId, Health, Phase, Timestamp, Why};
use common::store::Proof;

pub use self::cluster::DeepFacts;
use self::looks::LookWanted;
use super::pool::Target;
use super::{About, Action, Held, Plan, Step, Work};
use crate::reconciler::policy::Policy;
use crate::reconciler::view::{EngineView, HostView, Seen};

/// What the plan must know of flavors and slots.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every flavor there is, with the digest of what it means now.
    pub flavors: BTreeMap<FlavorId, String>,
    /// How many slots a host has.
    pub slots: u16,
    /// Flavors whose free clusters are asked to commit a transaction now and then.
    pub deep: BTreeMap<FlavorId, DeepFacts>,
}

/// Decides what to do on a host now.
pub fn plan_host(view: &HostView, target: &Target, facts: &Facts, policy: &Policy, now: Timestamp) -> Plan {
    let busy = |work: Work| view.memory.busy.values().filter(|busy| busy.work == work).count();
    let mut planner = Planner {
        view,
        facts,
        policy,
        now,
        plan: Plan::default(),
        bring_ups: 0,
        take_downs: policy.take_down_at_once.saturating_sub(busy(Work::TakeDown)),
        looks_wanted: Vec::new(),
        looks_soon: Vec::new(),
        short_of: BTreeSet::new(),
        rolled: false,
        deep_sent: false,
        proofs: Vec::new(),
        proof_waits: true,
    };
    planner.bring_ups = planner.makings_at_once().0.saturating_sub(busy(Work::BringUp));
    match &view.engine {
        EngineView::Away { why } => planner.away(why),
        EngineView::Seen(seen) => planner.seen(seen, target),
    }
    planner.looks(policy.looks_at_once.saturating_sub(busy(Work::Look)));
    planner.hold_writes();
    planner.plan
}

struct Planner<'a> {
    view: &'a HostView,
    facts: &'a Facts,
    policy: &'a Policy,
    now: Timestamp,
    plan: Plan,
    bring_ups: usize,
    take_downs: usize,
    looks_wanted: Vec<LookWanted>,
    /// Those that go along if any of the others does.
    looks_soon: Vec<LookWanted>,
    /// Flavors of which fewer wait than should.
    short_of: BTreeSet<FlavorId>,
    /// Whether a cluster of an older flavor goes in this plan.
    rolled: bool,
    /// Whether a deep probe is sent in this plan.
    deep_sent: bool,
    proofs: Vec<Proof>,
    /// Whether they can wait for probes that are under way or wanted.
    proof_waits: bool,
}

impl Planner<'_> {
    /// The engine does not answer: nothing there can be changed, and nothing of it is given out once it is Inactive.
    fn away(&mut self, why: &str) {
        self.held("everything on this host", format!("it does not answer: {why}"));
        let inactive = !self.view.host.contact.state.is_active();
        for cluster in &self.view.clusters {
            self.stop_making(cluster, false);
        }
        if let Some(reason) = self.forced() {
            return self.force_without_engine(&reason, inactive);
        }
        let goes = self.view.host.purpose.leaves() && self.view.clusters.is_empty() && self.is_idle();
        if inactive && goes {
            return self.delete_host("the host is being deleted and has no clusters; its engine does not answer");
        }
        self.say_purpose();
        if !inactive {
            return;
        }
        let why = "its host does not answer";
        for cluster in self.view.clusters.iter().filter(|cluster| !self.view.memory.busy.contains_key(&cluster.id)) {
            if cluster.offer.is_some() {
                self.step(cluster, Action::Withdraw { cluster: cluster.id.clone() }, why);
            } else if matches!(cluster.phase, Phase::InUse { .. }) && cluster.health != Health::Unknown {
                let (cluster_id, nodes) = (cluster.id.clone(), Vec::new());
                self.step(cluster, Action::Record { cluster: cluster_id, nodes, health: Health::Unknown }, why);
            }
        }
    }

    /// While the store takes no writes, none is tried but at the end of the wait.
    fn hold_writes(&mut self) {
        let Some(hold) = self.view.memory.write_hold.clone().filter(|hold| hold.not_before > self.now) else { return };
        let before = self.plan.steps.len();
        self.plan.steps.retain(|step| !step.action.begins_with_a_write());
        if self.plan.steps.len() < before {
            self.held_until(hold.not_before, About::Host, "what is to be written down", hold.error);
        }
    }

    fn seen(&mut self, seen: &Seen, target: &Target) {
        let clearing = self.view.host.purpose.removes_free();
        self.short_of = self.needs(target).into_iter().map(|(flavor, _)| flavor).collect();
        let surplus = if clearing { BTreeSet::new() } else { self.surplus(target) };
        let gives_way = self.gives_way(target);
        for cluster in &self.view.clusters {
            if self.is_busy(&cluster.id) {
                self.stop_making(cluster, surplus.contains(&cluster.id));
                continue;
            }
            if surplus.contains(&cluster.id) {
                self.remove(cluster, Why::PoolShrunk);
            } else if let Some((_, to)) = gives_way.as_ref().filter(|(id, _)| *id == cluster.id) {
                self.remove(cluster, Why::GaveWay { to: to.clone() });
            } else {
                self.cluster(cluster, seen.found.get(&cluster.id));
            }
        }
        self.sweep(seen);
        self.prove();
        self.purpose(seen);
        if !clearing {
            self.create(seen, target);
        }
    }

    /// What is on the engine with our label and has no record: a crash came between, or the record was lost.
    fn sweep(&mut self, seen: &Seen) {
        let known: BTreeSet<&ClusterId> = self.view.clusters.iter().map(|c| &c.id).collect();
        for id in seen.found.keys() {
            if known.contains(id) || self.is_busy(id) || self.left_there(id) {
                continue;
            }
            if self.waits(id, "sweeping what has no record") {
                continue;
            }
            if self.take_downs == 0 {
                self.held_of(About::Cluster(id.clone()), "sweeping what has no record", self.take_down_limit());
                continue;
            }
            self.take_downs -= 1;
            let why = format!("{id} is on the engine and has no record");
            self.plan.steps.push(Step { action: Action::Sweep { cluster: id.clone() }, name: None, why });
        }
    }

    fn take_down_limit(&self) -> String {
        format!("the host is at its limit of {} removals at once", self.policy.take_down_at_once)
    }

    fn is_idle(&self) -> bool {
        let memory = &self.view.memory;
        memory.busy.is_empty() && memory.beginning.is_empty() && memory.host_step.is_none()
    }

    fn is_busy(&self, id: &ClusterId) -> bool {
        self.view.memory.busy.contains_key(id)
    }

    /// Whether its last action failed and it is not yet time to try again; says so.
    fn waits(&mut self, id: &ClusterId, what: &str) -> bool {
        let Some(retry) = self.view.memory.retries.get(id).filter(|retry| retry.not_before > self.now).cloned() else {
            return false;
        };
        let why = format!("tried {} times, last: {}", retry.times, retry.error);
        self.held_until(retry.not_before, About::Cluster(id.clone()), what, why);
        true
    }

    fn step(&mut self, cluster: &Cluster, action: Action, why: impl Into<String>) {
        self.plan.steps.push(Step { action, name: Some(cluster.name.clone()), why: why.into() });
    }

    /// Something is held back until the host's record or one of its clusters changes: the host may rest meanwhile.
    fn lasts(&mut self, what: impl Into<String>, why: String) {
        self.plan.held.push(Held { about: About::Host, what: what.into(), why, next: None });
    }

    /// Something about the host as a whole is held back, for now.
    fn held(&mut self, what: impl Into<String>, why: String) {
        self.held_of(About::Host, what, why);
    }

    /// The same of a part of it.
    fn held_of(&mut self, about: About, what: impl Into<String>, why: String) {
        self.plan.ends_untold = true;
        self.plan.held.push(Held { about, what: what.into(), why, next: None });
    }

    /// The same of what is tried again then.
    fn held_until(&mut self, next: Timestamp, about: About, what: impl Into<String>, why: String) {
        self.wake(next);
        self.plan.ends_untold = true;
        self.plan.held.push(Held { about, what: what.into(), why, next: Some(next) });
    }

    fn wake(&mut self, at: Timestamp) {
        self.plan.wake_at = Some(self.plan.wake_at.map_or(at, |other| other.min(at)));
    }
}

//! What one action's outcome adds to a host's memory. Plain functions: the loop calls them between two passes.

use common::model::{Cluster, ClusterId, Timestamp, Why};

use super::plan::{Action, Step};
use super::policy::Policy;
use super::view::{Look, Memory, Retry, Work};

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The record was not what it was any more; the next pass decides anew.
    Stale,
    /// A probe ended.
    Looked(Result<(), String>),
    /// It failed.
    Failed(Failure),
}

/// What a failure says about trying again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something stands in the slot's way: another slot may do.
    Slot(String),
    /// This flavor cannot be made here, for now.
    Flavor(String),
    /// The host has no room, for now.
    Host(String),
    /// The same may work later.
    Later(String),
    /// This process may not act any more.
    Fenced,
}

impl Memory {
    /// Remembers that an action is under way.
    pub fn begin(&mut self, step: &Step) {
        if let Action::Begin { slot, .. } = &step.action {
            self.beginning.insert(*slot);
        }
        if let Some(cluster) = step.action.cluster() {
            self.busy.insert(cluster.clone(), work_of(&step.action));
        }
    }

    /// Remembers what came of it.
    pub fn end(&mut self, step: &Step, cluster: Option<&Cluster>, outcome: &Outcome, policy: &Policy, now: Timestamp) {
        if let Action::Begin { slot, flavor } = &step.action {
            self.beginning.remove(slot);
            if let Outcome::Failed(failure) = outcome {
                let error = words(failure);
                let retry = Retry::after(self.failures.get(flavor), error, &policy.flavor_backoff, now);
                self.failures.insert(flavor.clone(), retry);
            }
        }
        let Some(id) = step.action.cluster() else { return };
        self.busy.remove(id);
        match outcome {
            Outcome::Done => self.done(step, id, cluster, policy, now),
            Outcome::Stale => {}
            Outcome::Looked(result) => {
                let bad = if result.is_ok() { 0 } else { self.looks.get(id).map_or(0, |look| look.bad) + 1 };
                self.looks.insert(id.clone(), Look { at: now, result: result.clone(), bad });
            }
            Outcome::Failed(failure) => self.failed(step, id, cluster, failure, policy, now),
        }
    }

    fn done(&mut self, step: &Step, id: &ClusterId, cluster: Option<&Cluster>, policy: &Policy, now: Timestamp) {
        self.retries.remove(id);
        match &step.action {
            Action::BringUp { .. } => {
                self.brought_up.insert(id.clone(), now);
                // What was seen before says nothing about what was just started.
                self.looks.remove(id);
            }
            Action::OfferOut { .. } => {
                self.brought_up.remove(id);
                if let Some(cluster) = cluster {
                    self.failures.remove(&cluster.flavor);
                }
                self.host_hold = None;
            }
            Action::ChangeNode { .. } => {
                self.looks.remove(id);
            }
            Action::Fail { why: why @ Why::CreateTimedOut { .. }, .. } => {
                if let Some(cluster) = cluster {
                    let before = self.failures.get(&cluster.flavor);
                    let retry = Retry::after(before, why.to_string(), &policy.flavor_backoff, now);
                    self.failures.insert(cluster.flavor.clone(), retry);
                }
            }
            Action::TakeDown { .. } | Action::Sweep { .. } => self.forget(id),
            Action::Begin { .. }
            | Action::Look { .. }
            | Action::OfferAgain { .. }
            | Action::Withdraw { .. }
            | Action::Record { .. }
            | Action::Fail { .. }
            | Action::Remove { .. }
            | Action::Prove { .. }
            | Action::DeleteHost => {}
        }
    }

    fn failed(
        &mut self,
        step: &Step,
        id: &ClusterId,
        cluster: Option<&Cluster>,
        failure: &Failure,
        policy: &Policy,
        now: Timestamp,
    ) {
        let making = matches!(step.action, Action::BringUp { .. });
        match (failure, cluster) {
            (Failure::Fenced, _) => {}
            (Failure::Slot(error), Some(cluster)) if making => {
                let retry =
                    Retry::after(self.refused_slots.get(&cluster.slot), error.clone(), &policy.slot_backoff, now);
                self.refused_slots.insert(cluster.slot, retry);
                self.doomed.insert(id.clone(), error.clone());
            }
            (Failure::Flavor(error), Some(cluster)) if making => {
                let before = self.failures.get(&cluster.flavor);
                let retry = Retry::after(before, error.clone(), &policy.flavor_backoff, now);
                self.failures.insert(cluster.flavor.clone(), retry);
                self.doomed.insert(id.clone(), error.clone());
            }
            (Failure::Host(error), _) if making => {
                self.host_hold =
                    Some(Retry::after(self.host_hold.as_ref(), error.clone(), &policy.flavor_backoff, now));
                self.doomed.insert(id.clone(), error.clone());
            }
            (Failure::Slot(_) | Failure::Flavor(_) | Failure::Host(_) | Failure::Later(_), _) => {
                let retry = Retry::after(self.retries.get(id), words(failure), &policy.retry, now);
                self.retries.insert(id.clone(), retry);
            }
        }
    }

    /// Forgets what concerns clusters that have no record and no action under way any more.
    pub fn keep_only(&mut self, known: &std::collections::BTreeSet<ClusterId>) {
        let gone: Vec<ClusterId> = self
            .looks
            .keys()
            .chain(self.brought_up.keys())
            .chain(self.doomed.keys())
            .chain(self.retries.keys())
            .filter(|id| !known.contains(*id) && !self.busy.contains_key(*id))
            .cloned()
            .collect();
        for id in gone {
            self.forget(&id);
        }
    }

    fn forget(&mut self, id: &ClusterId) {
        self.looks.remove(id);
        self.brought_up.remove(id);
        self.doomed.remove(id);
        self.retries.remove(id);
    }
}

fn work_of(action: &Action) -> Work {
    match action {
        Action::BringUp { .. } => Work::BringUp,
        Action::TakeDown { .. } | Action::Sweep { .. } => Work::TakeDown,
        Action::Look { .. } => Work::Look,
        Action::ChangeNode { .. } => Work::Node,
        Action::Begin { .. }
        | Action::OfferOut { .. }
        | Action::OfferAgain { .. }
        | Action::Withdraw { .. }
        | Action::Record { .. }
        | Action::Fail { .. }
        | Action::Remove { .. }
        | Action::Prove { .. }
        | Action::DeleteHost => Work::Write,
    }
}

fn words(failure: &Failure) -> String {
    match failure {
        Failure::Slot(error) | Failure::Flavor(error) | Failure::Host(error) | Failure::Later(error) => error.clone(),
        Failure::Fenced => "this process no longer leads".into(),
    }
}

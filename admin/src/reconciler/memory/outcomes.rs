//! What one action's outcome adds to a host's memory. Plain functions: the loop calls them between two passes.

use std::time::Duration;

use common::model::{Cluster, ClusterId, Timestamp, Why};

use super::{Busy, Doom, Look, Memory, Retry, Suspicion};
use crate::reconciler::execute::outcome::{Failure, Outcome};
use crate::reconciler::plan::{Action, Step, Work};
use crate::reconciler::policy::Policy;

/// Events of what we did to nodes may come so long after it was done.
const ECHO: Duration = Duration::from_secs(1);

impl Memory {
    /// Remembers that an action is under way.
    pub fn begin(&mut self, step: &Step, now: Timestamp) {
        if let Action::Begin { slot, flavor } = &step.action {
            self.beginning.insert(*slot, flavor.clone());
        }
        if let Some(cluster) = step.action.cluster() {
            self.busy.insert(cluster.clone(), Busy { work: step.action.work(), since: now });
        }
        if step.action.is_of_host() {
            self.host_step = Some(now);
        }
    }

    /// Remembers what came of it.
    pub fn end(&mut self, step: &Step, cluster: Option<&Cluster>, outcome: &Outcome, policy: &Policy, now: Timestamp) {
        if let Action::Begin { slot, flavor } = &step.action {
            self.beginning.remove(slot);
            // The store's trouble is nobody's fault; it holds back every write.
            if let Outcome::Failed(failure) = outcome {
                self.making_failed(flavor, now, failure, policy, now);
            }
        }
        if step.action.begins_with_a_write() {
            match outcome {
                // No write begins while the hold stands: this one was under way with the one that brought it.
                Outcome::Failed(Failure::Later(_))
                    if self.write_hold.as_ref().is_some_and(|it| it.not_before > now) => {}
                Outcome::Failed(Failure::Later(error)) => {
                    let hold = Retry::after(self.write_hold.as_ref(), error.clone(), &policy.retry, now);
                    self.write_hold = Some(hold);
                }
                Outcome::Done => self.write_hold = None,
                Outcome::Stale | Outcome::Looked { .. } | Outcome::Failed(_) => {}
            }
        }
        if step.action.is_of_host() {
            self.host_step = None;
            self.host_retry = match outcome {
                Outcome::Failed(failure) if *failure != Failure::Fenced => {
                    Some(Retry::after(self.host_retry.as_ref(), failure.words(), &policy.retry, now))
                }
                Outcome::Failed(_) | Outcome::Done | Outcome::Stale | Outcome::Looked { .. } => None,
            };
        }
        let Some(id) = step.action.cluster() else { return };
        self.note_timing(step, id, outcome, now);
        self.busy.remove(id);
        match outcome {
            Outcome::Done => self.done(step, id, cluster, policy, now),
            // It has a record after all, so the engine is not where it should be: not at once again.
            Outcome::Stale if matches!(step.action, Action::Sweep { .. }) => {
                let retry = Retry::after(self.retries.get(id), "it has a record".into(), &policy.retry, now);
                self.retries.insert(id.clone(), retry);
            }
            Outcome::Stale => {}
            // A node ended after it was sent: it proves nothing.
            Outcome::Looked { at, .. } if self.suspects.get(id).is_some_and(|ended| *at <= ended.at) => {}
            Outcome::Looked { at, result: Err(seen) } if matches!(step.action, Action::DeepLook { .. }) => {
                let bad = self.deep.get(id).map_or(0, |look| look.bad) + 1;
                self.deep.insert(id.clone(), Look { at: *at, result: Err(seen.clone()), bad });
            }
            Outcome::Looked { at, result } => {
                if matches!(step.action, Action::DeepLook { .. }) {
                    self.deep.insert(id.clone(), Look { at: *at, result: Ok(()), bad: 0 });
                }
                if result.is_ok() {
                    self.suspects.remove(id);
                    self.retries.remove(id);
                }
                let bad = if result.is_ok() { 0 } else { self.looks.get(id).map_or(0, |look| look.bad) + 1 };
                self.looks.insert(id.clone(), Look { at: *at, result: result.clone(), bad });
            }
            Outcome::Failed(_) if step.action.begins_with_a_write() => {}
            Outcome::Failed(failure) => self.failed(step, id, cluster, failure, policy, now),
        }
    }

    fn done(&mut self, step: &Step, id: &ClusterId, cluster: Option<&Cluster>, policy: &Policy, now: Timestamp) {
        if let Action::BringUp { .. } = &step.action {
            // Only the first counts: nodes that end again and again must not put the deadline off for ever.
            self.brought_up.entry(id.clone()).or_insert(now);
            // What was seen before says nothing about what was just started.
            self.looks.remove(id);
            // Should they not stay up, the next try comes later and later.
            let retry = Retry::after(self.retries.get(id), "its nodes did not stay up".into(), &policy.retry, now);
            self.retries.insert(id.clone(), retry);
            return;
        }
        self.retries.remove(id);
        match &step.action {
            Action::OfferOut { .. } => {
                self.brought_up.remove(id);
                self.deaths.remove(id);
                if let Some(cluster) = cluster {
                    self.making_succeeded(cluster, now);
                }
            }
            Action::ChangeNodes { changes, .. } => {
                self.looks.remove(id);
                self.deaths.remove(id);
                self.changed.insert(id.clone(), now);
                self.revived(id, changes, policy, now);
            }
            Action::Readdress { .. } => {
                self.looks.remove(id);
            }
            Action::Fail { why: why @ Why::CreateTimedOut { .. }, .. } => {
                if let Some(cluster) = cluster {
                    let failure = Failure::Broke(why.to_string());
                    self.making_failed(&cluster.flavor, cluster.created_at, &failure, policy, now);
                }
            }
            Action::TakeDown { .. } | Action::DropRecord { .. } | Action::Sweep { .. } => self.forget(id),
            Action::Begin { .. }
            | Action::Look { .. }
            | Action::DeepLook { .. }
            | Action::OfferAgain { .. }
            | Action::Withdraw { .. }
            | Action::BringUp { .. }
            | Action::Record { .. }
            | Action::Fail { .. }
            | Action::Gather { .. }
            | Action::Lose { .. }
            | Action::Remove { .. }
            | Action::Prove { .. }
            | Action::EndPurpose { .. }
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
        if let Some(cluster) = cluster.filter(|_| making) {
            self.making_failed(&cluster.flavor, cluster.created_at, failure, policy, now);
        }
        match (failure, cluster) {
            (Failure::Fenced, _) => {}
            (Failure::Slot(error), Some(cluster)) if making => {
                let retry =
                    Retry::after(self.refused_slots.get(&cluster.slot), error.clone(), &policy.slot_backoff, now);
                self.refused_slots.insert(cluster.slot, retry);
                self.doomed.insert(id.clone(), Doom::Fails(error.clone()));
            }
            (Failure::Flavor(error) | Failure::Broke(error), _) if making => {
                self.doomed.insert(id.clone(), Doom::Fails(error.clone()));
            }
            (Failure::Host(error) | Failure::Image(error), _) if making => {
                self.doomed.insert(id.clone(), Doom::GivesUp(error.clone()));
            }
            (
                Failure::Slot(_)
                | Failure::Broke(_)
                | Failure::Flavor(_)
                | Failure::Image(_)
                | Failure::Host(_)
                | Failure::Later(_),
                _,
            ) => {
                let retry = Retry::after(self.retries.get(id), failure.words(), &policy.retry, now);
                self.retries.insert(id.clone(), retry);
            }
        }
    }

    /// A node of it ended, whatever it does now: what was proven before counts no more.
    pub fn suspect(&mut self, id: ClusterId, seen: String, now: Timestamp) {
        self.looks.remove(&id);
        let changing = self.busy.get(&id).is_some_and(|busy| busy.work == Work::Node);
        let ours = changing || self.changed.get(&id).is_some_and(|at| *at + ECHO > now);
        if !ours {
            *self.deaths.entry(id.clone()).or_default() += 1;
        }
        self.suspects.insert(id, Suspicion { at: now, seen, ours });
    }

    /// Forgets what concerns clusters that have no record and no action under way any more.
    pub fn keep_only(&mut self, known: &std::collections::BTreeSet<&ClusterId>) {
        let gone: Vec<ClusterId> = self
            .looks
            .keys()
            .chain(self.brought_up.keys())
            .chain(self.doomed.keys())
            .chain(self.retries.keys())
            .chain(self.suspects.keys())
            .chain(self.timings.keys())
            .chain(self.deaths.keys())
            .chain(self.deep.keys())
            .chain(self.changed.keys())
            .chain(self.revivals.keys())
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
        self.suspects.remove(id);
        self.timings.remove(id);
        self.deaths.remove(id);
        self.deep.remove(id);
        self.changed.remove(id);
        self.revivals.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bring_up(id: &ClusterId) -> Step {
        Step { action: Action::BringUp { cluster: id.clone() }, name: None, why: String::new() }
    }

    #[test]
    fn nodes_that_end_again_and_again_put_no_deadline_off_and_are_started_later_and_later() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let mut now = Timestamp::from_millis(0);
        let mut waits = Vec::new();
        for _ in 0..4 {
            memory.end(&bring_up(&id), None, &Outcome::Done, &policy, now);
            waits.push(memory.retries[&id].not_before.since(now));
            now = now + Duration::from_secs(30);
        }
        assert_eq!(memory.brought_up[&id], Timestamp::from_millis(0));
        assert_eq!(waits, [1, 2, 4, 8].map(Duration::from_secs));
    }

    #[test]
    fn a_sweep_that_failed_is_not_forgotten_while_the_engine_shows_it() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let step = Step { action: Action::Sweep { cluster: id.clone() }, name: None, why: String::new() };
        let failed = Outcome::Failed(Failure::Later("in use".into()));
        memory.end(&step, None, &failed, &policy, Timestamp::from_millis(0));
        memory.keep_only(&[&id].into());
        assert!(memory.retries.contains_key(&id));
        memory.keep_only(&std::collections::BTreeSet::new());
        assert!(memory.retries.is_empty());
    }

    #[test]
    fn a_probe_that_was_sent_before_a_node_ended_proves_nothing() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let step = Step { action: Action::Look { cluster: id.clone() }, name: None, why: String::new() };
        let at = Timestamp::from_millis;
        memory.suspect(id.clone(), "a node ended".into(), at(5));
        memory.end(&step, None, &Outcome::Looked { at: at(5), result: Ok(()) }, &policy, at(9));
        assert!(memory.looks.is_empty() && memory.suspects.contains_key(&id));
        memory.end(&step, None, &Outcome::Looked { at: at(6), result: Ok(()) }, &policy, at(9));
        assert!(memory.looks.contains_key(&id) && memory.suspects.is_empty());
    }

    fn write(id: &ClusterId) -> Step {
        Step { action: Action::Withdraw { cluster: id.clone() }, name: None, why: String::new() }
    }

    #[test]
    fn writes_that_fail_together_say_one_thing() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let (away, mut now) = (Outcome::Failed(Failure::Later("away".into())), Timestamp::from_millis(0));
        let mut waits = Vec::new();
        for _ in 0..3 {
            for _ in 0..8 {
                memory.end(&write(&id), None, &away, &policy, now);
            }
            let until = memory.write_hold.as_ref().unwrap().not_before;
            waits.push(until.since(now).as_secs());
            now = until;
        }
        assert_eq!(waits, [1, 2, 4]);
        memory.end(&write(&id), None, &Outcome::Done, &policy, now);
        assert!(memory.write_hold.is_none());
    }

    #[test]
    fn the_stores_trouble_is_not_blamed_on_a_cluster_that_was_to_be_probed_deeply() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let step = Step { action: Action::DeepLook { cluster: id.clone() }, name: None, why: String::new() };
        let away = Outcome::Failed(Failure::Later("away".into()));
        memory.end(&step, None, &away, &policy, Timestamp::from_millis(0));
        assert!(memory.retries.is_empty() && memory.write_hold.is_some());
    }

    #[test]
    fn the_stores_trouble_is_not_blamed_on_a_flavor() {
        let (mut memory, policy) = (Memory::default(), Policy::default());
        let flavor = common::model::FlavorId::parse("f").unwrap();
        let action = Action::Begin { slot: common::model::Slot(0), flavor: flavor.clone() };
        let step = Step { action, name: None, why: String::new() };
        let now = Timestamp::from_millis(0);
        memory.end(&step, None, &Outcome::Failed(Failure::Later("away".into())), &policy, now);
        assert!(memory.failures.is_empty() && memory.host_hold.is_none() && memory.write_hold.is_some());
        memory.end(&step, None, &Outcome::Failed(Failure::Flavor("bad".into())), &policy, now);
        assert!(memory.failures.contains_key(&flavor));
    }
}

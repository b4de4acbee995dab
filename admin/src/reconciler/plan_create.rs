//! Decides which clusters to begin on a host. Part of [`super::plan_host`]: as plain as it.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, FlavorId, HostPurpose, Phase, PhaseKind, Slot};

use super::plan::{Action, Step};
use super::plan_host::Planner;
use super::plan_pool::Target;
use super::view::{Retry, Seen};

impl Planner<'_> {
    /// Begins clusters that are wanted, as far as capacity, slots and limits allow.
    pub(super) fn create(&mut self, seen: &Seen, target: &Target) {
        let host = &self.view.host;
        let mut needs = self.needs(target);
        let wanted: u32 = needs.iter().map(|(_, need)| need).sum();
        let keeps_filled = host.settings.autofill || matches!(host.purpose, HostPurpose::FillUp(_));
        if wanted == 0 || !keeps_filled {
            return;
        }
        let what = |n: usize| format!("{n} more to create");
        if !host.fills() {
            return self.held(what(wanted as usize), "the host is not schedulable".into());
        }
        let taken = self.view.clusters.len() + self.view.memory.beginning.len();
        let mut room = usize::from(host.settings.capacity).saturating_sub(taken);
        if room < wanted as usize {
            let removing = self.view.clusters.iter().filter(|c| c.may_vanish() || is_failed(c)).count();
            let why = format!("no room on the host: capacity {}, {removing} being removed", host.settings.capacity);
            self.held(what(wanted as usize - room), why);
        }
        if let Some(hold) = self.view.memory.host_hold.clone().filter(|hold| hold.not_before > self.now) {
            self.wake(hold.not_before);
            return self.held(what(wanted as usize), hold.error);
        }
        let creating = self.view.clusters.iter().filter(|c| c.phase.kind() == PhaseKind::Creating).count();
        let mut starts = self.policy.bring_up_at_once.saturating_sub(creating + self.view.memory.beginning.len());
        let mut slots = self.free_slots(seen);
        for (flavor, need) in &mut needs {
            if let Some(retry) = self.failing_flavor(flavor) {
                self.wake(retry.not_before);
                let why = format!("could not be made {} times, last: {}", retry.times, retry.error);
                self.held(format!("{need} of {flavor}"), why);
                continue;
            }
            while *need > 0 && room > 0 {
                if starts == 0 {
                    let why = format!("the host is at its limit of {} at once", self.policy.bring_up_at_once);
                    self.held(format!("{need} of {flavor}"), why);
                    break;
                }
                let Some(slot) = slots.next() else {
                    self.held(format!("{need} of {flavor}"), "no slot is free: see what stands in their way".into());
                    break;
                };
                let why = format!("{need} of {flavor} are missing, room for {room}");
                let action = Action::Begin { slot, flavor: flavor.clone() };
                self.plan.steps.push(Step { action, name: None, why });
                (*need, room, starts) = (*need - 1, room - 1, starts - 1);
            }
        }
    }

    /// Flavors of which fewer wait than should, the neediest first.
    pub(super) fn needs(&self, target: &Target) -> Vec<(FlavorId, u32)> {
        let mut have: BTreeMap<&FlavorId, u32> = BTreeMap::new();
        for cluster in &self.view.clusters {
            if matches!(cluster.phase, Phase::Creating { .. } | Phase::Free { .. }) {
                *have.entry(&cluster.flavor).or_default() += 1;
            }
        }
        let mut needs: Vec<(FlavorId, u32)> = target
            .want
            .iter()
            .filter(|(flavor, _)| self.facts.flavors.contains_key(*flavor))
            .map(|(flavor, want)| (flavor.clone(), want.saturating_sub(have.get(flavor).copied().unwrap_or(0))))
            .filter(|(_, need)| *need > 0)
            .collect();
        needs.sort_by_key(|(_, need)| std::cmp::Reverse(*need));
        needs
    }

    fn failing_flavor(&self, flavor: &FlavorId) -> Option<Retry> {
        self.view.memory.failures.get(flavor).filter(|retry| retry.not_before > self.now).cloned()
    }

    /// Slots that nothing stands in, lowest first; says which ones it passed over.
    fn free_slots(&mut self, seen: &Seen) -> std::vec::IntoIter<Slot> {
        let occupied: BTreeSet<Slot> =
            self.view.clusters.iter().map(|c| c.slot).chain(self.view.memory.beginning.iter().copied()).collect();
        let mut free = Vec::new();
        for slot in (0..self.facts.slots).map(Slot).filter(|slot| !occupied.contains(slot)) {
            let refused = self.view.memory.refused_slots.get(&slot).filter(|retry| retry.not_before > self.now);
            match seen.blocked.get(&slot).or(refused.map(|retry| &retry.error)) {
                Some(why) => self.held(format!("slot {slot}"), format!("passed over: {why}")),
                None => free.push(slot),
            }
            // More than can be begun at once is of no use.
            if free.len() >= self.policy.bring_up_at_once {
                break;
            }
        }
        free.into_iter()
    }
}

fn is_failed(cluster: &Cluster) -> bool {
    matches!(cluster.phase, Phase::Failed { .. })
}

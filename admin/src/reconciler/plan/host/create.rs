//! Decides which clusters to begin on a host. Part of [`super`]: as plain as it.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, FlavorId, HostPurpose, Phase, PhaseKind, Slot};

use super::Planner;
use crate::reconciler::memory::Retry;
use crate::reconciler::plan::pool::Target;
use crate::reconciler::plan::{About, Action, Step};
use crate::reconciler::view::Seen;

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
            return self.lasts(what(wanted as usize), "the host is not schedulable".into());
        }
        let memory = &self.view.memory;
        let beginning = self.beginning().count();
        let taken = self.view.clusters.len() + beginning;
        let mut room = usize::from(host.settings.capacity).saturating_sub(taken);
        if room < wanted as usize {
            let removing = self.view.clusters.iter().filter(|c| c.may_vanish() || is_failed(c)).count();
            let why = format!("no room on the host: capacity {}, {removing} being removed", host.settings.capacity);
            self.held(what(wanted as usize - room), why);
        }
        if let Some(hold) = memory.host_hold.clone().filter(|hold| hold.not_before > self.now) {
            let why = format!("{}; {}", hold.error, self.until(&hold));
            return self.held_until(hold.not_before, About::Host, what(wanted as usize), why);
        }
        let creating = self.view.clusters.iter().filter(|c| c.phase.kind() == PhaseKind::Creating).count();
        let (at_once, limit) = self.makings_at_once();
        let mut starts = at_once.saturating_sub(creating + beginning);
        let mut slots = self.free_slots(seen);
        for (flavor, need) in &mut needs {
            let mut tries = usize::MAX;
            if let Some(retry) = memory.failures.get(flavor) {
                let failed = format!("could not be made {} times, last: {}", retry.times, retry.error);
                if retry.not_before > self.now {
                    let why = format!("{failed}; {}", self.until(retry));
                    let about = About::Flavor(flavor.clone());
                    self.held_until(retry.not_before, about, format!("{need} of {flavor}"), why);
                    continue;
                }
                // The wait is over: exactly one is tried, and its success ends the matter.
                tries = 1usize.saturating_sub(self.being_made(flavor));
                if *need as usize > tries {
                    self.held_of(
                        About::Flavor(flavor.clone()),
                        format!("{} of {flavor}", *need as usize - tries),
                        format!("{failed}; one is tried first"),
                    );
                }
            }
            while *need > 0 && room > 0 && tries > 0 {
                if starts == 0 {
                    self.held_of(About::Flavor(flavor.clone()), format!("{need} of {flavor}"), limit.clone());
                    break;
                }
                let Some(slot) = slots.next() else {
                    let why = "no slot is free: see what stands in their way".into();
                    self.held_of(About::Flavor(flavor.clone()), format!("{need} of {flavor}"), why);
                    break;
                };
                let why = format!("{need} of {flavor} are missing, room for {room}");
                let action = Action::Begin { slot, flavor: flavor.clone() };
                self.plan.steps.push(Step { action, name: None, why });
                (*need, room, starts, tries) = (*need - 1, room - 1, starts - 1, tries - 1);
            }
        }
    }

    /// How many may be being made at once, and why no more.
    pub(super) fn makings_at_once(&self) -> (usize, String) {
        let (memory, host) = (&self.view.memory, &self.view.host);
        if !memory.is_careful(host, self.policy, self.now) {
            let at_once = self.policy.bring_up_at_once;
            return (at_once, format!("the host is at its limit of {at_once} at once"));
        }
        let why = match &memory.host_hold {
            Some(hold) => format!("one is made first: {}", hold.error),
            None if memory.mishaps.is_empty() => "one is made first: the host was away".into(),
            None => "one is made first: the last one failed".into(),
        };
        (self.policy.bring_up_at_once.min(1), why)
    }

    fn being_made(&self, flavor: &FlavorId) -> usize {
        let creating = |c: &&Cluster| c.phase.kind() == PhaseKind::Creating && c.flavor == *flavor;
        let beginning = self.beginning().filter(|one| *one == flavor).count();
        self.view.clusters.iter().filter(creating).count() + beginning
    }

    /// Flavors of clusters that are being begun and have no record yet.
    fn beginning(&self) -> impl Iterator<Item = &FlavorId> {
        let written = |slot: &Slot| self.view.clusters.iter().any(|cluster| cluster.slot == *slot);
        self.view.memory.beginning.iter().filter(move |(slot, _)| !written(slot)).map(|(_, flavor)| flavor)
    }

    fn until(&self, retry: &Retry) -> String {
        format!("tried again in {} s", retry.not_before.since(self.now).as_secs().max(1))
    }

    /// Flavors of which fewer wait than should: those that failed last come last, those of which none waits come first,
    /// then the neediest.
    pub(super) fn needs(&self, target: &Target) -> Vec<(FlavorId, u32)> {
        let waits = |cluster: &&Cluster| matches!(cluster.phase, Phase::Creating { .. } | Phase::Free { .. });
        let waiting = self.view.clusters.iter().filter(waits).map(|cluster| &cluster.flavor);
        let mut have: BTreeMap<&FlavorId, u32> = BTreeMap::new();
        for flavor in waiting.chain(self.beginning()) {
            *have.entry(flavor).or_default() += 1;
        }
        let mut needs: Vec<(FlavorId, u32)> = target
            .want
            .iter()
            .filter(|(flavor, _)| self.facts.flavors.contains_key(*flavor))
            .map(|(flavor, want)| (flavor.clone(), want.saturating_sub(have.get(flavor).copied().unwrap_or(0))))
            .filter(|(_, need)| *need > 0)
            .collect();
        let failures = &self.view.memory.failures;
        needs.sort_by_key(|(flavor, need)| {
            (failures.contains_key(flavor), have.contains_key(flavor), std::cmp::Reverse(*need))
        });
        needs
    }

    /// Slots that nothing stands in, lowest first; says which ones it passed over.
    fn free_slots(&mut self, seen: &Seen) -> std::vec::IntoIter<Slot> {
        let occupied: BTreeSet<Slot> =
            self.view.clusters.iter().map(|c| c.slot).chain(self.view.memory.beginning.keys().copied()).collect();
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

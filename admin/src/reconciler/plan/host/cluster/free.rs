//! Decides what to do with a cluster that waits for a user. Part of [`super`]: as plain as it.

use common::model::{Cluster, Health, Phase, Why};

use super::nodes::{broken, not_running, unhealthy};
use crate::reconciler::memory::{Busy, WANT_OF_MEMORY};
use crate::reconciler::plan::host::Planner;
use crate::reconciler::plan::{About, Action, Work};
use crate::reconciler::view::Found;

/// A free cluster with which something failed so many times is replaced.
const FREE_TRIES: u32 = 3;

/// A free cluster whose nodes ended so often, though its engine brought them back each time, is replaced.
const DEATHS: u32 = 3;

impl Planner<'_> {
    pub(super) fn free(&mut self, cluster: &Cluster, found: Option<&Found>) {
        if let Some(why) = self.cleared() {
            return self.remove(cluster, why);
        }
        if self.flavor_changed(cluster) && self.may_roll(cluster) {
            return self.remove(cluster, Why::FlavorChanged);
        }
        // A node that ran and does not, though nobody stopped it: the network is broken.
        if let Some(mut seen) = broken(cluster, found) {
            let heard = self.view.memory.suspects.get(&cluster.id).filter(|ended| ended.for_want_of_memory());
            if let Some(ended) = heard.filter(|_| !seen.contains(WANT_OF_MEMORY)) {
                seen = format!("{seen}; {}", ended.seen);
            }
            return self.fail(cluster, Why::Unhealthy { seen });
        }
        let deaths = self.view.memory.deaths.get(&cluster.id).copied().unwrap_or(0);
        if deaths >= DEATHS {
            return self.fail(cluster, Why::Unhealthy { seen: format!("its nodes ended {deaths} times") });
        }
        if let Some(seen) = unhealthy(cluster, found) {
            return self.fail(cluster, Why::Unhealthy { seen });
        }
        // Nothing of it is worth many tries while nobody holds it.
        if let Some(retry) = self.view.memory.retries.get(&cluster.id).filter(|retry| retry.times >= FREE_TRIES) {
            return self.fail(cluster, Why::Unhealthy { seen: retry.error.clone() });
        }
        if self.readdress(cluster) || self.wishes(cluster, found) {
            return;
        }
        if let Some(seen) = not_running(cluster, found) {
            return self.fail(cluster, Why::Unhealthy { seen });
        }
        let suspicion = self.view.memory.suspects.get(&cluster.id).filter(|_| cluster.health == Health::Ok);
        if let Some(seen) = suspicion.map(|suspicion| suspicion.seen.clone()) {
            let health = cluster.worse(seen.clone(), self.now);
            let action = Action::Record { cluster: cluster.id.clone(), nodes: Vec::new(), health };
            return self.step(cluster, action, seen);
        }
        let stopped = cluster.is_stopped();
        if stopped || !self.view.host.serves() {
            if cluster.offer.is_some() {
                let why = if stopped { "a node of it was stopped" } else { "the host is not schedulable" };
                return self.step(cluster, Action::Withdraw { cluster: cluster.id.clone() }, why);
            }
            if stopped {
                return;
            }
        }
        let look = self.view.memory.looks.get(&cluster.id).cloned();
        if let Some(look) = look.as_ref().filter(|look| look.bad > 0) {
            let seen = look.result.clone().err().unwrap_or_default();
            // One of an older flavor is asked by the new one's probes, which it need not satisfy: it only waits its turn to go.
            if look.bad >= self.policy.bad_looks && !self.flavor_changed(cluster) {
                return self.fail(cluster, Why::Unhealthy { seen });
            }
            if cluster.offer.is_some() || cluster.health == Health::Ok {
                let health = cluster.worse(seen.clone(), self.now);
                let action = Action::Record { cluster: cluster.id.clone(), nodes: Vec::new(), health };
                return self.step(cluster, action, seen);
            }
            return self.look_after(cluster, look.at + self.policy.probe_new_every * 4, seen);
        }
        // An old proof says nothing of a cluster that was ill, or whose nodes were restarted, since.
        if look.is_none() && cluster.health != Health::Ok {
            return self.look(cluster, self.now, "not known to be well".into());
        }
        let Some(good) = look.map(|look| look.at).max(cluster.proven_at) else {
            return self.look(cluster, cluster.created_at, "never probed".into());
        };
        // What happened while nobody listened, nobody knows; until then its old offer runs on.
        if self.view.memory.heard_since.is_some_and(|heard| good < heard) {
            return self.look(cluster, good, "not proven since its host was reached".into());
        }
        if self.deep(cluster) {
            return;
        }
        let fresh = good + self.policy.max_proof_age > self.now;
        match &cluster.offer {
            None if fresh && self.view.host.serves() => {
                let until = self.offer_until(good);
                let action = Action::OfferAgain { cluster: cluster.id.clone(), proven: good, until };
                return self.step(cluster, action, "proven well");
            }
            Some(offer) if fresh => self.renew(cluster, good, Some(offer.until)),
            Some(_) | None => {}
        }
        self.look_again(cluster, good, self.policy.probe_every);
    }

    /// Whether a free cluster of an older flavor may go now: one at a time on a host, and only while its successors
    /// can be made, so that a new image that is not there does not empty the pool.
    fn may_roll(&mut self, cluster: &Cluster) -> bool {
        let (view, now) = (self.view, self.now);
        let on_its_way =
            |c: &Cluster| matches!(c.phase, Phase::Creating { .. } | Phase::Removing { why: Why::FlavorChanged, .. });
        // What is being written of another one may be that it goes.
        let going = |c: &Cluster| {
            let writes = |busy: &Busy| busy.work == Work::Write;
            self.flavor_changed(c) && view.memory.busy.get(&c.id).is_some_and(writes)
        };
        let moving = view.clusters.iter().any(|c| on_its_way(c) || going(c)) || !view.memory.beginning.is_empty();
        // None is made again of a flavor that is gone; others take its place.
        let made_again = self.facts.flavors.contains_key(&cluster.flavor);
        let lately = self.policy.flavor_backoff.limit;
        let fails = view.memory.failures.get(&cluster.flavor).is_some_and(|retry| retry.not_before + lately > now)
            || view.memory.host_hold.as_ref().is_some_and(|hold| hold.not_before > now);
        let kept_up = view.host.fills() && !self.short_of.contains(&cluster.flavor);
        let may = !self.rolled && !moving && (!made_again || (kept_up && !fails));
        if may {
            self.rolled = true;
        } else {
            let what = format!("replacing {}", cluster.name);
            self.held_of(About::Cluster(cluster.id.clone()), what, "its flavor changed; one at a time".into());
        }
        may
    }
}

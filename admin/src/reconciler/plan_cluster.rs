//! Decides what to do with one cluster of a host whose engine answers. Part of [`super::plan_host`]: as plain as it.

use std::time::Duration;

use common::model::{Cluster, Health, NodeState, Phase, Timestamp, Want, Why};
use common::store::Proof;

use super::node_view::{broken, changed_nodes, not_running, same_health, seen_nodes};
use super::plan::{Action, NodeChange, NodeStep};
use super::plan_host::{LookWanted, Planner};
use super::view::{Doom, Found};

/// A free cluster with which something failed so many times is replaced.
const FREE_TRIES: u32 = 3;
/// A proof waits so long for others of the host, to be written down with them.
const PROOF_WAITS: Duration = Duration::from_secs(3);

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
            Phase::Releasing { since, deadline, .. } | Phase::Removing { since, deadline, .. } => {
                self.take_down(cluster, *since, Some(*deadline));
            }
            Phase::Lost { since, .. } => self.take_down(cluster, *since, None),
        }
    }

    fn creating(&mut self, cluster: &Cluster, found: Option<&Found>, since: Timestamp, deadline: Timestamp) {
        if let Some(why) = self.cleared() {
            return self.remove(cluster, why);
        }
        if self.flavor_changed(cluster) {
            return self.fail(cluster, Why::FlavorChanged);
        }
        if self.readdress(cluster) {
            return;
        }
        match self.view.memory.doomed.get(&cluster.id) {
            Some(Doom::Fails(error)) => return self.fail(cluster, Why::CreateFailed { error: error.clone() }),
            Some(Doom::GivesUp(error)) => return self.remove(cluster, Why::CreateFailed { error: error.clone() }),
            None => {}
        }
        let missing = not_running(cluster, found);
        let look = self.view.memory.looks.get(&cluster.id).filter(|look| look.at >= since).cloned();
        let settled = self.view.memory.brought_up.get(&cluster.id).map(|at| *at + self.policy.settle);
        let deadline = settled.map_or(deadline, |settled| settled.max(deadline));
        if deadline <= self.now {
            let seen = look.and_then(|look| look.result.err());
            let missing = missing.or(seen).unwrap_or_else(|| "it was not probed".into());
            return self.fail(cluster, Why::CreateTimedOut { missing });
        }
        self.wake(deadline);
        if let Some(missing) = missing {
            if self.waits(&cluster.id, &format!("bringing up {}", cluster.name)) {
                return;
            }
            if self.bring_ups == 0 {
                let (_, why) = self.makings_at_once();
                return self.held(format!("bringing up {}", cluster.name), why);
            }
            self.bring_ups -= 1;
            return self.step(cluster, Action::BringUp { cluster: cluster.id.clone() }, missing);
        }
        match look {
            Some(look) if look.result.is_ok() && look.at + self.policy.max_proof_age > self.now => {
                let until = self.offer_until(look.at);
                let nodes = seen_nodes(cluster, found);
                let action = Action::OfferOut { cluster: cluster.id.clone(), nodes, proven: look.at, until };
                self.step(cluster, action, "every node runs and its probes hold");
            }
            Some(look) if look.result.is_ok() => self.look(cluster, look.at, "its proof is old".into()),
            Some(look) if look.at + self.policy.probe_new_every > self.now => {
                self.wake(look.at + self.policy.probe_new_every);
            }
            Some(look) => {
                self.look(cluster, look.at, format!("not ready yet: {}", look.result.err().unwrap_or_default()));
            }
            None => self.look(cluster, since, "every node runs".into()),
        }
    }

    fn free(&mut self, cluster: &Cluster, found: Option<&Found>) {
        if let Some(why) = self.cleared() {
            return self.remove(cluster, why);
        }
        if self.flavor_changed(cluster) && self.may_roll(cluster) {
            return self.remove(cluster, Why::FlavorChanged);
        }
        // A node that ran and does not, though nobody stopped it: the network is broken.
        if let Some(seen) = broken(cluster, found) {
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
        if self.view.memory.suspects.contains_key(&cluster.id) && cluster.health == Health::Ok {
            let seen = "a node ended".to_owned();
            let health = cluster.worse(seen.clone(), self.now);
            let action = Action::Record { cluster: cluster.id.clone(), nodes: Vec::new(), health };
            return self.step(cluster, action, seen);
        }
        let stopped = cluster.wishes.values().any(|wish| wish.want == Want::Stopped);
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
        let good = look.map(|look| look.at).max(cluster.proven_at);
        let Some(good) = good else {
            return self.look(cluster, cluster.created_at, "never probed".into());
        };
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
        self.look_again(cluster, good + self.policy.probe_every, self.policy.probe_every);
    }

    fn in_use(&mut self, cluster: &Cluster, found: Option<&Found>) {
        let nodes = changed_nodes(cluster, found);
        let bad = not_running(cluster, found);
        let stopped = cluster.wishes.values().any(|wish| wish.want == Want::Stopped);
        let look = self.view.memory.looks.get(&cluster.id).cloned();
        let health = match (&bad, stopped, &look) {
            (Some(seen), _, _) => cluster.worse(seen.clone(), self.now),
            (None, true, _) => Health::Unknown,
            (None, false, Some(look)) => match &look.result {
                Ok(()) => Health::Ok,
                Err(seen) => cluster.worse(seen.clone(), self.now),
            },
            (None, false, None) => cluster.health.clone(),
        };
        if !nodes.is_empty() || !same_health(&health, &cluster.health) {
            let why = match &health {
                Health::Failing { seen, .. } => seen.clone(),
                Health::Ok => "it is well".into(),
                Health::Unknown => "a node was stopped".into(),
            };
            let action = Action::Record { cluster: cluster.id.clone(), nodes, health };
            return self.step(cluster, action, why);
        }
        if self.readdress(cluster) || self.wishes(cluster, found) || bad.is_some() || stopped {
            return;
        }
        if let Some(look) = look.as_ref().filter(|look| look.result.is_ok()) {
            self.renew(cluster, look.at, None);
        }
        let every = self.policy.probe_leased_every;
        match (&look, &cluster.health) {
            // What is not known to be well is asked at once and then every second, for a while.
            (None, Health::Failing { .. } | Health::Unknown) => {
                self.look(cluster, self.now, "its proof gets old".into())
            }
            (Some(look), _) if (1..=self.policy.bad_looks).contains(&look.bad) => {
                let seen = look.result.clone().err().unwrap_or_default();
                self.look_after(cluster, look.at + self.policy.probe_new_every * 4, seen);
            }
            (Some(look), _) => self.look_again(cluster, look.at + every, every),
            (None, Health::Ok) => {
                self.look_again(cluster, cluster.proven_at.map_or(self.now, |at| at + every), every);
            }
        }
    }

    /// Carries out what users and operators want of nodes, of all nodes at once, and brings back those that ended though
    /// they should run; their ledgers are in their containers. Whether there was anything to do.
    fn wishes(&mut self, cluster: &Cluster, found: Option<&Found>) -> bool {
        let mut changes = Vec::new();
        for (name, wish) in &cluster.wishes {
            let (Some(node), Some(now)) = (cluster.nodes.get(name), found.and_then(|f| f.nodes.get(name))) else {
                continue;
            };
            let runs = matches!(now.state, NodeState::Running | NodeState::Paused | NodeState::Restarting);
            let change = match wish.want {
                Want::Stopped if runs => NodeChange::Stop,
                Want::Stopped => continue,
                Want::Running if node.restarted_seq < wish.restart_seq => NodeChange::Restart,
                Want::Running if now.state == NodeState::Paused && node.state == NodeState::Paused => NodeChange::Start,
                // It was seen stopped and is to run.
                Want::Running if !runs && node.state != NodeState::Running => NodeChange::Start,
                Want::Running => continue,
            };
            let (node, container) = (name.clone(), now.container.clone());
            changes.push(NodeStep { node, container, change, restart_seq: wish.restart_seq });
        }
        self.change_nodes(cluster, changes, "as it is wanted")
    }

    fn change_nodes(&mut self, cluster: &Cluster, changes: Vec<NodeStep>, why: &str) -> bool {
        if changes.is_empty() {
            return false;
        }
        if !self.waits(&cluster.id, &format!("changing nodes of {}", cluster.name)) {
            self.step(cluster, Action::ChangeNodes { cluster: cluster.id.clone(), changes }, why);
        }
        true
    }

    /// Tells users the host's new address, if that changed since the cluster was made.
    fn readdress(&mut self, cluster: &Cluster) -> bool {
        let address = &self.view.host.settings.address;
        let old = cluster.endpoints.values().any(|endpoint| endpoint.address != *address);
        if old {
            let action = Action::Readdress { cluster: cluster.id.clone(), address: address.clone() };
            self.step(cluster, action, "the host's address changed");
        }
        old
    }

    /// Whether a free cluster of an older flavor may go now: one at a time on a host, and only while its successors
    /// can be made, so that a new image that is not there does not empty the pool.
    fn may_roll(&mut self, cluster: &Cluster) -> bool {
        let (view, now) = (self.view, self.now);
        let on_its_way =
            |c: &Cluster| matches!(c.phase, Phase::Creating { .. } | Phase::Removing { why: Why::FlavorChanged, .. });
        let moving = view.clusters.iter().any(on_its_way) || !view.memory.beginning.is_empty();
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
            self.held(format!("replacing {}", cluster.name), "its flavor changed; one at a time".into());
        }
        may
    }

    fn take_down(&mut self, cluster: &Cluster, since: Timestamp, deadline: Option<Timestamp>) {
        let what = format!("removing {}", cluster.name);
        if self.left_there(&cluster.id) {
            return self.drop_record(cluster);
        }
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            let seconds = self.now.since(since).as_secs();
            self.held(what.clone(), format!("overdue: it has been going on for {seconds} s"));
        }
        if self.waits(&cluster.id, &what) {
            return;
        }
        if self.take_downs == 0 {
            let why = self.take_down_limit();
            return self.held(what, why);
        }
        self.take_downs -= 1;
        let why = match &cluster.phase {
            Phase::Releasing { by, .. } => format!("released by {by}"),
            Phase::Removing { why, .. } | Phase::Failed { why, .. } => why.to_string(),
            Phase::Lost { reason, .. } => reason.clone(),
            Phase::Creating { .. } | Phase::Free { .. } | Phase::InUse { .. } => String::new(),
        };
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

    fn fail(&mut self, cluster: &Cluster, why: Why) {
        let reason = why.to_string();
        self.step(cluster, Action::Fail { cluster: cluster.id.clone(), why }, reason);
    }

    fn look_after(&mut self, cluster: &Cluster, due: Timestamp, why: String) {
        if due <= self.now { self.look(cluster, due, why) } else { self.wake(due) }
    }

    /// A probe of one that was well, as every so often. Those that are nearly due go along when any of the host is: a host
    /// is left at rest the longer.
    fn look_again(&mut self, cluster: &Cluster, due: Timestamp, every: Duration) {
        let why = "its proof gets old".to_owned();
        if due <= self.now {
            return self.look(cluster, due, why);
        }
        self.wake(due);
        if due <= self.now + every / 5 {
            self.looks_soon.push(wanted(cluster, due, why));
        }
    }

    /// Wants a probe; which ones are sent is decided when all are known.
    fn look(&mut self, cluster: &Cluster, due: Timestamp, why: String) {
        self.looks_wanted.push(wanted(cluster, due, why));
    }

    /// Writes a proof down, in one batch for the host: before the offer runs out, or when the record's own is old by then.
    fn renew(&mut self, cluster: &Cluster, good: Timestamp, offered: Option<Timestamp>) {
        let until = self.offer_until(good);
        let margin = self.policy.probe_every.min(self.policy.host_silence / 2);
        let ends = offered.is_some_and(|offered| until > offered && offered < self.now + margin);
        let every = if offered.is_some() { self.policy.probe_every } else { self.policy.probe_leased_every };
        if ends || cluster.proven_at.is_none_or(|at| at + every / 2 < good) {
            // Others are about to be proven as well; it waits for them a moment, if it can.
            let soon = offered.is_some_and(|offered| offered < self.now + margin / 2);
            self.proof_waits &= !soon && good + PROOF_WAITS > self.now;
            self.proofs.push(Proof { cluster: cluster.id.clone(), at: good, offer_until: until });
        }
    }

    /// How long a cluster that was proven then may be given out: not beyond its proof's age, nor beyond the host's
    /// silence, and not at all on a host that does not serve.
    fn offer_until(&self, good: Timestamp) -> Timestamp {
        if !self.view.host.serves() {
            return self.now;
        }
        let by_host = self.view.host.contact.last_answer + self.policy.host_silence;
        (good + self.policy.max_proof_age).min(by_host)
    }

    fn flavor_changed(&self, cluster: &Cluster) -> bool {
        self.facts.flavors.get(&cluster.flavor) != Some(&cluster.flavor_digest)
    }
}

fn wanted(cluster: &Cluster, due: Timestamp, why: String) -> LookWanted {
    let (rank, name) = (cluster.phase.kind(), cluster.name.clone());
    LookWanted { rank, due, cluster: cluster.id.clone(), name, why }
}

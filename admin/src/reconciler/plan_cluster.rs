//! Decides what to do with one cluster of a host whose engine answers. Part of [`super::plan_host`]: as plain as it.

use std::time::Duration;

use common::model::{Cluster, ClusterId, Phase, Timestamp, Why};
use common::store::Proof;

use super::node_view::{not_running, seen_nodes, unhealthy};
use super::plan::{About, Action, Stop};
use super::plan_host::{LookWanted, Planner};
use super::view::{Doom, Found, Work};

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
        let look = self.view.memory.looks.get(&cluster.id).cloned();
        let since = self.view.memory.heard_since.map_or(since, |heard| heard.max(since));
        let look = look.filter(|look| look.at >= since);
        let deadline = self.late_after(cluster, deadline);
        if deadline <= self.now {
            let seen = look.and_then(|look| look.result.err()).or_else(|| unhealthy(cluster, found));
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
                return self.held_of(About::Cluster(cluster.id.clone()), format!("bringing up {}", cluster.name), why);
            }
            self.bring_ups -= 1;
            return self.step(cluster, Action::BringUp { cluster: cluster.id.clone() }, missing);
        }
        match look {
            Some(look) if look.result.is_ok() && unhealthy(cluster, found).is_some() => {
                self.look_after(cluster, look.at + self.policy.probe_new_every, "its own check fails".into());
            }
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

    /// When a making counts as late. Its nodes get a moment after they were started, however late that was.
    fn late_after(&self, cluster: &Cluster, deadline: Timestamp) -> Timestamp {
        let settled = self.view.memory.brought_up.get(&cluster.id).map(|at| *at + self.policy.settle);
        settled.map_or(deadline, |settled| settled.max(deadline))
    }

    /// Stops a bringing up that is under way and is not wanted any more: it may be waiting for an image for many minutes.
    pub(super) fn stop_making(&mut self, cluster: &Cluster, surplus: bool) {
        let busy = self.view.memory.busy.get(&cluster.id);
        if busy.is_none_or(|busy| busy.work != Work::BringUp) {
            return;
        }
        let why = match &cluster.phase {
            Phase::Creating { deadline, .. } => {
                let late = self.late_after(cluster, *deadline);
                let pulls = self.view.memory.pulling.contains_key(&cluster.id);
                if !pulls && late > self.now {
                    self.wake(late);
                }
                if let Some(why) = self.cleared() {
                    why.to_string()
                } else if self.flavor_changed(cluster) {
                    Why::FlavorChanged.to_string()
                } else if surplus {
                    Why::PoolShrunk.to_string()
                } else if !pulls && late <= self.now {
                    "not ready in time".into()
                } else {
                    return;
                }
            }
            phase => format!("it is {} by now", phase.kind().as_str()),
        };
        self.plan.stops.push(Stop { cluster: cluster.id.clone(), name: cluster.name.clone(), why });
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

    fn take_down(&mut self, cluster: &Cluster, since: Timestamp, deadline: Option<Timestamp>) {
        let what = format!("removing {}", cluster.name);
        if self.left_there(&cluster.id) {
            return self.drop_record(cluster);
        }
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            let seconds = self.now.since(since).as_secs();
            let why = format!("overdue: it has been going on for {seconds} s");
            self.held_of(About::Cluster(cluster.id.clone()), &what, why);
        }
        if self.waits(&cluster.id, &what) {
            return;
        }
        if self.take_downs == 0 {
            let why = self.take_down_limit();
            return self.held_of(About::Cluster(cluster.id.clone()), what, why);
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

    pub(super) fn fail(&mut self, cluster: &Cluster, why: Why) {
        let reason = why.to_string();
        self.step(cluster, Action::Fail { cluster: cluster.id.clone(), why }, reason);
    }

    pub(super) fn look_after(&mut self, cluster: &Cluster, due: Timestamp, why: String) {
        if due <= self.now { self.look(cluster, due, why) } else { self.wake(due) }
    }

    /// A probe of one that was well then, as every so often. Those that are nearly due go along when any of the host is: a
    /// host is left at rest the longer.
    pub(super) fn look_again(&mut self, cluster: &Cluster, good: Timestamp, every: Duration) {
        let heard = self.view.memory.heard_since;
        let (due, why) =
            (good + until_next_look(heard, good, every, spread(&cluster.id)), "its proof gets old".to_owned());
        if due <= self.now {
            return self.look(cluster, due, why);
        }
        self.wake(due);
        if due <= self.now + every / 10 {
            self.looks_soon.push(wanted(cluster, due, why));
        }
    }

    /// Wants a probe; which ones are sent is decided when all are known.
    pub(super) fn look(&mut self, cluster: &Cluster, due: Timestamp, why: String) {
        self.looks_wanted.push(wanted(cluster, due, why));
    }

    /// Writes a proof down, in one batch for the host: before the offer runs out, or when the record's own is old by then.
    pub(super) fn renew(&mut self, cluster: &Cluster, good: Timestamp, offered: Option<Timestamp>) {
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
    pub(super) fn offer_until(&self, good: Timestamp) -> Timestamp {
        if !self.view.host.serves() {
            return self.now;
        }
        let by_host = self.view.host.contact.last_answer + self.policy.host_silence;
        (good + self.policy.max_proof_age).min(by_host)
    }

    pub(super) fn flavor_changed(&self, cluster: &Cluster) -> bool {
        self.facts.flavors.get(&cluster.flavor) != Some(&cluster.flavor_digest)
    }
}

fn wanted(cluster: &Cluster, due: Timestamp, why: String) -> LookWanted {
    LookWanted {
        rank: cluster.phase.kind(),
        turn: 0,
        due,
        flavor: cluster.flavor.clone(),
        cluster: cluster.id.clone(),
        name: cluster.name.clone(),
        why,
    }
}

/// How long after a proof the next look is due. After a blind spell all of a pool's clusters are proven at once, and would be
/// at once each time from then on: so each has its own moment in the first span between two looks, by its `share` of it.
fn until_next_look(heard: Option<Timestamp>, good: Timestamp, every: Duration, share: f64) -> Duration {
    let Some(heard) = heard.filter(|heard| good.since(*heard) < every) else { return every };
    let moment = heard + every.mul_f64(share);
    let wait = if moment > good { moment.since(good) } else { (moment + every).since(good) };
    // One that is due as soon as it was proven has had its turn.
    if wait < every / 10 { every } else { wait }
}

/// From 0 to 1, each cluster its own: ids are random.
fn spread(id: &ClusterId) -> f64 {
    let sum = id.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    f64::from(sum % 1000) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand clusters that were proven within a third of the time between two looks, when their hosts were reached: how
    /// many are looked at in each tenth of the time after it.
    #[test]
    fn looks_after_a_blind_spell_spread_over_the_time_between_two() {
        let (heard, every) = (Timestamp::from_millis(1_000_000), Duration::from_secs(1000));
        let mut looks = [0_u32; 40];
        for number in 0..1000_u32 {
            let (share, mut good) =
                (f64::from(number * 7 % 1000) / 1000.0, heard + Duration::from_millis(300) * number);
            loop {
                let wait = until_next_look(Some(heard), good, every, share);
                assert!(wait >= every / 10 && wait <= every, "{wait:?}");
                good = good + wait;
                let Some(tenth) = looks.get_mut(usize::try_from(good.since(heard).as_secs() / 100).unwrap()) else {
                    break;
                };
                *tenth += 1;
            }
        }
        assert!(looks[3..].iter().all(|count| (60..=160).contains(count)), "{looks:?}");
    }

    #[test]
    fn a_look_is_repeated_after_the_whole_time_when_there_was_no_blind_spell_lately() {
        let (now, every) = (Timestamp::from_millis(1_000_000), Duration::from_secs(30));
        assert_eq!(until_next_look(None, now, every, 0.5), every);
        assert_eq!(until_next_look(Some(now), now + every, every, 0.5), every);
    }
}

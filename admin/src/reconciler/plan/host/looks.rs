//! Decides which clusters of a host are probed now, and when each is the next time. Part of
//! [`super`]: as plain as it.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::{Cluster, ClusterId, ClusterName, FlavorId, PhaseKind, Timestamp};

use super::Planner;
use crate::reconciler::plan::{Action, Step};

/// A probe that should be sent. Ordered: new clusters first, then free ones, then leased ones, so that networks that users
/// broke take nobody's turn. Among free ones the flavor of which fewest are on offer goes first, for it is likely to be
/// needed next: after a blind spell that decides who is taken into service. Then the longest due first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LookWanted {
    pub rank: PhaseKind,
    /// How many of its flavor are on offer, or will be probed before.
    pub turn: usize,
    pub due: Timestamp,
    pub flavor: FlavorId,
    pub cluster: ClusterId,
    pub name: ClusterName,
    pub why: String,
}

impl Planner<'_> {
    /// Sends as many of the wanted probes as may be under way at once; one that ends wakes the loop for the next.
    pub(super) fn looks(&mut self, at_once: usize) {
        let mut wanted = std::mem::take(&mut self.looks_wanted);
        if !wanted.is_empty() {
            wanted.append(&mut self.looks_soon);
        }
        wanted.sort();
        let mut turns: BTreeMap<FlavorId, usize> = BTreeMap::new();
        for cluster in &self.view.clusters {
            let offered = cluster.offer.as_ref().is_some_and(|offer| offer.until > self.now);
            *turns.entry(cluster.flavor.clone()).or_default() += usize::from(offered);
        }
        for look in wanted.iter_mut().filter(|look| look.rank == PhaseKind::Free) {
            let turn = turns.entry(look.flavor.clone()).or_default();
            look.turn = *turn;
            *turn += 1;
        }
        wanted.sort();
        for LookWanted { cluster, name, why, .. } in wanted.into_iter().take(at_once) {
            self.plan.steps.push(Step { action: Action::Look { cluster }, name: Some(name), why });
        }
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

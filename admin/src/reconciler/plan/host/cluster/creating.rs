//! Decides what to do with a cluster that is being made: what is still to be brought up, when it is free, when it is late,
//! and when a bringing up that is under way is stopped. Part of [`super`]: as plain as it.

use common::model::{Cluster, Phase, Timestamp, Why};

use super::nodes::{not_running, seen_nodes, unhealthy};
use crate::reconciler::memory::Doom;
use crate::reconciler::plan::host::Planner;
use crate::reconciler::plan::{About, Action, Stop, Work};
use crate::reconciler::view::Found;

impl Planner<'_> {
    pub(super) fn creating(&mut self, cluster: &Cluster, found: Option<&Found>, since: Timestamp, deadline: Timestamp) {
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
    pub(in super::super) fn stop_making(&mut self, cluster: &Cluster, surplus: bool) {
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
}

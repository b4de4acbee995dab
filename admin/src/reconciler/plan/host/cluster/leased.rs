//! Decides what to do with a cluster that a user holds, and with the nodes of any that runs. Part of [`super`]: as plain
//! as it.

use common::model::{Cluster, Health, NodeState, Want};

use super::nodes::{changed_nodes, not_running, same_health, unhealthy};
use crate::reconciler::plan::host::Planner;
use crate::reconciler::plan::{About, Action, NodeChange, NodeStep};
use crate::reconciler::view::Found;

impl Planner<'_> {
    pub(super) fn in_use(&mut self, cluster: &Cluster, found: Option<&Found>) {
        let nodes = changed_nodes(cluster, found);
        let bad = not_running(cluster, found).or_else(|| unhealthy(cluster, found));
        let stopped = cluster.is_stopped();
        let look = self.view.memory.looks.get(&cluster.id).cloned();
        // It runs again, and had ended though nobody asked for it.
        let ended =
            self.view.memory.suspects.get(&cluster.id).filter(|ended| !ended.ours && cluster.health == Health::Ok);
        let ended = ended.map(|ended| ended.seen.clone());
        let health = match (&bad, stopped, &look) {
            (Some(seen), _, _) => cluster.worse(seen.clone(), self.now),
            (None, true, _) => Health::Unknown,
            (None, false, Some(look)) => match &look.result {
                Ok(()) => Health::Ok,
                Err(seen) => cluster.worse(seen.clone(), self.now),
            },
            (None, false, None) => ended.map_or_else(|| cluster.health.clone(), |seen| cluster.worse(seen, self.now)),
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
        // What is not known to be well is asked at once and then every second, for a while.
        let soon = match (&look, &cluster.health) {
            (None, Health::Failing { .. } | Health::Unknown) => Some(self.now),
            (Some(look), _) if (1..=self.policy.bad_looks).contains(&look.bad) => {
                Some(look.at + self.policy.probe_new_every * 4)
            }
            (Some(_), _) | (None, Health::Ok) => None,
        };
        match (soon, look.map(|look| look.at).or(cluster.proven_at)) {
            (Some(due), _) => self.look_after(cluster, due, "its proof gets old".into()),
            (None, Some(at)) => self.look_again(cluster, at, every),
            (None, None) => self.look(cluster, self.now, "its proof gets old".into()),
        }
    }

    /// Carries out what users and operators want of nodes, of all nodes at once, and brings back those that ended though
    /// they should run; their ledgers are in their containers. Whether there was anything to do.
    pub(super) fn wishes(&mut self, cluster: &Cluster, found: Option<&Found>) -> bool {
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
                Want::Running if !runs && node.state != NodeState::Running => {
                    if let Some(retry) = self.view.memory.revival(&cluster.id, name, self.now).cloned() {
                        let why = format!("started {} times, last: {}", retry.times, retry.error);
                        let what = format!("starting {name} of {} again", cluster.name);
                        self.held_until(retry.not_before, About::Cluster(cluster.id.clone()), what, why);
                        continue;
                    }
                    NodeChange::Start
                }
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
}

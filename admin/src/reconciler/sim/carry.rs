//! Carries one action out in the simulated pool of [`super`]: what the store's writes and the engine's calls do.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::*;

use super::{Sim, SimHost, Task};
use crate::reconciler::execute::outcome::{Failure, Outcome};
use crate::reconciler::plan::{Action, NodeChange};
use crate::reconciler::view::{Found, FoundNode};

impl Sim {
    /// What comes of an action at the end of its time.
    pub(super) fn carry_out(&mut self, i: usize, task: &Task) -> Outcome {
        let (chance, draw) = (self.draw(100) as u64, self.draw(4));
        let (now, new_id) = (self.now, self.id());
        let (bad, facts) = (&self.bad, &self.facts);
        let host = &mut self.hosts[i];
        let later = || Outcome::Failed(Failure::Later("refused".into()));
        if host.faults.away && !task.step.action.only_writes() {
            return match task.step.action {
                Action::Look { .. } => Outcome::Looked { at: task.began, result: Err("refused".into()) },
                _ => later(),
            };
        }
        let from = task.cluster.as_ref();
        let known = from.filter(|from| host.clusters.get(&from.id).is_some_and(|now| now.version == from.version));
        let moved = |host: &mut SimHost, to: Result<Cluster, IllegalMove>| match (known, to) {
            (Some(_), Ok(to)) => {
                host.clusters.insert(to.id.clone(), to);
                Outcome::Done
            }
            (_, _) => Outcome::Stale,
        };
        match &task.step.action {
            Action::Begin { slot, flavor } => {
                if host.clusters.values().any(|cluster| cluster.slot == *slot) {
                    return Outcome::Stale;
                }
                let id = ClusterId::parse(&new_id).unwrap();
                let cluster = Cluster::begin(NewCluster {
                    id: id.clone(),
                    name: ClusterName::of(&host.host.settings.name, *slot),
                    host: host.host.id.clone(),
                    host_name: host.host.settings.name.clone(),
                    slot: *slot,
                    flavor: flavor.clone(),
                    flavor_digest: facts.flavors[flavor].clone(),
                    size: 1,
                    nodes: vec![NodeName::parse("vp0").unwrap()],
                    endpoints: BTreeMap::new(),
                    now,
                    deadline: now + Duration::from_secs(60),
                });
                host.clusters.insert(id, cluster);
                Outcome::Done
            }
            Action::BringUp { .. } => {
                let Some(from) = from else { return Outcome::Stale };
                let failure = if bad.contains(&from.flavor) {
                    Some(Failure::Flavor("no such command".into()))
                } else if host.faults.no_image.contains(&from.flavor) {
                    Some(Failure::Image("no such image".into()))
                } else if host.faults.full {
                    Some(Failure::Host("no space left on device".into()))
                } else if chance < host.faults.breaks {
                    let words = || "it broke".to_owned();
                    let all = [Failure::Broke(words()), Failure::Slot(words()), Failure::Later(words())];
                    all.get(draw).cloned()
                } else {
                    None
                };
                let container = FoundNode {
                    container: from.id.to_string(),
                    state: NodeState::Running,
                    ended: None,
                    unhealthy: false,
                };
                let nodes = from.nodes.keys().map(|node| (node.clone(), container.clone())).collect();
                host.engine.insert(from.id.clone(), Found { nodes });
                failure.map_or(Outcome::Done, Outcome::Failed)
            }
            Action::DeepLook { .. } => Outcome::Stale,
            Action::Look { cluster } => {
                let runs = host.engine.get(cluster).is_some_and(|found| {
                    !found.nodes.is_empty() && found.nodes.values().all(|node| node.state == NodeState::Running)
                });
                let result = if runs { Ok(()) } else { Err("no answer".into()) };
                Outcome::Looked { at: task.began, result }
            }
            Action::OfferOut { nodes, proven, until, .. } => moved(
                host,
                from.unwrap().offer_out(0.5, *until, now).map(|mut to| {
                    to.proven_at = Some(*proven);
                    to.nodes.extend(nodes.iter().cloned());
                    to
                }),
            ),
            Action::OfferAgain { proven, until, .. } => moved(host, from.unwrap().offer_again(0.5, *until, *proven)),
            Action::Withdraw { .. } => moved(host, from.unwrap().withdraw()),
            Action::Record { nodes, health, .. } => moved(host, Ok(from.unwrap().seen(nodes.clone(), health.clone()))),
            Action::Fail { why, .. } => moved(host, from.unwrap().fail(why.clone(), now)),
            Action::Gather { why, .. } => moved(host, from.unwrap().remove(why.clone(), now)),
            Action::Lose { reason, .. } => moved(host, from.unwrap().lose(reason.clone(), now)),
            Action::Remove { why, .. } => moved(host, from.unwrap().remove(why.clone(), now)),
            Action::Readdress { address, .. } => moved(host, Ok(from.unwrap().readdressed(address))),
            Action::ChangeNodes { cluster, changes } => {
                let mut seen = Vec::new();
                for change in changes {
                    let state = match change.change {
                        NodeChange::Start | NodeChange::Restart => NodeState::Running,
                        NodeChange::Stop => NodeState::Exited,
                    };
                    let found = host.engine.get_mut(cluster).and_then(|found| found.nodes.get_mut(&change.node));
                    if let Some(node) = found {
                        node.state = state;
                    }
                    let container = Some(change.container.clone());
                    let node = Node { container, state, restarted_seq: change.restart_seq };
                    seen.push((change.node.clone(), node));
                }
                moved(host, Ok(from.unwrap().seen(seen, Health::Unknown)))
            }
            Action::TakeDown { cluster } | Action::DropRecord { cluster } => {
                if matches!(task.step.action, Action::TakeDown { .. }) {
                    host.engine.remove(cluster);
                }
                assert!(from.unwrap().may_vanish(), "{} is no cluster to drop", task.step);
                if known.is_none() {
                    return Outcome::Stale;
                }
                host.clusters.remove(cluster);
                Outcome::Done
            }
            Action::Sweep { cluster } => {
                if host.clusters.contains_key(cluster) {
                    return Outcome::Stale;
                }
                host.engine.remove(cluster);
                Outcome::Done
            }
            Action::Prove { proofs } => {
                for proof in proofs {
                    let Some(cluster) = host.clusters.get_mut(&proof.cluster) else { continue };
                    cluster.proven_at = Some(proof.at);
                    if let Some(offer) = &mut cluster.offer {
                        offer.until = proof.offer_until;
                    }
                }
                Outcome::Done
            }
            Action::EndPurpose { .. } => {
                host.host = host.host.with_purpose(HostPurpose::Serve);
                Outcome::Done
            }
            Action::DeleteHost => {
                assert!(host.clusters.is_empty(), "a host that is deleted has no clusters");
                host.host.version = 0;
                Outcome::Done
            }
        }
    }
}

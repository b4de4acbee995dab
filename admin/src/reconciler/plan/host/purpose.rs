//! Decides what operators' wishes for a host as a whole come to: filling it up, clearing it, letting it go. Part of
//! [`super`]: as plain as it.
//!
//! The wish is in the host's record, so it outlives every restart; what is left to do shows from what is there.

use std::time::Duration;

use common::model::{Cluster, ClusterId, ForeignKind, ForeignThing, HostPurpose, Phase, PhaseKind, Why};

use super::Planner;
use crate::reconciler::plan::{About, Action, Step};
use crate::reconciler::view::Seen;

/// On a host that is removed by force, what failed so many times is left where it is.
const FORCE_TRIES: u32 = 3;

/// Foreign things that could not be removed in so many tries are left where they are.
const FOREIGN_TRIES: u32 = 3;

/// After so long a host that is filled up counts as full once nothing is being made: more than a making takes that
/// has to pull its image.
const FILL_UP_LIMIT: Duration = Duration::from_secs(600);

/// Foreign things that an event names; more make no better sentence.
const NAMED: usize = 10;

impl Planner<'_> {
    /// Why clusters that nobody holds are to go, if operators want the host cleared.
    pub(super) fn cleared(&self) -> Option<Why> {
        let purpose = &self.view.host.purpose;
        match purpose {
            HostPurpose::Serve | HostPurpose::FillUp(_) => None,
            HostPurpose::Clean(asked) | HostPurpose::Drain(asked) | HostPurpose::Reset { asked, .. } => {
                Some(Why::HostCleared { purpose: purpose.as_str().to_owned(), by: asked.by.clone() })
            }
            HostPurpose::Leave { .. } => Some(Why::HostLeaves),
        }
    }

    /// Why leases end, if the host is removed by force.
    pub(super) fn forced(&self) -> Option<String> {
        match &self.view.host.purpose {
            HostPurpose::Leave { asked, by_force: true } => {
                Some(format!("host {} is removed by force, asked by {}", self.view.host.settings.name, asked.by))
            }
            HostPurpose::Serve
            | HostPurpose::FillUp(_)
            | HostPurpose::Clean(_)
            | HostPurpose::Drain(_)
            | HostPurpose::Reset { .. }
            | HostPurpose::Leave { by_force: false, .. } => None,
        }
    }

    /// Whether its removal failed so often that a removal by force goes on without it. Should the host be added again,
    /// what was left is swept.
    pub(super) fn left_there(&self, id: &ClusterId) -> bool {
        let tries = self.view.memory.retries.get(id).map_or(0, |retry| retry.times);
        tries >= FORCE_TRIES && self.forced().is_some()
    }

    pub(super) fn lose(&mut self, cluster: &Cluster, reason: &str) {
        let action = Action::Lose { cluster: cluster.id.clone(), reason: reason.to_owned() };
        self.step(cluster, action, reason);
    }

    pub(super) fn drop_record(&mut self, cluster: &Cluster) {
        let why = "the host is removed by force; what is on its engine stays there";
        self.step(cluster, Action::DropRecord { cluster: cluster.id.clone() }, why);
    }

    /// Removes a host by force whose engine does not answer: leases end, and once it counts as away the records go.
    pub(super) fn force_without_engine(&mut self, reason: &str, inactive: bool) {
        for cluster in self.view.clusters.iter().filter(|cluster| !self.view.memory.busy.contains_key(&cluster.id)) {
            match &cluster.phase {
                Phase::InUse { .. } => self.lose(cluster, reason),
                Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. } => {
                    self.remove(cluster, Why::HostLeaves);
                }
                Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } if inactive => {
                    self.drop_record(cluster);
                }
                Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } => {}
            }
        }
        if self.view.clusters.is_empty() && inactive && self.is_idle() {
            self.delete_host("it is removed by force, has no clusters, and its engine does not answer");
        }
    }

    /// Goes on with what operators want of the host, says how far it is, and ends what is done.
    pub(super) fn purpose(&mut self, seen: &Seen) {
        let host = &self.view.host;
        match &host.purpose {
            HostPurpose::Serve | HostPurpose::Drain(_) => self.say_purpose(),
            HostPurpose::FillUp(asked) => {
                let there = self.count(&[PhaseKind::Free, PhaseKind::InUse]);
                if there >= usize::from(host.settings.capacity) {
                    let why = format!("filled up as {} asked: it has {}", asked.by, clusters(there));
                    return self.end_purpose(Vec::new(), why);
                }
                // A mix that wants fewer, slots that are blocked or users who come and go must not keep it for ever.
                let moving = self.count(&[PhaseKind::Creating]) > 0 || !self.view.memory.beginning.is_empty();
                if !moving && asked.since + FILL_UP_LIMIT <= self.now {
                    let why =
                        format!("filled up as {} asked, as far as it could be: it has {}", asked.by, clusters(there));
                    return self.end_purpose(Vec::new(), why);
                }
                self.say_purpose();
            }
            HostPurpose::Clean(asked) => {
                if self.unheld() == 0 && self.view.memory.beginning.is_empty() {
                    let held = self.view.clusters.len();
                    let left = if held == 0 { "none is left".to_owned() } else { format!("users hold {held}") };
                    let why = format!("cleaned as {} asked: {left}; it is not kept filled any more", asked.by);
                    return self.end_purpose(Vec::new(), why);
                }
                self.say_purpose();
            }
            HostPurpose::Reset { asked, foreign } => {
                if self.view.clusters.is_empty() && seen.found.is_empty() && self.is_idle() {
                    let done = format!("reset as {} asked: nothing of ours is left", asked.by);
                    // Something of a stranger may not let itself be removed; it does not keep the host for ever.
                    return match self.view.memory.host_retry.as_ref().filter(|retry| retry.times >= FOREIGN_TRIES) {
                        Some(last) if !foreign.is_empty() => {
                            self.end_purpose(Vec::new(), format!("{done}; of the foreign things: {}", last.error))
                        }
                        Some(_) | None => self.end_purpose(foreign.clone(), format!("{done}{}", named(foreign))),
                    };
                }
                self.say_purpose();
            }
            HostPurpose::Leave { by_force, .. } => {
                let left = seen.found.keys().filter(|id| !self.left_there(id)).count();
                if self.view.clusters.is_empty() && left == 0 && self.is_idle() {
                    return self.delete_host(match (by_force, seen.found.is_empty()) {
                        (false, _) | (true, true) => "the host is being deleted and nothing of ours is left on it",
                        (true, false) => "it is removed by force; what could not be removed stays on it",
                    });
                }
                self.say_purpose();
            }
        }
    }

    /// How far it is with what operators want of the host.
    pub(super) fn say_purpose(&mut self) {
        let host = &self.view.host;
        let in_use = self.count(&[PhaseKind::InUse]);
        let unheld = self.unheld();
        let total = self.view.clusters.len();
        let capacity = host.settings.capacity;
        let by = host.purpose.asked().map_or("", |asked| asked.by.as_str());
        let (what, why) = match &host.purpose {
            HostPurpose::Serve => return,
            HostPurpose::FillUp(_) => {
                let there = self.count(&[PhaseKind::Free, PhaseKind::InUse]);
                (format!("filling up, asked by {by}"), format!("{there} of {capacity} are there"))
            }
            HostPurpose::Clean(_) => {
                (format!("cleaning, asked by {by}"), format!("{unheld} of {total} are still to be removed"))
            }
            HostPurpose::Drain(_) if unheld > 0 => {
                (format!("draining, asked by {by}"), format!("{unheld} of {total} are still to be removed"))
            }
            HostPurpose::Drain(_) => {
                let why = format!("nothing is given out or made until it is ended; {in_use} in use");
                return self.lasts(format!("drained, asked by {by}"), why);
            }
            HostPurpose::Reset { .. } if in_use > 0 => {
                (format!("resetting, asked by {by}"), format!("it waits for users: {in_use} in use"))
            }
            HostPurpose::Reset { .. } => {
                (format!("resetting, asked by {by}"), format!("{total} of its clusters are still to be removed"))
            }
            HostPurpose::Leave { by_force: false, .. } if in_use > 0 => {
                ("deleting the host".to_owned(), format!("{in_use} of its clusters are in use"))
            }
            HostPurpose::Leave { .. } => {
                ("deleting the host".to_owned(), format!("{total} of its clusters are still to be removed"))
            }
        };
        self.held(what, why);
    }

    fn end_purpose(&mut self, foreign: Vec<ForeignThing>, why: String) {
        if self.view.memory.host_step.is_some() {
            return;
        }
        if let Some(retry) = self.view.memory.host_retry.clone().filter(|retry| retry.not_before > self.now) {
            self.say_purpose();
            let why = format!("tried {} times, last: {}", retry.times, retry.error);
            return self.held_until(retry.not_before, About::Host, "the last step", why);
        }
        self.plan.steps.push(Step { action: Action::EndPurpose { foreign }, name: None, why });
    }

    pub(super) fn delete_host(&mut self, why: &str) {
        self.plan.steps.push(Step { action: Action::DeleteHost, name: None, why: why.to_owned() });
    }

    fn count(&self, kinds: &[PhaseKind]) -> usize {
        self.view.clusters.iter().filter(|cluster| kinds.contains(&cluster.phase.kind())).count()
    }

    /// Clusters that no user holds or held.
    fn unheld(&self) -> usize {
        self.count(&[PhaseKind::Creating, PhaseKind::Free, PhaseKind::Failed, PhaseKind::Removing])
    }
}

fn clusters(n: usize) -> String {
    if n == 1 { "1 cluster".into() } else { format!("{n} clusters") }
}

/// The foreign things that go, for the event.
fn named(foreign: &[ForeignThing]) -> String {
    if foreign.is_empty() {
        return String::new();
    }
    let word = |thing: &ForeignThing| {
        let kind = match thing.kind {
            ForeignKind::Container => "container",
            ForeignKind::Network => "network",
        };
        format!("{kind} {}", thing.name)
    };
    let words: Vec<String> = foreign.iter().take(NAMED).map(word).collect();
    let more = foreign.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; foreign things that were confirmed are removed: {}{more}", words.join(", "))
}

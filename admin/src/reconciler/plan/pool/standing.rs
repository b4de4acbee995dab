//! How it stands with making clusters on a host, as its loop sees it: the pool's plan weighs it. Plain functions.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, FlavorId, PhaseKind, Slot, Timestamp};

use crate::reconciler::memory::Retry;
use crate::reconciler::memory::making::LONG;
use crate::reconciler::plan::host::Facts;
use crate::reconciler::policy::Policy;
use crate::reconciler::view::{EngineView, HostView};

/// How it stands with making clusters on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Makings that failed lately.
    pub failed: u32,
    /// Flavors that could not be made there, until one was or it is long ago.
    pub flavors: BTreeMap<FlavorId, HeldFlavor>,
    /// Nothing is begun there before this.
    pub held: Option<Timestamp>,
    /// It makes one at a time until one succeeded.
    pub careful: bool,
    /// Free clusters that somebody wanted there or stopped, by flavor: they give way to none.
    pub kept: BTreeMap<FlavorId, u32>,
    /// Free clusters of which somebody stopped a node, by flavor: they keep their places and wait for nobody.
    pub stopped: BTreeMap<FlavorId, u32>,
    /// So many clusters it can hold at most, whatever its capacity: those there, and slots in which nothing else stands.
    /// `None` while that is not known.
    pub most: Option<u32>,
}

/// A flavor that a host holds back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFlavor {
    /// Not tried again before this.
    pub until: Timestamp,
    /// It failed again and again: its share of the room is better used by others.
    pub for_long: bool,
}

impl Standing {
    /// What a host's view says.
    pub fn of(view: &HostView, facts: &Facts, policy: &Policy, now: Timestamp) -> Standing {
        let memory = &view.memory;
        let held = |retry: &Retry| HeldFlavor { until: retry.not_before, for_long: retry.times >= LONG };
        // A host that is full does not try again, so time alone must clear it.
        let stands = |retry: &Retry| retry.not_before + policy.lately > now;
        Standing {
            failed: memory.failed_lately(policy, now),
            flavors: memory
                .failures
                .iter()
                .filter(|(_, retry)| stands(retry))
                .map(|(flavor, retry)| (flavor.clone(), held(retry)))
                .collect(),
            held: memory.host_hold.as_ref().map(|hold| hold.not_before).filter(|until| *until > now),
            careful: memory.is_careful(&view.host, policy, now),
            kept: free_by_flavor(view, Cluster::is_kept),
            stopped: free_by_flavor(view, Cluster::is_stopped),
            most: most(view, facts, now),
        }
    }
}

/// How many of its free clusters are so, by flavor.
pub fn free_by_flavor(view: &HostView, so: impl Fn(&Cluster) -> bool) -> BTreeMap<FlavorId, u32> {
    let mut found = BTreeMap::new();
    for cluster in view.clusters.iter().filter(|c| c.phase.kind() == PhaseKind::Free && so(c)) {
        *found.entry(cluster.flavor.clone()).or_default() += 1;
    }
    found
}

fn most(view: &HostView, facts: &Facts, now: Timestamp) -> Option<u32> {
    let EngineView::Seen(seen) = &view.engine else { return None };
    let occupied: BTreeSet<Slot> = view.clusters.iter().map(|cluster| cluster.slot).collect();
    let refused = |slot: &Slot| view.memory.refused_slots.get(slot).is_some_and(|retry| retry.not_before > now);
    let usable = |slot: &Slot| !occupied.contains(slot) && !seen.blocked.contains_key(slot) && !refused(slot);
    let left = (0..facts.slots).map(Slot).filter(usable).count();
    u32::try_from(view.clusters.len() + left).ok()
}

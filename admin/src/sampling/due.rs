//! Decides which clusters are measured in a minute, and in which order: what pages have open, then what is leased, then the
//! rest for the sums of hosts. Each container is a call to its engine, and there is room for so many calls.
//!
//! A plain function of its arguments; [`super::candidates`] lists the candidates, [`super::measure`] carries the answer out.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{ClusterId, HostId};

/// A cluster that could be measured. Candidates come in the order in which they take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub cluster: ClusterId,
    /// Where.
    pub host: HostId,
    /// Its containers that run.
    pub containers: usize,
    /// Why.
    pub class: Class,
}

/// Why a cluster is measured, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A page has it open.
    Open,
    /// Somebody holds it.
    Leased,
    /// Its host's page is open, whose sum it is part of.
    OnOpenHost,
    /// It is part of its host's sum.
    Free,
}

impl Class {
    /// Whether its own numbers are kept, besides being part of its host's.
    pub fn is_kept(self) -> bool {
        matches!(self, Class::Open | Class::Leased)
    }
}

/// How much may be asked of engines in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Calls in all.
    pub calls: usize,
    /// Calls to one engine.
    pub calls_of_host: usize,
}

/// What is measured in a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// These, in this order.
    pub take: Vec<(ClusterId, Class)>,
    /// So many had no room.
    pub over: usize,
    /// So many are on hosts that do not answer.
    pub away: usize,
    /// The last leased one that had its turn, whether there was room at its host or not. The next minute goes on after it.
    pub leased_up_to: Option<ClusterId>,
    /// The same of the free ones.
    pub free_up_to: Option<ClusterId>,
}

/// Chooses. A cluster is taken once, for its most important reason; one with more containers than are left waits, and so
/// do all after it of its class, lest small ones overtake it for ever.
pub fn due(candidates: &[Candidate], away: &BTreeSet<HostId>, bounds: Bounds) -> Due {
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by_key(|candidate| candidate.class);
    let (mut due, mut seen, mut full) = (Due::default(), BTreeSet::new(), BTreeSet::new());
    let mut left = bounds.calls;
    let mut left_at: BTreeMap<&HostId, usize> = BTreeMap::new();
    for Candidate { cluster, host, containers, class } in order {
        if !seen.insert(cluster) {
            continue;
        }
        if away.contains(host) {
            due.away += 1;
            due.had_its_turn(cluster, *class);
            continue;
        }
        if full.contains(class) || *containers > left {
            full.insert(*class);
            due.over += 1;
            continue;
        }
        due.had_its_turn(cluster, *class);
        let here = left_at.entry(host).or_insert(bounds.calls_of_host);
        if *containers > *here {
            due.over += 1;
            continue;
        }
        *here -= containers;
        left -= containers;
        due.take.push((cluster.clone(), *class));
    }
    due
}

impl Due {
    fn had_its_turn(&mut self, cluster: &ClusterId, class: Class) {
        match class {
            Class::Leased => self.leased_up_to = Some(cluster.clone()),
            Class::Free => self.free_up_to = Some(cluster.clone()),
            Class::Open | Class::OnOpenHost => {}
        }
    }
}

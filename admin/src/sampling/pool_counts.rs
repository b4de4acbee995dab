//! What is counted of the pool and its hosts each minute. Plain functions.

use std::collections::BTreeMap;

use common::model::{Host, HostId, PhaseKind, Sample, Subject, Timestamp};

use super::sheet::Use;
use crate::tally::{Counts, Phases};

/// How long it took to make a cluster, of one that became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// When its making began.
    pub began: Timestamp,
    /// When it became free.
    pub ready: Timestamp,
}

/// The pool's numbers of a minute.
pub fn of_pool(counts: &Phases, hosts: &[Host], made: &[Made]) -> BTreeMap<String, u64> {
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    for name in ["free", "in_use", "creating", "failed", "leaving", "hosts_active", "hosts_inactive"] {
        values.insert(name.to_owned(), 0);
    }
    let mut add = |name: &str, n: u64| *values.entry(name.to_owned()).or_default() += n;
    for (phase, n) in counts {
        let name = match phase {
            PhaseKind::Free => "free",
            PhaseKind::InUse => "in_use",
            PhaseKind::Creating => "creating",
            PhaseKind::Failed | PhaseKind::Lost => "failed",
            PhaseKind::Releasing | PhaseKind::Removing => "leaving",
        };
        add(name, *n);
    }
    for host in hosts {
        add(if host.contact.state.is_active() { "hosts_active" } else { "hosts_inactive" }, 1);
    }
    let took: Vec<u64> = made.iter().map(|made| millis(*made)).collect();
    if let (Some(longest), count) = (took.iter().max(), took.len() as u64) {
        values.insert("made".to_owned(), count);
        values.insert("make_ms".to_owned(), took.iter().sum::<u64>() / count);
        values.insert("make_ms_longest".to_owned(), *longest);
    }
    values
}

/// What each host's clusters use together, of what was measured; a gap where none was that is there. A host that is away
/// has no sample.
pub fn of_hosts(
    counts: &Counts,
    hosts: &[Host],
    measured: &BTreeMap<HostId, (Use, u64)>,
    minute: Timestamp,
) -> Vec<Sample> {
    let sample = |host: &Host| {
        let there = counts.number(&[PhaseKind::Free, PhaseKind::InUse], None, Some(&host.id));
        let (used, measured) = measured.get(&host.id).copied().unwrap_or_default();
        let mut values = BTreeMap::from([("clusters".to_owned(), there), ("measured".to_owned(), measured)]);
        if measured > 0 || there == 0 {
            values.insert("memory".to_owned(), used.memory);
            let cpu = if there == 0 { Some(0) } else { used.cpu };
            values.extend(cpu.map(|cpu| ("cpu".to_owned(), cpu)));
        }
        Sample { subject: Subject::Host(host.id.clone()), minute, values }
    };
    hosts.iter().filter(|host| host.contact.state.is_active()).map(sample).collect()
}

fn millis(made: Made) -> u64 {
    u64::try_from(made.ready.since(made.began).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(counts: &[(PhaseKind, u64)], made_ms: &[i64]) -> String {
        let counts = counts.iter().copied().collect();
        let at = Timestamp::from_millis;
        let made: Vec<Made> = made_ms.iter().map(|ms| Made { began: at(1000), ready: at(1000 + ms) }).collect();
        let values = of_pool(&counts, &[], &made);
        let said = values.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {n}"));
        said.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn phases_are_counted_by_what_they_are_to_an_operator() {
        use PhaseKind as P;
        let counts = [(P::Free, 5), (P::Lost, 1), (P::Failed, 1), (P::Removing, 4), (P::InUse, 7)];
        assert_eq!(said(&counts, &[]), "failed 2, free 5, in_use 7, leaving 4");
    }

    #[test]
    fn the_time_to_make_one_is_there_only_when_one_was_made() {
        assert_eq!(said(&[], &[4000, 8000]), "made 2, make_ms 6000, make_ms_longest 8000");
        assert_eq!(said(&[], &[]), "");
    }
}

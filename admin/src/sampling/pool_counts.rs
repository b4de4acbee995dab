//! What is counted of the pool each minute. Plain functions.

use std::collections::BTreeMap;

use common::model::{Host, PhaseKind, Timestamp};
use common::store::ClusterCounts;

/// How long it took to make a cluster, of one that became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// When its making began.
    pub began: Timestamp,
    /// When it became free.
    pub ready: Timestamp,
}

/// The pool's numbers of a minute.
pub fn values(counts: &ClusterCounts, hosts: &[Host], made: &[Made]) -> BTreeMap<String, u64> {
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    for name in ["free", "in_use", "creating", "failed", "leaving", "hosts_active", "hosts_inactive"] {
        values.insert(name.to_owned(), 0);
    }
    let mut add = |name: &str, n: u64| *values.entry(name.to_owned()).or_default() += n;
    for ((_, _, phase), n) in counts {
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

fn millis(made: Made) -> u64 {
    u64::try_from(made.ready.since(made.began).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use common::model::{FlavorId, HostId};

    use super::*;

    fn said(counts: &[(PhaseKind, u64)], made_ms: &[i64]) -> String {
        let of = |phase| (HostId::random(), FlavorId::parse("a").unwrap(), phase);
        let counts = counts.iter().map(|(phase, n)| (of(*phase), *n)).collect();
        let at = Timestamp::from_millis;
        let made: Vec<Made> = made_ms.iter().map(|ms| Made { began: at(1000), ready: at(1000 + ms) }).collect();
        let values = values(&counts, &[], &made);
        let said = values.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {n}"));
        said.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn phases_are_counted_by_what_they_are_to_an_operator() {
        use PhaseKind as P;
        let counts = [(P::Free, 3), (P::Free, 2), (P::Lost, 1), (P::Failed, 1), (P::Removing, 4), (P::InUse, 7)];
        assert_eq!(said(&counts, &[]), "failed 2, free 5, in_use 7, leaving 4");
    }

    #[test]
    fn the_time_to_make_one_is_there_only_when_one_was_made() {
        assert_eq!(said(&[], &[4000, 8000]), "made 2, make_ms 6000, make_ms_longest 8000");
        assert_eq!(said(&[], &[]), "");
    }
}

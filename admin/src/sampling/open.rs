//! What pages have open: each touch holds for two minutes, so a page that asks once a minute stays open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::model::{ClusterId, HostId, Timestamp};

/// A page asks for its samples once a minute; one that asked twice in vain has gone.
const HOLDS: Duration = Duration::from_secs(120);

/// Clusters and hosts that can be open at once, each; nobody has more of them before her eyes.
const MOST: usize = 200;

/// What is open, and since when it was last touched.
#[derive(Debug, Default)]
pub struct Open {
    clusters: BTreeMap<ClusterId, Timestamp>,
    hosts: BTreeMap<HostId, Timestamp>,
}

/// What is open at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenNow {
    /// Clusters.
    pub clusters: BTreeSet<ClusterId>,
    /// Hosts.
    pub hosts: BTreeSet<HostId>,
}

impl Open {
    /// Holds a cluster open; whether it was not before.
    pub fn cluster(&mut self, id: &ClusterId, now: Timestamp) -> bool {
        touch(&mut self.clusters, id, now)
    }

    /// The same of a host.
    pub fn host(&mut self, id: &HostId, now: Timestamp) -> bool {
        touch(&mut self.hosts, id, now)
    }

    /// What is open now; the rest is forgotten.
    pub fn now(&mut self, now: Timestamp) -> OpenNow {
        self.clusters.retain(|_, touched| now.since(*touched) <= HOLDS);
        self.hosts.retain(|_, touched| now.since(*touched) <= HOLDS);
        OpenNow { clusters: self.clusters.keys().cloned().collect(), hosts: self.hosts.keys().cloned().collect() }
    }
}

fn touch<T: Clone + Ord>(open: &mut BTreeMap<T, Timestamp>, id: &T, now: Timestamp) -> bool {
    if !open.contains_key(id) && open.len() >= MOST {
        open.retain(|_, touched| now.since(*touched) <= HOLDS);
        if open.len() >= MOST {
            return false;
        }
    }
    let before = open.insert(id.clone(), now);
    before.is_none_or(|touched| now.since(touched) > HOLDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_holds_for_two_minutes_and_no_more_than_so_many_are_open() {
        let (mut open, start) = (Open::default(), Timestamp::from_millis(0));
        let id = ClusterId::random();
        assert!(open.cluster(&id, start) && !open.cluster(&id, start + HOLDS));
        assert_eq!(open.now(start + HOLDS * 2).clusters.len(), 1);
        assert_eq!(open.now(start + HOLDS * 2 + Duration::from_secs(1)).clusters.len(), 0);
        for n in 0..2 * MOST {
            assert_eq!(open.cluster(&ClusterId::random(), start), n < MOST);
        }
        assert!(open.cluster(&id, start + HOLDS * 2), "those that have gone make room");
    }
}

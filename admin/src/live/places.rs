//! Which host a cluster is on, of those that were heard of. A cluster never moves, so what is known stays true.

use std::collections::HashMap;

use common::model::{ClusterId, HostId};

/// Clusters that are known at most, a few MiB; beyond that all are forgotten and asked for again.
const KNOWN: usize = 20_000;

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Places {
    of: HashMap<ClusterId, HostId>,
}

impl Places {
    /// The host of a cluster, if it is known.
    pub fn of(&self, cluster: &ClusterId) -> Option<&HostId> {
        self.of.get(cluster)
    }

    /// Takes note of a cluster's host.
    pub fn learn(&mut self, cluster: &ClusterId, host: &HostId) {
        if self.of.len() >= KNOWN {
            self.of.clear();
        }
        self.of.insert(cluster.clone(), host.clone());
    }
}

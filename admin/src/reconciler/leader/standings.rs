//! What the hosts' loops tell the leader of how it stands with making clusters on each.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use common::model::HostId;

use crate::reconciler::plan::pool::standing::Standing;

/// Every host's standing, as its loop last told it. Cheap to clone; all clones share it.
#[derive(Clone, Debug, Default)]
pub struct Standings(Arc<RwLock<BTreeMap<HostId, Standing>>>);

impl Standings {
    /// A loop has looked at its host.
    pub fn put(&self, host: &HostId, standing: Standing) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), standing);
    }

    /// A loop ended.
    pub fn remove(&self, host: &HostId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    /// What is known of a host: nothing bad before its loop has told anything.
    pub fn of(&self, host: &HostId) -> Standing {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned().unwrap_or_default()
    }
}

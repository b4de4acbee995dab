//! The latest outlook of every host, and who hears when one tells something else than before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use common::model::{HostId, Timestamp};
use common::store::StoreError;
use tokio::sync::broadcast;

use super::HostOutlook;
use super::of_pass::{Pass, outlook_of};
use super::pool::{PoolOutlook, add_up};

/// The latest outlook of every host. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Outlooks {
    hosts: Arc<RwLock<BTreeMap<HostId, Arc<HostOutlook>>>>,
    leads: Arc<AtomicBool>,
    told: broadcast::Sender<Option<HostId>>,
}

/// Who listens and is behind by more than this is told that she missed some.
const BEHIND: usize = 1_024;

impl Default for Outlooks {
    fn default() -> Self {
        Outlooks { hosts: Arc::default(), leads: Arc::default(), told: broadcast::Sender::new(BEHIND) }
    }
}

impl Outlooks {
    /// Everything, by host id.
    pub fn all(&self) -> Vec<Arc<HostOutlook>> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One host's.
    pub fn of(&self, host: &HostId) -> Option<Arc<HostOutlook>> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    /// All of them, added up.
    pub fn pool(&self, now: Timestamp) -> PoolOutlook {
        add_up(&self.all(), now)
    }

    /// A new plan was made.
    pub fn put(&self, pass: &Pass<'_>) {
        let before = self.of(&pass.view.host.id);
        self.set(outlook_of(before.as_deref(), pass));
    }

    /// The store does not answer, so nothing is done. What was under way and held back before stays known.
    pub fn blind(&self, host: &HostId, error: &StoreError) {
        if let Some(before) = self.of(host) {
            self.set(HostOutlook { blind: Some(error.to_string()), ..(*before).clone() });
        }
    }

    /// A host is gone.
    pub fn remove(&self, host: &HostId) {
        self.hosts.write().unwrap_or_else(PoisonError::into_inner).remove(host);
        self.tell(Some(host.clone()));
    }

    /// This process leads from now on.
    pub fn lead(&self) {
        self.leads.store(true, Ordering::Release);
        self.tell(None);
    }

    /// Hears of each host of which something else is told than before, but for probes, which come all the time; `None`:
    /// all of them.
    pub fn told(&self) -> broadcast::Receiver<Option<HostId>> {
        self.told.subscribe()
    }

    /// Whether this process leads.
    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    /// This process leads no more.
    pub fn clear(&self) {
        self.leads.store(false, Ordering::Release);
        self.hosts.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.tell(None);
    }

    /// This is told of its host from now on; nothing is while this process does not lead. A pass that was under way when it
    /// lost the lead ends after [`Outlooks::clear`].
    pub fn set(&self, outlook: HostOutlook) {
        let (host, outlook) = (outlook.host.clone(), Arc::new(outlook));
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        if !self.leads() {
            return;
        }
        let before = hosts.insert(host.clone(), outlook.clone());
        drop(hosts);
        if before.is_none_or(|before| !before.tells_the_same_as(&outlook)) {
            self.tell(Some(host));
        }
    }

    fn tell(&self, host: Option<HostId>) {
        // Nobody listens: nobody looks at a page.
        let _ = self.told.send(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconciler::case::told::told;

    #[test]
    fn a_pass_that_ends_after_the_lead_was_lost_tells_nothing() {
        let (outlooks, outlook) = (Outlooks::default(), told("free").1);
        outlooks.lead();
        outlooks.set(outlook.clone());
        assert_eq!(outlooks.all().len(), 1);
        outlooks.clear();
        outlooks.set(outlook);
        assert!(outlooks.all().is_empty());
    }
}

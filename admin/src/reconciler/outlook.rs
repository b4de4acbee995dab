//! What the reconciler does, holds back and why, host by host, for the pages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use common::model::HostId;
use common::store::StoreError;

use super::plan::{Action, Plan};
use super::view::HostView;

/// One host's outlook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOutlook {
    /// Which host.
    pub host: HostId,
    /// What is being done, what is held back and why: a sentence each.
    pub lines: Vec<String>,
}

/// More lines than this help nobody.
const LINES: usize = 40;

/// The latest outlook of every host. Cheap to clone; all clones share it.
#[derive(Clone, Debug, Default)]
pub struct Outlooks(Arc<RwLock<BTreeMap<HostId, Vec<String>>>>, Arc<AtomicBool>);

impl Outlooks {
    /// Everything, by host id.
    pub fn all(&self) -> Vec<HostOutlook> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(host, lines)| HostOutlook { host: host.clone(), lines: lines.clone() }).collect()
    }

    /// A new plan was made.
    pub fn put(&self, view: &HostView, plan: &Plan) {
        let routine = |action: &Action| matches!(action, Action::Look { .. } | Action::Prove { .. });
        let under_way = view.clusters.iter().filter_map(|cluster| {
            let busy = view.memory.busy.get(&cluster.id)?;
            Some(format!("{}: {} under way", cluster.name, busy.work))
        });
        let steps = plan.steps.iter().filter(|step| !routine(&step.action)).map(ToString::to_string);
        let held = plan.held.iter().map(ToString::to_string);
        let mut lines: Vec<String> = under_way.chain(steps).chain(held).collect();
        if lines.len() > LINES {
            let more = lines.len() - LINES;
            lines.truncate(LINES);
            lines.push(format!("... and {more} more"));
        }
        self.set(&view.host.id, lines);
    }

    /// The store does not answer, so nothing is done.
    pub fn blind(&self, host: &HostId, error: &StoreError) {
        self.set(host, vec![format!("held back: everything: {error}")]);
    }

    /// A host is gone.
    pub fn remove(&self, host: &HostId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    /// This process leads from now on.
    pub fn lead(&self) {
        self.1.store(true, Ordering::Release);
    }

    /// Whether this process leads.
    pub fn leads(&self) -> bool {
        self.1.load(Ordering::Acquire)
    }

    /// This process leads no more.
    pub fn clear(&self) {
        self.1.store(false, Ordering::Release);
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn set(&self, host: &HostId, lines: Vec<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), lines);
    }
}

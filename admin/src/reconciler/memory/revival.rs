//! Nodes that were started again, and when that may be done the next time. A part of [`Memory`].

use common::model::{ClusterId, NodeName, Timestamp};

use super::{Memory, Retry};
use crate::reconciler::plan::{NodeChange, NodeStep};
use crate::reconciler::policy::Policy;

impl Memory {
    /// Remembers what was done to nodes: one that ends at once again and again is started later and later; one that stayed
    /// up for as long as the longest wait, or that somebody stopped, begins anew.
    pub(super) fn revived(&mut self, id: &ClusterId, changes: &[NodeStep], policy: &Policy, now: Timestamp) {
        let nodes = self.revivals.entry(id.clone()).or_default();
        for step in changes {
            match step.change {
                NodeChange::Start => {
                    let before = nodes.get(&step.node).filter(|last| last.not_before + policy.retry.limit > now);
                    let retry = Retry::after(before, "it did not stay up".into(), &policy.retry, now);
                    nodes.insert(step.node.clone(), retry);
                }
                NodeChange::Stop | NodeChange::Restart => {
                    nodes.remove(&step.node);
                }
            }
        }
        if nodes.is_empty() {
            self.revivals.remove(id);
        }
    }

    /// If a node that ended is not to be started again yet: until when it waits.
    pub fn revival(&self, id: &ClusterId, node: &NodeName, now: Timestamp) -> Option<&Retry> {
        self.revivals.get(id)?.get(node).filter(|retry| retry.not_before > now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_node_that_ends_at_once_is_started_later_and_later_until_it_stays_up() {
        let (mut memory, policy, id) = (Memory::default(), Policy::default(), ClusterId::random());
        let node = NodeName::parse("vp1").unwrap();
        let step = |change| [NodeStep { node: node.clone(), container: "c".into(), change, restart_seq: 0 }];
        let mut now = Timestamp::from_millis(0);
        let mut waits = Vec::new();
        for _ in 0..8 {
            memory.revived(&id, &step(NodeChange::Start), &policy, now);
            let next = memory.revivals[&id][&node].not_before;
            assert!(memory.revival(&id, &node, now).is_some() && memory.revival(&id, &node, next).is_none());
            waits.push(next.since(now).as_secs());
            now = next;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        // It ran for a minute: that is another trouble.
        memory.revived(&id, &step(NodeChange::Start), &policy, now + Duration::from_secs(60));
        assert_eq!(memory.revivals[&id][&node].times, 1);
        memory.revived(&id, &step(NodeChange::Stop), &policy, now);
        assert!(memory.revivals.is_empty());
    }
}

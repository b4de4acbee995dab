//! What was heard since a host's loop last looked: of its engine, of its records, and whether it can wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::model::ClusterId;
use tokio::sync::Notify;

/// What others tell a host's loop. Carries no data but what is not to be trusted until it was looked at.
#[derive(Default)]
pub struct Dirty {
    /// Rung by what should be looked at now; [`Dirty::is_urgent`] says whether it still should.
    pub notify: Notify,
    /// Rung by what can wait for the timer's next turn.
    pub lazy: Notify,
    /// Rung at the end of a full look.
    looked: Notify,
    state: Mutex<State>,
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The engine is to be looked at.
    pub look: bool,
    /// The link is to be made anew.
    pub broken: bool,
    /// Clusters of which a node ended, and how.
    pub died: BTreeMap<ClusterId, String>,
    /// The host's records changed, or may have.
    pub records: bool,
    /// Clusters that events told of.
    about: BTreeSet<ClusterId>,
    /// Something that is to be looked at now, whatever is under way.
    now: bool,
    /// How many full looks were asked for so far, and how many of these were done.
    asked: u64,
    done: u64,
}

impl Dirty {
    /// Something may have changed on the engine: the next pass, which is soon, looks at everything there.
    pub fn set(&self) {
        let mut state = self.state();
        (state.look, state.now) = (true, true);
        drop(state);
        self.notify.notify_one();
    }

    /// The same for what concerns one cluster; it can wait while an action on that cluster is under way, whose end is
    /// looked at anyway.
    pub fn set_about(&self, cluster: ClusterId) {
        let mut state = self.state();
        state.look = true;
        state.about.insert(cluster);
        drop(state);
        self.notify.notify_one();
    }

    /// A node of this cluster ended, if only for a moment.
    pub fn died(&self, cluster: ClusterId, how: String) {
        // What is heard first says more: want of memory comes before the end that it brings.
        self.state().died.entry(cluster).or_insert(how);
    }

    /// The stream ended: some may have been missed, and another engine may answer by now.
    pub fn broke(&self) {
        self.state().broken = true;
        self.set();
    }

    /// The records changed; nobody waits for it.
    pub fn changed(&self) {
        self.state().records = true;
        self.lazy.notify_one();
    }

    /// The records changed, or may have, and somebody waits for what follows from it.
    pub fn changed_now(&self) {
        let mut state = self.state();
        (state.records, state.now) = (true, true);
        drop(state);
        self.notify.notify_one();
    }

    /// If anything changed, somebody waits for it.
    pub fn hurry(&self) {
        if self.state().records {
            self.changed_now();
        }
    }

    /// Engine and records are to be looked at in full, now. What [`Dirty::done_in_full`] will be then.
    pub fn ask_in_full(&self) -> u64 {
        let mut state = self.state();
        state.asked += 1;
        (state.look, state.records, state.now) = (true, true, true);
        let asked = state.asked;
        drop(state);
        self.notify.notify_one();
        asked
    }

    /// Waits until so many of the full looks that were asked for are done, or the loop is gone.
    pub async fn done_in_full(&self, asked: u64) {
        loop {
            let looked = self.looked.notified();
            if self.state().done >= asked {
                return;
            }
            looked.await;
        }
    }

    /// A pass that looked at everything since `heard` was taken is over.
    pub fn looked_in_full(&self, heard: &State) {
        self.state().done = heard.asked;
        self.looked.notify_waiters();
    }

    /// Nothing is looked at any more.
    pub fn ended(&self) {
        self.state().done = u64::MAX;
        self.looked.notify_waiters();
    }

    /// Whether anything was heard that should be looked at now; `waits` says of a cluster that its events can wait.
    pub fn is_urgent(&self, waits: impl Fn(&ClusterId) -> bool) -> bool {
        let state = self.state();
        state.now || state.about.iter().any(|cluster| !waits(cluster))
    }

    /// What was heard since the last call.
    pub fn take(&self) -> State {
        let mut state = self.state();
        let kept = State { asked: state.asked, done: state.done, ..State::default() };
        std::mem::replace(&mut *state, kept)
    }

    /// What was taken could not be looked at; it is there at the next pass, which nobody is woken for.
    pub fn put_back(&self, heard: State) {
        let mut state = self.state();
        state.look |= heard.look;
        state.broken |= heard.broken;
        state.records |= heard.records;
        for (cluster, how) in heard.died {
            state.died.entry(cluster).or_insert(how);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_cluster_with_an_action_under_way_can_wait_and_are_not_lost() {
        let (dirty, cluster) = (Dirty::default(), ClusterId::random());
        dirty.set_about(cluster.clone());
        assert!(!dirty.is_urgent(|id| *id == cluster));
        assert!(dirty.is_urgent(|_| false));
        assert!(dirty.take().look);
        assert_eq!(dirty.take(), State::default());
    }

    #[test]
    fn what_could_not_be_looked_at_is_not_forgotten() {
        let (dirty, cluster) = (Dirty::default(), ClusterId::random());
        dirty.died(cluster.clone(), "it ended".into());
        dirty.broke();
        let heard = dirty.take();
        dirty.put_back(heard);
        assert!(!dirty.is_urgent(|_| false));
        let heard = dirty.take();
        assert!(heard.look && heard.broken && heard.died.contains_key(&cluster));
    }

    #[test]
    fn a_full_look_is_done_when_a_pass_that_heard_of_it_is_over() {
        let dirty = Dirty::default();
        let done = |dirty: &Dirty, asked| dirty.state().done >= asked;
        let before = dirty.take();
        let asked = dirty.ask_in_full();
        dirty.looked_in_full(&before);
        assert!(!done(&dirty, asked));
        let heard = dirty.take();
        assert!(heard.look && heard.records);
        dirty.looked_in_full(&heard);
        assert!(done(&dirty, asked));
        let asked = dirty.ask_in_full();
        dirty.ended();
        assert!(done(&dirty, asked));
    }

    #[test]
    fn a_ring_hurries_only_what_has_changed() {
        let dirty = Dirty::default();
        dirty.hurry();
        assert!(!dirty.is_urgent(|_| false));
        dirty.changed();
        assert!(!dirty.is_urgent(|_| false));
        dirty.hurry();
        assert!(dirty.is_urgent(|_| true));
    }
}

//! Decides how long a cluster may be given out, and when that is written down. Part of
//! [`super`]: as plain as it.

use std::time::Duration;

use common::model::{Cluster, Timestamp};
use common::store::Proof;

use super::Planner;
use crate::reconciler::plan::{Action, Step, Work};

/// A proof waits so long for others of the host, to be written down with them.
const PROOF_WAITS: Duration = Duration::from_secs(3);

/// While proofs wait for others, they are looked at again after this.
const PROOF_TURN: Duration = Duration::from_secs(1);

impl Planner<'_> {
    /// Writes a proof down, in one batch for the host: before the offer runs out, or when the record's own is old by then.
    pub(super) fn renew(&mut self, cluster: &Cluster, good: Timestamp, offered: Option<Timestamp>) {
        let until = self.offer_until(good);
        let margin = self.policy.probe_every.min(self.policy.host_silence / 2);
        let ends = offered.is_some_and(|offered| until > offered && offered < self.now + margin);
        let every = if offered.is_some() { self.policy.probe_every } else { self.policy.probe_leased_every };
        if ends || cluster.proven_at.is_none_or(|at| at + every / 2 < good) {
            // Others are about to be proven as well; it waits for them a moment, if it can.
            let soon = offered.is_some_and(|offered| offered < self.now + margin / 2);
            self.proof_waits &= !soon && good + PROOF_WAITS > self.now;
            self.proofs.push(Proof { cluster: cluster.id.clone(), at: good, offer_until: until });
        }
    }

    /// How long a cluster that was proven then may be given out: not beyond its proof's age, nor beyond the host's
    /// silence, and not at all on a host that does not serve.
    pub(super) fn offer_until(&self, good: Timestamp) -> Timestamp {
        if !self.view.host.serves() {
            return self.now;
        }
        let by_host = self.view.host.contact.last_answer + self.policy.host_silence;
        (good + self.policy.max_proof_age).min(by_host)
    }

    /// Writes the proofs of this pass down in one batch, unless they can wait for others.
    pub(super) fn prove(&mut self) {
        let looking = self.view.memory.busy.values().any(|busy| busy.work == Work::Look);
        if self.proofs.is_empty() {
            // Nothing is to be written down.
        } else if self.proof_waits && (looking || !self.looks_wanted.is_empty()) {
            self.wake(self.now + PROOF_TURN);
        } else {
            let action = Action::Prove { proofs: std::mem::take(&mut self.proofs) };
            self.plan.steps.push(Step { action, name: None, why: "probed well".into() });
        }
    }
}

//! When the next pass is due, and what it is made from.

use std::collections::BTreeSet;
use std::time::Duration;

use common::clock;
use common::model::{Cluster, ClusterId, Host, Timestamp};
use common::store::StoreResult;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{HostLoop, PING_EVERY, Pass, REST, TICK};
use crate::reconciler::plan::Plan;
use crate::reconciler::policy::Policy;
use crate::reconciler::view::observe;
use crate::reconciler::view::{EngineView, HostView};
use crate::reconciler::wake::rest::Rest;

impl HostLoop {
    pub(super) fn wait(&self, plan: &Plan, now: Timestamp) -> Duration {
        if let Some((next, _)) = &self.away {
            return next.saturating_duration_since(Instant::now());
        }
        let wait = match &self.rest {
            Some(rest) => rest.until.since(now),
            None => plan.wake_at.map_or(Duration::MAX, |at| at.since(now)).min(self.jittered(TICK)),
        };
        wait.min(self.next_ping(now))
    }

    /// Not all hosts at the same moment.
    pub(super) fn jittered(&self, time: Duration) -> Duration {
        self.tools.pace.of(time).mul_f64(0.8 + 0.4 * rand::random::<f64>())
    }

    /// How long until the engine is to be asked whether it is there.
    pub(super) fn next_ping(&self, now: Timestamp) -> Duration {
        self.tries.answered.map_or(Duration::ZERO, |answered| (answered + self.tools.pace.of(PING_EVERY)).since(now))
    }

    /// What is, as one value. What is moved into it comes back by [`HostLoop::take_back`].
    pub(super) fn view(&mut self, host: Host, clusters: Vec<Cluster>, engine: Result<(), String>) -> HostView {
        let engine = match (engine, &mut self.seen) {
            (Ok(()), Some((_, seen))) => EngineView::Seen(std::mem::take(seen)),
            (Ok(()), None) => EngineView::Away { why: "it was not looked at".into() },
            (Err(why), _) => EngineView::Away { why },
        };
        let found = match &engine {
            EngineView::Seen(seen) => Some(seen.found.keys()),
            EngineView::Away { .. } => None,
        };
        let known: BTreeSet<&ClusterId> = clusters.iter().map(|c| &c.id).chain(found.into_iter().flatten()).collect();
        self.memory.keep_only(&known);
        if host.try_again != self.forgiven {
            // Once, and by this machine's clock: the wish may have been written down by another's.
            self.forgiven = host.try_again;
            self.memory.forgive(Some(clock::now()));
            (self.memory.write_hold, self.memory.host_retry) = (None, None);
        }
        self.memory.pulling = self.pulls.now();
        self.learn_starts(&host);
        HostView { host, clusters, engine, memory: std::mem::take(&mut self.memory) }
    }

    fn learn_starts(&mut self, host: &Host) {
        if self.starts.learn(self.limits.take_samples()) {
            self.limits.set(self.starts.limit());
            info!(host.id = %host.id, "host {}: {}", host.settings.name, self.starts.words());
        }
        self.memory.starts = self.starts.words();
    }

    pub(super) fn take_back(&mut self, view: HostView) -> (Host, Vec<Cluster>) {
        self.memory = view.memory;
        if let (EngineView::Seen(seen), Some((_, kept))) = (view.engine, &mut self.seen) {
            *kept = seen;
        }
        (view.host, view.clusters)
    }

    /// Nothing is to do but to keep it so: the contact is noted and the offers are extended when it is time.
    pub(super) async fn stay_at_rest(&mut self, rest: Rest, host: Host, policy: &Policy) -> Pass {
        let now = clock::now();
        let host = self.note_contact(host, None, now).await;
        let may_extend = rest.extends(self.extended, now, self.tools.pace) && self.tools.term.check().is_ok();
        if let Some(answered) = self.tries.answered.filter(|_| may_extend) {
            let (store, until) = (&self.tools.store, answered + policy.host_silence);
            match store.extend_offers(&self.id, policy.max_proof_age, until).await {
                Ok(()) => self.extended = Some(now),
                Err(error) => warn!(host.id = %self.id, "the host's offers could not be extended: {error}"),
            }
        }
        self.records.host = Some(host);
        self.rest = Some(rest);
        Pass::Again(self.next_ping(now).min(rest.until.since(now)))
    }

    /// The records as they are now; everybody who tells of changes knows then whose they are.
    pub(super) async fn read(&mut self) -> StoreResult<Option<(Host, Vec<Cluster>)>> {
        let longest = if self.tools.news.is_watching() { REST } else { TICK };
        let good_until = Instant::now() + self.jittered(longest);
        let records = observe::records(&self.tools.store, &self.id).await?;
        if let Some((_, clusters)) = &records {
            self.records.good_until = Some(good_until);
            self.tools.news.own(clusters.iter().map(|cluster| &cluster.id), &self.dirty);
        }
        Ok(records)
    }
}

//! One pass over a host: what is there is looked at and read, what to do is planned, told, and begun.

use common::clock;
use common::model::Host;
use common::store::StoreError;
use tokio::time::Instant;
use tracing::warn;

use super::{BLIND_PAUSE, HostLoop, Looked, Orders, Pass, REST, Records, TICK, Told};
use crate::reconciler::outlook::{Outlooks, of_pass};
use crate::reconciler::plan::host::plan_host;
use crate::reconciler::plan::pool::standing::Standing;
use crate::reconciler::plan::{Action, Plan};
use crate::reconciler::view::EngineView;
use crate::reconciler::wake::rest::Rest;

impl HostLoop {
    pub(super) async fn pass(&mut self, orders: &Orders, told: &Told) -> Pass {
        while let Some(ended) = self.under_way.try_join_next_with_id() {
            self.ended(ended, &orders.policy);
        }
        let heard = self.dirty.take();
        let old = self.records.host.as_ref().is_some_and(|host| host.version < orders.version);
        if old || heard.records || self.records.good_until.is_none_or(|until| until <= Instant::now()) {
            self.records = Records::default();
            self.rest = None;
        }
        let host = match self.records.host.take() {
            Some(host) => host,
            None => match self.tools.store.host(&self.id).await {
                Ok(Some(host)) => host,
                Ok(None) => return Pass::Gone,
                Err(error) => {
                    self.dirty.put_back(heard);
                    return self.blind(&error, &told.outlooks);
                }
            },
        };
        // What operators want now is begun and ended on what is there now.
        if self.version != host.version {
            (self.version, self.seen) = (host.version, None);
            // Tries of what was wanted before say nothing of what is wanted now.
            self.memory.host_retry = None;
            self.away = None;
        }
        let rest = self.rest.take().filter(|_| !heard.look && !heard.broken);
        let looked = self.look_at_engine(&host, &heard).await;
        if let (Some(rest), Ok(Looked::No)) = (rest, &looked)
            && rest.until > clock::now()
            && self.under_way.is_empty()
        {
            return self.stay_at_rest(rest, host, &orders.policy).await;
        }
        let engine = match looked {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        // The engine first, the records after it: what is found without a record then really has none.
        let (host, clusters, read_now) = match self.records.clusters.take() {
            Some(clusters) => (host, clusters, false),
            None => match self.read().await {
                Ok(Some((host, clusters))) => (host, clusters, true),
                Ok(None) => return Pass::Gone,
                Err(error) => return self.blind(&error, &told.outlooks),
            },
        };
        let now = clock::now();
        let host = self.note_contact(host, engine.as_ref().err(), now).await;
        let mut view = self.view(host, clusters, engine);
        let mut plan = plan_host(&view, &orders.target, &orders.facts, &orders.policy, now);
        if !read_now && acts(&plan) {
            let contact = view.host.contact.clone();
            match self.read().await {
                Ok(Some((host, clusters))) => (view.host, view.clusters) = (Host { contact, ..host }, clusters),
                Ok(None) => return Pass::Gone,
                Err(error) => {
                    self.take_back(view);
                    return self.blind(&error, &told.outlooks);
                }
            }
            plan = plan_host(&view, &orders.target, &orders.facts, &orders.policy, now);
        }
        // What is wanted since the look is ended on a look of its own.
        if view.host.version != self.version && plan.steps.iter().any(|step| step.action.is_of_host()) {
            plan.steps.retain(|step| !step.action.is_of_host());
            self.dirty.set();
        }
        told.outlooks.put(&of_pass::Pass {
            view: &view,
            plan: &plan,
            target: &orders.target,
            policy: &orders.policy,
            tries: &self.tries,
            pause: self.tries.pause(self.tools.pace),
            now,
        });
        told.standings.put(&self.id, Standing::of(&view, &orders.facts, &orders.policy, now));
        let longest = if self.tools.news.is_watching() { REST } else { TICK };
        let seen = matches!(view.engine, EngineView::Seen(_));
        self.rest =
            Rest::after(&plan, &view.clusters, now, self.jittered(longest)).filter(|_| seen && self.steps.is_empty());
        let wait = self.wait(&plan, now);
        let (host, clusters) = self.take_back(view);
        self.start(&host, &clusters, plan);
        self.records.host = Some(host);
        self.records.clusters = (!self.steps.is_empty()).then_some(clusters);
        self.dirty.looked_in_full(&heard);
        Pass::Again(wait)
    }

    fn blind(&mut self, error: &StoreError, outlooks: &Outlooks) -> Pass {
        warn!(host.id = %self.id, "nothing is changed on the host while the store does not answer: {error}");
        outlooks.blind(&self.id, error);
        self.records = Records::default();
        Pass::Again(self.tools.pace.of(BLIND_PAUSE))
    }
}

/// Whether anything but probes and their proofs is to be done.
fn acts(plan: &Plan) -> bool {
    !plan.stops.is_empty()
        || plan.steps.iter().any(|step| !matches!(step.action, Action::Look { .. } | Action::Prove { .. }))
}

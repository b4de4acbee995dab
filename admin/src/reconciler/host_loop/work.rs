//! The steps of a plan, carried out beside the loop, and what their ends tell it.

use std::sync::Arc;
use std::time::Instant;

use common::clock;
use common::model::{Cluster, Host, Phase};
use tokio::task::{self, JoinError};
use tracing::{info, warn};

use super::{Ended, HostLoop};
use crate::reconciler::execute::outcome::{Failure, Outcome};
use crate::reconciler::execute::{Hands, execute, without_engine};
use crate::reconciler::plan::{Action, Plan, Step};
use crate::reconciler::policy::Policy;

impl HostLoop {
    pub(super) fn start(&mut self, host: &Host, clusters: &[Cluster], plan: Plan) {
        self.stop(host, &plan);
        if plan.steps.is_empty() {
            return;
        }
        let engine = self.link.as_ref().map(|link| link.engine.clone());
        let host = Arc::new(host.clone());
        for step in plan.steps {
            let cluster =
                step.action.cluster().and_then(|id| clusters.iter().find(|cluster| cluster.id == *id).cloned());
            self.memory.begin(&step, clock::now());
            let (tools, limits, host, todo) = (self.tools.clone(), self.limits.clone(), host.clone(), step.clone());
            let (engine, pulls) = (engine.clone(), self.pulls.clone());
            let task = self.under_way.spawn(async move {
                let (began, meters) = (Instant::now(), tools.meters.clone());
                let outcome = match engine {
                    Some(engine) => {
                        execute(&Hands { tools, engine, limits, pulls }, &host, cluster.as_ref(), &todo).await
                    }
                    None => without_engine(&tools, &host, cluster.as_ref(), &todo).await,
                };
                meters.stepped(&todo.action, cluster.as_ref(), &outcome, began.elapsed(), clock::now());
                Ended { cluster, outcome }
            });
            self.steps.insert(task.id(), (step, task));
        }
    }

    /// Ends what is under way and not wanted any more, between two calls to the engine or in the middle of one. What it has
    /// made by then is seen by the next look.
    fn stop(&self, host: &Host, plan: &Plan) {
        for stop in &plan.stops {
            let is_it = |step: &Step| matches!(&step.action, Action::BringUp { cluster } if *cluster == stop.cluster);
            for (_, task) in self.steps.values().filter(|(step, _)| is_it(step)) {
                info!(host.id = %host.id, cluster.id = %stop.cluster, "{}: {stop}", host.settings.name);
                task.abort();
            }
        }
    }

    pub(super) fn ended(&mut self, ended: Result<(task::Id, Ended), JoinError>, policy: &Policy) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(error) if error.is_cancelled() => (error.id(), Ended { cluster: None, outcome: Outcome::Stale }),
            Err(error) => {
                warn!(host.id = %self.id, "an action panicked: {error}");
                let outcome = Outcome::Failed(Failure::Later("it panicked; see the log".into()));
                (error.id(), Ended { cluster: None, outcome })
            }
        };
        let Some((step, _)) = self.steps.remove(&id) else { return };
        let Ended { cluster, outcome } = ended;
        if !matches!(step.action, Action::Look { .. }) {
            // It may have written.
            self.records.clusters = None;
        }
        if let Action::BringUp { cluster } = &step.action {
            self.pulls.end(cluster);
        }
        if let (Action::TakeDown { cluster }, Outcome::Done) = (&step.action, &outcome) {
            self.tools.news.forget(cluster);
        }
        let lasting = cluster.as_ref().is_some_and(|c| matches!(c.phase, Phase::Free { .. } | Phase::InUse { .. }));
        // A network that does not answer may have lost nodes of which no event told.
        let bad_look = lasting && matches!(outcome, Outcome::Looked { result: Err(_), .. });
        if step.action.touches_engine() || bad_look {
            self.dirty.set();
        }
        self.memory.end(&step, cluster.as_ref(), &outcome, policy, clock::now());
    }
}

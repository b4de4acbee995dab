//! The steps of a plan, carried out beside the loop, and what their ends tell it.

use std::sync::Arc;

use common::clock;
use common::model::{Cluster, Host, Phase};
use tokio::task::{self, JoinError};
use tracing::warn;

use super::{Ended, HostLoop};
use crate::reconciler::execute::{Hands, execute, without_engine};
use crate::reconciler::outcome::{Failure, Outcome};
use crate::reconciler::plan::{Action, Plan};
use crate::reconciler::policy::Policy;

impl HostLoop {
    pub(super) fn start(&mut self, host: &Host, clusters: &[Cluster], plan: Plan) {
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
            let engine = engine.clone();
            let task = self.under_way.spawn(async move {
                let outcome = match engine {
                    Some(engine) => execute(&Hands { tools, engine, limits }, &host, cluster.as_ref(), &todo).await,
                    None => without_engine(&tools, &host, cluster.as_ref(), &todo).await,
                };
                Ended { cluster, outcome }
            });
            self.steps.insert(task.id(), step);
        }
    }

    pub(super) fn ended(&mut self, ended: Result<(task::Id, Ended), JoinError>, policy: &Policy) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                warn!(host.id = %self.id, "an action panicked: {error}");
                let outcome = Outcome::Failed(Failure::Later("it panicked; see the log".into()));
                (error.id(), Ended { cluster: None, outcome })
            }
        };
        let Some(step) = self.steps.remove(&id) else { return };
        let Ended { cluster, outcome } = ended;
        if !matches!(step.action, Action::Look { .. }) {
            // It may have written.
            self.records.clusters = None;
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

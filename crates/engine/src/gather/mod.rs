//! What can be learnt of a cluster's containers before they are removed: what the engine says of them, and their last words.
//!
//! It is asked of hosts in trouble, so it takes what comes: a container that says nothing in time is told as the list had
//! it, with the reason where its answer would stand. Memory is bounded while reading, for a container may print anything.

mod inspect;
mod lines;

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};
use bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use common::model::evidence::{MAX_LOG_LINES, MAX_NODES};
use common::model::{ClusterId, NodeEvidence, NodeState, PoolId};
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::call::{Fenced, open};
use crate::error_map::{self, Step};
use crate::raw::RawContainer;
use crate::{Engine, EngineError, deadline, labels};
use lines::Lines;

impl Engine {
    /// What is to be learnt of a cluster's containers, and of those that its nodes started themselves, within
    /// [`deadline::GATHER`] in all: nodes by name, then the others, at most [`MAX_NODES`].
    ///
    /// An error only when not even their list is to be had. What could not be asked of a container stands, with the
    /// reason, in its `inspect` (as `{"missing": "..."}`) or as the last line of its `log` (in brackets). Lines are without
    /// control characters, which a page or a terminal would obey.
    pub async fn gather(&self, pool: &PoolId, cluster: &ClusterId) -> Result<Vec<NodeEvidence>, EngineError> {
        let until = Instant::now() + deadline::GATHER;
        let list = timeout_at(until, self.whole_cluster(pool, cluster)).await;
        let list = list.unwrap_or_else(|_| {
            Err(EngineError::Timeout { what: "listing containers".to_owned(), after: deadline::GATHER })
        })?;
        Ok(join_all(list.into_iter().take(MAX_NODES).map(|raw| self.examine(raw, until))).await)
    }

    /// The labelled containers, and the unlabelled ones that are named after the cluster.
    async fn whole_cluster(&self, pool: &PoolId, cluster: &ClusterId) -> Result<Vec<RawContainer>, EngineError> {
        let at = Fenced { engine: self, fence: &open };
        let prefix = format!("{cluster}-");
        let filters = |key: &str, values: Vec<String>| HashMap::from([(key.to_owned(), values)]);
        let marks = vec![format!("{}={pool}", labels::POOL), format!("{}={cluster}", labels::CLUSTER)];
        let (nodes, named) =
            tokio::join!(at.containers(filters("label", marks)), at.containers(filters("name", vec![prefix.clone()])),);
        let mut nodes = nodes?;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        // Without this list the nodes are still worth telling of.
        let mut named = named.unwrap_or_default();
        named.retain(|container| container.mark().is_none() && container.name.starts_with(&prefix));
        named.sort_by(|a, b| a.name.cmp(&b.name));
        nodes.extend(named);
        Ok(nodes)
    }

    async fn examine(&self, raw: RawContainer, until: Instant) -> NodeEvidence {
        let (seen, log) = tokio::join!(self.inspect_until(&raw, until), self.last_lines(&raw.id, until));
        let found = raw.found();
        let listed = NodeEvidence {
            node: found.node,
            container: found.name,
            state: found.state,
            exit_code: found.exit_code,
            oom_killed: false,
            restarts: 0,
            log,
            inspect: String::new(),
        };
        match seen {
            Ok(seen) => told(listed, &seen),
            Err(error) => {
                let gone = matches!(error, EngineError::Gone { .. });
                let state = if gone { NodeState::Gone } else { listed.state };
                NodeEvidence { state, inspect: inspect::missing(&error.to_string()), ..listed }
            }
        }
    }

    async fn inspect_until(&self, raw: &RawContainer, until: Instant) -> Result<ContainerInspectResponse, EngineError> {
        let thing = format!("container {}", raw.name);
        let inspect = self.docker.inspect_container(&raw.id, None::<InspectContainerOptions>);
        self.call(Step("looking at", &thing), left(until), inspect).await
    }

    /// What came of the log until the moment, and why it is not all of it.
    async fn last_lines(&self, id: &str, until: Instant) -> Vec<String> {
        let tail = MAX_LOG_LINES.to_string();
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&tail).build();
        let mut stream = std::pin::pin!(self.docker.logs(id, Some(options)));
        let mut lines = Lines::default();
        loop {
            match timeout_at(until, stream.next()).await {
                Ok(None) => return lines.end(),
                Ok(Some(Ok(output))) => lines.add(&output),
                Ok(Some(Err(error))) => return lines.break_off(&self.reason(error)),
                Err(_) => return lines.break_off("no more of it came in time"),
            }
        }
    }

    fn reason(&self, error: Error) -> String {
        match error_map::explain(self.url(), Step("reading", "the log"), deadline::GATHER, error) {
            EngineError::Refused { message, .. } => message,
            other => other.to_string(),
        }
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// What an inspection adds to what a list has.
fn told(listed: NodeEvidence, seen: &ContainerInspectResponse) -> NodeEvidence {
    let state = seen.state.as_ref();
    let now = state.and_then(|state| state.status).map_or(listed.state, state_of);
    let runs = matches!(now, NodeState::Running | NodeState::Paused | NodeState::Created);
    NodeEvidence {
        state: now,
        exit_code: if runs { None } else { state.and_then(|state| state.exit_code).or(listed.exit_code) },
        oom_killed: state.and_then(|state| state.oom_killed).unwrap_or(false),
        restarts: seen.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        inspect: inspect::text(seen),
        ..listed
    }
}

fn state_of(status: ContainerStateStatusEnum) -> NodeState {
    use ContainerStateStatusEnum as S;
    match status {
        S::RUNNING | S::STOPPING => NodeState::Running,
        S::PAUSED => NodeState::Paused,
        S::RESTARTING => NodeState::Restarting,
        S::EXITED => NodeState::Exited,
        S::REMOVING | S::DEAD => NodeState::Dead,
        S::CREATED | S::EMPTY => NodeState::Created,
    }
}

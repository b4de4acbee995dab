//! Single containers of a cluster: start, stop, restart, look.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::{
    InspectContainerOptions, RestartContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use common::model::{ClusterId, PoolId};
use futures_util::future::try_join_all;

use crate::call::{Fenced, open};
use crate::error_map::Step;
use crate::{Engine, EngineError, Fence, FoundContainer, deadline, labels};

impl Engine {
    /// Starts a container; one that runs is left alone, a paused one goes on.
    pub async fn start_node(&self, container: &str, fence: Fence<'_>) -> Result<(), EngineError> {
        let at = Fenced { engine: self, fence };
        let thing = format!("container {container}");
        let start = self.docker.start_container(container, None::<StartContainerOptions>);
        match at.call(Step("starting", &thing), deadline::START, start).await {
            Err(EngineError::Refused { message, .. }) if message.contains("paused") => {
                let unpause = self.docker.unpause_container(container);
                at.call(Step("unpausing", &thing), deadline::START, unpause).await
            }
            other => other,
        }
    }

    /// Ends a container's process, kindly for `grace`, then by force. Its ledger stays. One that does not run is left alone.
    pub async fn stop_node(&self, container: &str, grace: Duration, fence: Fence<'_>) -> Result<(), EngineError> {
        let options = StopContainerOptionsBuilder::default().t(seconds(grace)).build();
        let stop = self.docker.stop_container(container, Some(options));
        let within = grace + deadline::STOP_BEYOND_GRACE;
        Fenced { engine: self, fence }.call(Step("stopping", &format!("container {container}")), within, stop).await
    }

    /// Stops and starts a container; also a paused one, and one that does not run.
    pub async fn restart_node(&self, container: &str, grace: Duration, fence: Fence<'_>) -> Result<(), EngineError> {
        let options = RestartContainerOptionsBuilder::default().t(seconds(grace)).build();
        let restart = self.docker.restart_container(container, Some(options));
        let within = grace + deadline::STOP_BEYOND_GRACE + deadline::START;
        let step = format!("container {container}");
        Fenced { engine: self, fence }.call(Step("restarting", &step), within, restart).await
    }

    /// The labelled containers of one cluster, by name, with restart counts.
    pub async fn nodes(&self, pool: &PoolId, cluster: &ClusterId) -> Result<Vec<FoundContainer>, EngineError> {
        let at = Fenced { engine: self, fence: &open };
        let filters = vec![format!("{}={pool}", labels::POOL), format!("{}={cluster}", labels::CLUSTER)];
        let list = at.containers(HashMap::from([("label".to_owned(), filters)])).await?;
        let found = try_join_all(list.into_iter().map(|raw| self.with_restarts(raw.found()))).await?;
        let mut found: Vec<_> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// `None` if it went away since the list was made.
    async fn with_restarts(&self, found: FoundContainer) -> Result<Option<FoundContainer>, EngineError> {
        let inspect = self.docker.inspect_container(&found.id, None::<InspectContainerOptions>);
        let step = format!("container {}", found.name);
        match self.call(Step("looking at", &step), deadline::LOOK, inspect).await {
            Ok(seen) => Ok(Some(FoundContainer {
                restarts: seen.restart_count.and_then(|count| u32::try_from(count).ok()),
                oom_killed: seen.state.and_then(|state| state.oom_killed),
                ..found
            })),
            Err(EngineError::Gone { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// The engine counts whole seconds; a part of one counts as one, lest a grace of 500 ms become none.
fn seconds(grace: Duration) -> i32 {
    i32::try_from(grace.as_secs() + u64::from(grace.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_no_less_than_one() {
        assert_eq!(seconds(Duration::from_millis(500)), 1);
        assert_eq!(seconds(Duration::from_secs(3)), 3);
        assert_eq!(seconds(Duration::ZERO), 0);
    }
}

//! Single containers of a cluster: start, stop, restart, look, logs.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::{
    InspectContainerOptions, LogsOptionsBuilder, RestartContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};
use common::model::{ClusterId, PoolId};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use tokio::time::timeout;

use crate::call::{Fenced, open};
use crate::error_map::{self, Step};
use crate::{Engine, EngineError, Fence, FoundContainer, deadline, labels};

/// What a page can show of a log, and no more memory than that.
const LOG_BYTES: usize = 256 * 1024;

/// One line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it wrote it.
    pub stream: LogStream,
    /// When, as the engine has it: RFC 3339.
    pub at: String,
    /// Without its line end.
    pub text: String,
}

/// Where a container wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

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

    /// The last lines of a container, oldest first: at most `tail` lines and 256 KiB.
    pub async fn logs(&self, container: &str, tail: u32) -> Result<Vec<LogLine>, EngineError> {
        let thing = format!("the log of container {container}");
        let options =
            LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true).tail(&tail.to_string()).build();
        let read =
            async {
                let mut stream = std::pin::pin!(self.docker.logs(container, Some(options)));
                let mut log = LogTail::default();
                while let Some(output) = stream.next().await {
                    log.push(output.map_err(|error| {
                        error_map::explain(self.url(), Step("reading", &thing), deadline::PEEK, error)
                    })?);
                }
                Ok(log.lines.into())
            };
        let timed_out = EngineError::Timeout { what: format!("reading {thing}"), after: deadline::PEEK };
        timeout(self.pace.of(deadline::PEEK), read).await.unwrap_or(Err(timed_out))
    }
}

/// The engine counts whole seconds; a part of one counts as one, lest a grace of 500 ms become none.
fn seconds(grace: Duration) -> i32 {
    i32::try_from(grace.as_secs() + u64::from(grace.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

/// The end of a log, bounded.
#[derive(Default)]
struct LogTail {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl LogTail {
    fn push(&mut self, output: LogOutput) {
        let stream = match output {
            LogOutput::StdErr { .. } => LogStream::Stderr,
            LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => LogStream::Stdout,
        };
        let bytes = output.into_bytes();
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let (at, text) = text.split_once(' ').unwrap_or((text, ""));
        self.bytes += text.len();
        self.lines.push_back(LogLine { stream, at: at.to_owned(), text: text.to_owned() });
        while self.bytes > LOG_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_end_within_bounds() {
        let mut log = LogTail::default();
        for line in 0..10_000 {
            let message = format!("2026-11-22T09:00:00.0Z {line} {}\n", "x".repeat(90)).into();
            log.push(LogOutput::StdOut { message });
        }
        assert!(log.bytes <= LOG_BYTES && log.lines.len() > 2000);
        let last = log.lines.back().unwrap();
        assert!(last.text.starts_with("9999 x") && last.at == "2026-11-22T09:00:00.0Z", "{last:?}");
    }

    #[test]
    fn a_part_of_a_second_is_no_less_than_one() {
        assert_eq!(seconds(Duration::from_millis(500)), 1);
        assert_eq!(seconds(Duration::from_secs(3)), 3);
        assert_eq!(seconds(Duration::ZERO), 0);
    }
}

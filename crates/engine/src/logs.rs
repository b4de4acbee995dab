//! What a container wrote, and what it writes: bounded lines, as text that nobody has judged yet.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, Stream};
use tokio::time::timeout;

use crate::error_map::{self, Step};
use crate::log_lines::Pieces;
use crate::{Engine, EngineError, deadline};

/// What a page can show of a log, and no more memory than that.
const LOG_BYTES: usize = 256 * 1024;

/// One line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it wrote it.
    pub stream: LogStream,
    /// When, as the engine has it: RFC 3339.
    pub at: String,
    /// Without its line end, at most 8 KiB; one that was longer ends with `…`. As the container wrote it: it may
    /// hold what steers a terminal, and markup.
    pub text: String,
}

/// Where a container wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output, and all that a terminal shows.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Lines as they come. Ends when the container ends; an error is the last that comes. Dropping it ends the reading, and
/// nobody reads ahead: who takes lines slowly lets the engine wait.
pub struct LogFollow(BoxStream<'static, Result<LogLine, EngineError>>);

impl std::fmt::Debug for LogFollow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogFollow")
    }
}

impl Stream for LogFollow {
    type Item = Result<LogLine, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl Engine {
    /// The last lines of a container, oldest first: at most `tail` lines and 256 KiB.
    pub async fn logs(&self, container: &str, tail: u32) -> Result<Vec<LogLine>, EngineError> {
        let thing = thing(container);
        let read = async {
            let mut outputs = std::pin::pin!(self.docker.logs(container, Some(options(tail).build())));
            let (mut pieces, mut last) = (Pieces::default(), Last { tail, ..Last::default() });
            while let Some(output) = outputs.next().await {
                let output = output
                    .map_err(|error| error_map::explain(self.url(), Step("reading", &thing), deadline::PEEK, error))?;
                pieces.take(&output).into_iter().for_each(|line| last.push(line));
            }
            pieces.end().into_iter().for_each(|line| last.push(line));
            Ok(last.lines.into())
        };
        let timed_out = EngineError::Timeout { what: format!("reading {thing}"), after: deadline::PEEK };
        timeout(self.pace.of(deadline::PEEK), read).await.unwrap_or(Err(timed_out))
    }

    /// The last lines of a container, at most `tail`, and then what it writes, until it ends.
    ///
    /// A container that is not there, and an engine that does not begin to answer in time, are told at once. After
    /// that silence proves nothing: a container may have nothing to say.
    pub async fn follow_logs(&self, container: &str, tail: u32) -> Result<LogFollow, EngineError> {
        let thing = thing(container);
        let inspect = self.docker.inspect_container(container, None::<InspectContainerOptions>);
        self.call(Step("looking at", &format!("container {container}")), deadline::PEEK, inspect).await?;
        // The client's own limit is for the head of an answer alone, which an engine sends before the first line.
        let docker = self.docker.clone().with_timeout(self.pace.of(deadline::PEEK));
        let outputs = docker.logs(container, Some(options(tail).follow(true).build())).boxed();
        let url = self.url().clone();
        let lines = stream::unfold(Some((outputs, Pieces::default())), move |reading| {
            let (url, thing) = (url.clone(), thing.clone());
            async move {
                let (mut outputs, mut pieces) = reading?;
                match outputs.next().await {
                    Some(Ok(output)) => {
                        let lines: Vec<_> = pieces.take(&output).into_iter().map(Ok).collect();
                        Some((lines, Some((outputs, pieces))))
                    }
                    Some(Err(error)) => {
                        let step = Step("following", &thing);
                        let error = error_map::explain(&url, step, deadline::PEEK, error);
                        let lines = pieces.end().into_iter().map(Ok).chain([Err(error)]).collect();
                        Some((lines, None))
                    }
                    None => Some((pieces.end().into_iter().map(Ok).collect(), None)),
                }
            }
        });
        Ok(LogFollow(lines.flat_map(stream::iter).boxed()))
    }
}

fn thing(container: &str) -> String {
    format!("the log of container {container}")
}

fn options(tail: u32) -> LogsOptionsBuilder {
    LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true).tail(&tail.to_string())
}

/// The end of a log, bounded.
#[derive(Default)]
struct Last {
    tail: u32,
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl Last {
    fn push(&mut self, line: LogLine) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.bytes > LOG_BYTES || self.lines.len() > self.tail as usize {
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
        let mut log = Last { tail: 20_000, ..Last::default() };
        for line in 0..10_000 {
            let text = format!("{line} {}", "x".repeat(90));
            log.push(LogLine { stream: LogStream::Stdout, at: "2026-11-22T09:00:00.0Z".to_owned(), text });
        }
        assert!(log.bytes <= LOG_BYTES && log.lines.len() > 2000);
        assert!(log.lines.back().unwrap().text.starts_with("9999 x"));
    }
}

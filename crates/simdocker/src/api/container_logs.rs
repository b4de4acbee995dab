//! What a container printed, in Docker's framing: one byte for the stream, three zeros, four of length, the line.

use std::sync::Arc;

use futures_util::stream;

use super::Call;
use super::events::parse;
use super::reply::{self, ReplyResult};
use crate::clock::Moment;
use crate::engine::Engine;
use crate::engine::logs::{Line, Stream};
use crate::error::ApiError;
use crate::ids::Id;

/// How lines are chosen and written.
#[derive(Clone)]
struct Style {
    out: bool,
    err: bool,
    with_time: bool,
    framed: bool,
    since: Option<Moment>,
    until: Option<Moment>,
}

pub(crate) fn logs(engine: &Arc<Engine>, wanted: &str, call: &Call) -> ReplyResult {
    let moment = |name: &str| call.text(name).filter(|text| *text != "0").and_then(parse);
    let state = engine.state();
    let id = state.find(wanted)?;
    let container = state.container(&id)?;
    let style = Style {
        out: call.is_set("stdout"),
        err: call.is_set("stderr"),
        with_time: call.is_set("timestamps"),
        framed: !container.spec.body.tty,
        since: moment("since"),
        until: moment("until"),
    };
    if !style.out && !style.err {
        return Err(ApiError::bad("Bad parameters: you must choose at least one stream"));
    }
    if container.spec.body.host_config.log_config.driver == "none" {
        return Err(ApiError::new(501, "configured logging driver does not support reading"));
    }
    // The tail is counted before the streams are told apart, as the engine does.
    let tail = call.text("tail").and_then(|text| text.parse::<u64>().ok());
    let next = container.logs.next();
    let first = tail.map_or(0, |tail| next.saturating_sub(tail));
    let past: Vec<u8> = container.logs.from(first).flat_map(|line| style.write(line)).collect();
    drop(state);
    if !call.is_set("follow") {
        let parts: Vec<Vec<u8>> = if past.is_empty() { Vec::new() } else { vec![past] };
        return Ok(reply::raw_stream(stream::iter(parts)));
    }
    let follow = Follow { engine: engine.clone(), id, next, style, waiting: Some(past) };
    Ok(reply::raw_stream(stream::unfold(follow, Follow::step)))
}

impl Style {
    fn write(&self, line: &Line) -> Vec<u8> {
        let (number, wanted) = match line.stream {
            Stream::Out => (1, self.out),
            Stream::Err => (2, self.err),
        };
        let in_time =
            self.since.is_none_or(|since| line.at >= since) && self.until.is_none_or(|until| line.at <= until);
        if !wanted || !in_time {
            return Vec::new();
        }
        let text =
            if self.with_time { format!("{} {}", line.at.rfc3339_nanos(), line.text) } else { line.text.to_string() };
        let mut bytes = Vec::with_capacity(text.len() + 8);
        if self.framed {
            bytes.extend([number, 0, 0, 0]);
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
        bytes.extend(text.as_bytes());
        bytes
    }
}

struct Follow {
    engine: Arc<Engine>,
    id: Id,
    next: u64,
    style: Style,
    waiting: Option<Vec<u8>>,
}

impl Follow {
    /// The next lines, or the end once the container does not run.
    async fn step(mut self) -> Option<(Vec<u8>, Self)> {
        if let Some(past) = self.waiting.take().filter(|past| !past.is_empty()) {
            return Some((past, self));
        }
        let mut changes = self.engine.changes();
        loop {
            let (bytes, runs) = {
                let state = self.engine.state();
                let container = state.containers.get(&self.id)?;
                let bytes: Vec<u8> = container.logs.from(self.next).flat_map(|line| self.style.write(line)).collect();
                self.next = container.logs.next();
                (bytes, container.counts_as_running())
            };
            if !bytes.is_empty() {
                return Some((bytes, self));
            }
            if !runs {
                return None;
            }
            changes.changed().await.ok()?;
        }
    }
}

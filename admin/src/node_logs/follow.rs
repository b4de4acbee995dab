//! A log as server-sent events: `line` with `{at, stream, text}`, `skipped` with a number of lines that came too fast, `end`
//! with `{code, detail}`: the code for programs, the detail for people. A comment now and then keeps the connection open and
//! finds out that a browser has gone.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use engine::{EngineError, LogLine, LogStream};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Following, cleaned};
use crate::access::{SessionWatch, Standing};

/// Lines a second that anybody can make use of, beside the last ones that were asked for. More are counted and left out:
/// the log on its host has them.
const LINES_A_SECOND: u32 = 500;

/// After so long without a line comes a comment. Short: only what is written shows that a reader has gone, and until then she counts as
/// one of those that an operator may have.
const QUIET: Duration = Duration::from_secs(2);

struct Reading {
    following: Following,
    session: SessionWatch,
    stop: CancellationToken,
    window: Instant,
    passed: u32,
    skipped: u32,
}

enum Heard {
    Line(Option<Result<LogLine, EngineError>>),
    Quiet,
    LookAtSession,
    Stopping,
}

/// Why nothing more comes.
enum End {
    NodeEnded,
    Unreadable(EngineError),
    SignedOut,
    OtherRole,
    Stopping,
}

/// The events, to the end of the container, of the session, or of the server.
pub fn stream(
    following: Following,
    session: SessionWatch,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let reading = Reading { following, session, stop, window: Instant::now(), passed: 0, skipped: 0 };
    // At once, so that a browser knows that it is connected though nothing is written.
    let hello = stream::iter([Ok(Bytes::from_static(b": following\n\n"))]);
    hello.chain(stream::unfold(Some(reading), async |reading| {
        let (text, reading) = reading?.step().await;
        Some((Ok(Bytes::from(text)), reading))
    }))
}

impl Reading {
    async fn step(mut self) -> (String, Option<Self>) {
        loop {
            let end = match self.hear().await {
                Heard::Line(Some(Ok(line))) if self.pass() => {
                    let text = format!("{}{}", self.told_skipped(), event("line", &shape(line)));
                    return (text, Some(self));
                }
                Heard::Line(Some(Ok(_))) => continue,
                Heard::Line(Some(Err(error))) => End::Unreadable(error),
                Heard::Line(None) => End::NodeEnded,
                Heard::LookAtSession => match self.session.look().await {
                    Standing::Holds => return (format!("{}: \n\n", self.told_skipped()), Some(self)),
                    Standing::OtherRole => End::OtherRole,
                    Standing::Over => End::SignedOut,
                },
                Heard::Quiet => return (format!("{}: \n\n", self.told_skipped()), Some(self)),
                Heard::Stopping => End::Stopping,
            };
            return (format!("{}{}", self.told_skipped(), end.event()), None);
        }
    }

    async fn hear(&mut self) -> Heard {
        tokio::select! {
            // A node that never pauses must not keep the session from being looked at.
            biased;
            () = self.stop.cancelled() => Heard::Stopping,
            () = self.session.due() => Heard::LookAtSession,
            line = self.following.lines.next() => Heard::Line(line),
            () = tokio::time::sleep(QUIET) => Heard::Quiet,
        }
    }

    /// Whether there is room for a line: among those that were asked for, or in this second.
    fn pass(&mut self) -> bool {
        if self.following.asked > 0 {
            self.following.asked -= 1;
            return true;
        }
        if self.window.elapsed() >= Duration::from_secs(1) {
            (self.window, self.passed) = (Instant::now(), 0);
        }
        let room = self.passed < LINES_A_SECOND;
        if room {
            self.passed += 1
        } else {
            self.skipped += 1
        }
        room
    }

    fn told_skipped(&mut self) -> String {
        match std::mem::take(&mut self.skipped) {
            0 => String::new(),
            count => event("skipped", &json!(count)),
        }
    }
}

impl End {
    fn event(&self) -> String {
        let (code, detail) = match self {
            End::NodeEnded => ("node-ended", "The node has ended.".to_owned()),
            End::Unreadable(error) => ("unreadable", format!("The log cannot be read further: {error}.")),
            End::SignedOut => ("signed-out", "You are signed out.".to_owned()),
            End::OtherRole => ("role-changed", "You have another role now.".to_owned()),
            End::Stopping => ("stopping", "The server stops.".to_owned()),
        };
        event("end", &json!({"code": code, "detail": detail}))
    }
}

fn shape(line: LogLine) -> serde_json::Value {
    let LogLine { stream, at, text } = cleaned(line);
    let stream = match stream {
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
    };
    json!({"at": at, "stream": stream, "text": text})
}

/// JSON has no line ends of its own, so one line of data is enough.
fn event(name: &str, data: &serde_json::Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

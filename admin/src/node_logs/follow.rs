//! A log as server-sent events: `line` with `{at, stream, text}`, `skipped` with a number of lines that came too fast, `end`
//! with the reason. A comment now and then keeps the connection open and finds out that a browser has gone.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use engine::{EngineError, LogLine, LogStream};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Following, cleaned};

/// Proxies end connections on which nothing comes for a minute.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Then the browser asks again, with a session that must still hold.
const FOLLOWED_FOR: Duration = Duration::from_secs(15 * 60);

/// Lines a second that anybody can make use of. More are counted and left out: the log on its host has them.
const LINES_A_SECOND: u32 = 500;

struct Reading {
    following: Following,
    ends: Instant,
    stop: CancellationToken,
    window: Instant,
    passed: u32,
    skipped: u32,
}

enum Heard {
    Line(Option<Result<LogLine, EngineError>>),
    Silence,
    TooLong,
    Stopping,
}

/// The events, to the end of the container, of the time that one may follow, or of the server.
pub fn stream(following: Following, stop: CancellationToken) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let now = Instant::now();
    let reading = Reading { following, ends: now + FOLLOWED_FOR, stop, window: now, passed: 0, skipped: 0 };
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
            let text = match self.hear().await {
                Heard::Silence => format!("{}: \n\n", self.told_skipped()),
                Heard::Line(Some(Ok(line))) => match self.pass() {
                    true => format!("{}{}", self.told_skipped(), event("line", &shape(line))),
                    false => continue,
                },
                Heard::Line(Some(Err(error))) => {
                    return (self.end(&format!("it cannot be read further: {error}")), None);
                }
                Heard::Line(None) => return (self.end("the node has ended"), None),
                Heard::TooLong => return (self.end("it was followed for so long; ask again"), None),
                Heard::Stopping => return (self.end("the server stops"), None),
            };
            return (text, Some(self));
        }
    }

    async fn hear(&mut self) -> Heard {
        let wait = (Instant::now() + SIGN_OF_LIFE).min(self.ends);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Heard::Stopping,
            line = timeout_at(wait, self.following.lines.next()) => match line {
                Ok(line) => Heard::Line(line),
                Err(_) if wait == self.ends => Heard::TooLong,
                Err(_) => Heard::Silence,
            },
        }
    }

    /// Whether there is room for a line in this second.
    fn pass(&mut self) -> bool {
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

    fn end(&mut self, why: &str) -> String {
        format!("{}{}", self.told_skipped(), event("end", &json!(why)))
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

//! The connection to one host's engine, and the task that reads its events.

use std::sync::Arc;
use std::time::Duration;

use common::clock::Pace;
use common::model::{DaemonUrl, PoolId};
use engine::{Engine, EngineError, EngineEvent, EventKind};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::answer::{first, while_it_lives};
use super::dirty::Dirty;
use super::view::WANT_OF_MEMORY;

/// Docker tells of a pause before its lists have it: a look within some milliseconds still sees the container run (seen
/// with 20.10). So there is another look after this.
const LIST_LAGS: Duration = Duration::from_millis(100);

/// And one more, for the list is written to disk first.
const LIST_LAGS_LONG: Duration = Duration::from_millis(900);

/// A connection to an engine that is the one its host was added with.
pub struct Link {
    /// Where it goes.
    pub url: DaemonUrl,
    /// The engine.
    pub engine: Engine,
    events: tokio::task::JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.events.abort();
    }
}

impl Link {
    /// Reaches the engine and listens to its events, before anything is looked at, so that nothing falls between.
    ///
    /// Another engine at the same address is refused: what is there belongs to another host, or to nobody here.
    pub async fn connect(
        url: &DaemonUrl,
        engine_id: &str,
        pool: &PoolId,
        pace: Pace,
        dirty: &Arc<Dirty>,
    ) -> Result<Link, EngineError> {
        let engine = first("connecting", pace, Engine::connect_at(url, pace)).await?;
        let found = while_it_lives(&engine, pace, engine.info()).await?.id;
        if found != engine_id {
            return Err(EngineError::Refused {
                what: format!("to be the host's engine at {url}"),
                status: 0,
                message: format!(
                    "its id is {found}, the host was added with {engine_id}; if the machine was set up anew, delete the host and add it again"
                ),
            });
        }
        let mut events = while_it_lives(&engine, pace, engine.events(pool)).await?;
        let dirty = dirty.clone();
        let events = tokio::spawn(async move {
            // When lists are to be had that show what was told, and how long after that once more.
            let mut later: Option<(Instant, Option<Duration>)> = None;
            loop {
                let due = later.map(|(at, _)| at);
                tokio::select! {
                    event = events.next() => {
                        let Some(Ok(event)) = event else { break };
                        if matches!(event.kind, EventKind::Pause | EventKind::Unpause) {
                            later = Some((Instant::now() + LIST_LAGS, Some(LIST_LAGS_LONG)));
                        }
                        hear(&dirty, event);
                    }
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                        later = later.and_then(|(at, again)| Some((at + again?, None)));
                        dirty.set();
                    }
                }
            }
            dirty.broke();
        });
        Ok(Link { url: url.clone(), engine, events })
    }
}

/// Says that it is time to look.
fn hear(dirty: &Dirty, event: EngineEvent) {
    let how = match event.kind {
        EventKind::Oom => Some(format!("{} was {WANT_OF_MEMORY}", event.name)),
        EventKind::Die { exit_code: Some(code) } => Some(format!("{} ended with code {code}", event.name)),
        EventKind::Die { exit_code: None } => Some(format!("{} ended", event.name)),
        _ => None,
    };
    if let (Some(how), Some(cluster)) = (how, &event.cluster) {
        dirty.died(cluster.clone(), how);
    }
    match event.cluster {
        Some(cluster) => dirty.set_about(cluster),
        None => dirty.set(),
    }
}

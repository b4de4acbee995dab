//! The connection to one host's engine, and the task that reads its events.

use std::sync::Arc;

use common::clock::Pace;
use common::model::{DaemonUrl, PoolId};
use engine::{Engine, EngineError, EventKind};
use futures_util::StreamExt;

use super::answer::{first, while_it_lives};
use super::dirty::Dirty;

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
            while let Some(Ok(event)) = events.next().await {
                let how = match event.kind {
                    EventKind::Oom => Some(format!("{} was killed for want of memory", event.name)),
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
            dirty.broke();
        });
        Ok(Link { url: url.clone(), engine, events })
    }
}

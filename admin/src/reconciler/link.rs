//! The connection to one host's engine, and the task that reads its events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::clock::Pace;
use common::model::{ClusterId, DaemonUrl, PoolId};
use engine::{Engine, EngineError, EventKind};
use futures_util::StreamExt;
use tokio::sync::Notify;

use super::answer::{first, while_it_lives};

/// What events say: look again, and what is not to be trusted until it was.
#[derive(Default)]
pub struct Dirty {
    /// Rung by each event.
    pub notify: Notify,
    state: Mutex<State>,
}

/// What was heard.
#[derive(Default)]
pub struct State {
    /// A look is due.
    pub look: bool,
    /// The link is to be made anew.
    pub broken: bool,
    /// Clusters of which a node ended.
    pub died: BTreeMap<ClusterId, String>,
}

impl Dirty {
    /// Something may have changed: the next pass looks at everything.
    pub fn set(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).look = true;
        self.notify.notify_one();
    }

    /// A node of this cluster ended, if only for a moment.
    fn died(&self, cluster: ClusterId, how: String) {
        // What is heard first says more: want of memory comes before the end that it brings.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).died.entry(cluster).or_insert(how);
    }

    /// The stream ended: some may have been missed, and another engine may answer by now.
    fn broke(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        self.set();
    }

    /// What was heard since the last call.
    pub fn take(&self) -> State {
        std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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
                if let (Some(how), Some(cluster)) = (how, event.cluster) {
                    dirty.died(cluster, how);
                }
                dirty.set();
            }
            dirty.broke();
        });
        Ok(Link { url: url.clone(), engine, events })
    }
}

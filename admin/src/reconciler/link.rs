//! The connection to one host's engine, and the task that reads its events.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::model::{ClusterId, DaemonUrl, PoolId};
use engine::{Engine, EngineError, EventKind};
use futures_util::StreamExt;
use tokio::sync::Notify;

/// Between two tries to listen to an engine's events again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What events say: look again, and what is not to be trusted until it was.
#[derive(Default)]
pub struct Dirty {
    /// Rung by each event.
    pub notify: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    look: bool,
    died: BTreeSet<ClusterId>,
}

impl Dirty {
    /// Something may have changed: the next pass looks at everything.
    pub fn set(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).look = true;
        self.notify.notify_one();
    }

    /// A node of this cluster ended, if only for a moment.
    fn died(&self, cluster: ClusterId) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).died.insert(cluster);
    }

    /// Whether a look is due, and of which clusters a node ended, since the last call.
    pub fn take(&self) -> (bool, BTreeSet<ClusterId>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.look), std::mem::take(&mut state.died))
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
        dirty: &Arc<Dirty>,
    ) -> Result<Link, EngineError> {
        let engine = Engine::connect(url).await?;
        let found = engine.info().await?.id;
        if found != engine_id {
            return Err(EngineError::Refused {
                what: format!("to be the host's engine at {url}"),
                status: 0,
                message: format!(
                    "its id is {found}, the host was added with {engine_id}; if the machine was set up anew, delete the host and add it again"
                ),
            });
        }
        let mut events = engine.events(pool).await?;
        let (dirty, reader, pool) = (dirty.clone(), engine.clone(), pool.clone());
        let events = tokio::spawn(async move {
            loop {
                while let Some(Ok(event)) = events.next().await {
                    if let (EventKind::Die { .. } | EventKind::Oom, Some(cluster)) = (&event.kind, event.cluster) {
                        dirty.died(cluster);
                    }
                    dirty.set();
                }
                // Some may have been missed: a full look, once the stream stands again.
                tokio::time::sleep(LISTEN_AGAIN).await;
                if let Ok(stream) = reader.events(&pool).await {
                    events = stream;
                }
                dirty.set();
            }
        });
        Ok(Link { url: url.clone(), engine, events })
    }
}

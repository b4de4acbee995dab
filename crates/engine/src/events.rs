//! What happens on an engine, as it happens.

use std::pin::Pin;
use std::task::{Context, Poll};

use common::model::{ClusterId, PoolId};
use futures_util::stream::{self, BoxStream, Stream};

use crate::{Engine, EngineError};

/// Something happened. It only says where to look again; it carries nothing to act upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEvent {
    /// Whose; `None` for networks and volumes, whose events do not tell.
    pub cluster: Option<ClusterId>,
    /// What.
    pub kind: EventKind,
    /// The engine's id of the container or network, or the volume's name.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A container was started.
    Start,
    /// A container's process ended.
    Die {
        /// With this code.
        exit_code: Option<i64>,
    },
    /// A container was short of memory and something in it was killed.
    Oom,
    /// A container was sent a signal.
    Kill,
    /// A container was stopped by a call.
    Stop,
    /// A container was frozen.
    Pause,
    /// A container goes on.
    Unpause,
    /// A container's own check changed its mind.
    Health {
        /// To well, or not.
        healthy: bool,
    },
    /// A container was removed.
    Destroy,
    /// A network was removed.
    NetworkDestroy,
    /// A named volume was removed.
    VolumeDestroy,
}

/// Events from the moment that [`Engine::events`] returned. Its end, like an error, means that some may have been missed:
/// look at everything. Silence proves nothing, for a broken connection may be silent too: ping.
pub struct EventStream(BoxStream<'static, Result<EngineEvent, EngineError>>);

impl Stream for EventStream {
    type Item = Result<EngineEvent, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl Engine {
    /// What happens to containers of the pool, and which networks and named volumes are removed, from now on.
    pub async fn events(&self, _pool: &PoolId) -> Result<EventStream, EngineError> {
        Ok(EventStream(Box::pin(stream::empty())))
    }
}

//! What happens on an engine, as it happens.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use bollard::models::{EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::EventsOptionsBuilder;
use common::model::{ClusterId, PoolId};
use futures_util::stream::{BoxStream, Stream, StreamExt};

use crate::error_map::{self, Step};
use crate::labels::Mark;
use crate::raw::is_anonymous;
use crate::{Engine, EngineError, deadline};

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

/// What is asked for. Not `exec_*`, which every health check makes three of, with its whole command line.
const ACTIONS: [&str; 9] = ["start", "die", "oom", "kill", "stop", "pause", "unpause", "health_status", "destroy"];

/// Events from the moment that [`Engine::events`] was called. Its end, like an error, means that some may have been missed:
/// look at everything. Silence proves nothing, for a broken connection may be silent too: ping.
pub struct EventStream(BoxStream<'static, Result<EngineEvent, EngineError>>);

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}

impl Stream for EventStream {
    type Item = Result<EngineEvent, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl Engine {
    /// What happens to labelled containers of the pool, and which networks and named volumes are removed, from now on, by
    /// the engine's own clock. The request goes out when the stream is first polled, and asks for what happened since this
    /// call: so nothing is missed between the two, and what happened within the same second may come, too.
    pub async fn events(&self, pool: &PoolId) -> Result<EventStream, EngineError> {
        let info = self.raw_info().await?;
        let now = info.system_time.as_deref().and_then(|time| time.parse::<jiff::Timestamp>().ok());
        let Some(now) = now else {
            let message = format!("its clock says {:?}", info.system_time);
            return Err(EngineError::Refused { what: "events".to_owned(), status: 0, message });
        };
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned(), "network".to_owned(), "volume".to_owned()]),
            ("event".to_owned(), ACTIONS.map(str::to_owned).to_vec()),
        ]);
        let since = now.as_second().to_string();
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let (pool, url) = (pool.clone(), self.url().clone());
        let events = self.docker.events(Some(options)).filter_map(move |message| {
            let event = match message {
                Ok(message) => understand(&pool, message).map(Ok),
                Err(error) => {
                    let step = Step("following", "events");
                    Some(Err(error_map::explain(&url, step, deadline::LOOK, error)))
                }
            };
            std::future::ready(event)
        });
        Ok(EventStream(events.boxed()))
    }
}

/// `None` for what concerns nobody here. Labels are looked at here, not in the engine's filter, which never matches networks
/// and volumes (seen with 20.10).
fn understand(pool: &PoolId, message: EventMessage) -> Option<EngineEvent> {
    let actor = message.actor?;
    let attributes = actor.attributes.unwrap_or_default();
    let action = message.action?;
    let id = actor.id?;
    let name = attributes.get("name").cloned().unwrap_or_else(|| id.clone());
    let (cluster, kind) = match message.typ? {
        EventMessageTypeEnum::CONTAINER => {
            let mark = Mark::read(&attributes).filter(|mark| mark.pool == *pool)?;
            (Some(mark.cluster), container_event(&action, attributes.get("exitCode"))?)
        }
        EventMessageTypeEnum::NETWORK if action == "destroy" => (None, EventKind::NetworkDestroy),
        // Anonymous volumes go with their containers, whose own event is enough.
        EventMessageTypeEnum::VOLUME if action == "destroy" && !is_anonymous(&id) => (None, EventKind::VolumeDestroy),
        _ => return None,
    };
    Some(EngineEvent { cluster, kind, id, name })
}

fn container_event(action: &str, exit_code: Option<&String>) -> Option<EventKind> {
    Some(match action {
        "start" => EventKind::Start,
        "die" => EventKind::Die { exit_code: exit_code.and_then(|code| code.parse().ok()) },
        "oom" => EventKind::Oom,
        "kill" => EventKind::Kill,
        "stop" => EventKind::Stop,
        "pause" => EventKind::Pause,
        "unpause" => EventKind::Unpause,
        "destroy" => EventKind::Destroy,
        "health_status: healthy" => EventKind::Health { healthy: true },
        "health_status: unhealthy" => EventKind::Health { healthy: false },
        _ => return None,
    })
}

#[cfg(test)]
#[path = "events_test.rs"]
mod tests;

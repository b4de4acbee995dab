//! The connection to one host's engine, and the task that reads its events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::model::{ClusterId, DaemonUrl, Host, HostTls};
use engine::{Engine, EngineError, EngineEvent, EventKind};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until};

use super::answer::{first, while_it_lives};
use crate::reconciler::execute::Tools;
use crate::reconciler::memory::WANT_OF_MEMORY;
use crate::reconciler::meters::Dropped;
use crate::reconciler::wake::dirty::Dirty;

/// Docker tells of a pause or an end before its lists have it: a look within some milliseconds still sees the container run
/// (seen with 20.10: an end showed 130 to 250 ms after it was told, when the network had been taken care of). So there are
/// more looks, so long after what was told.
const LIST_LAGS: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(180),
    Duration::from_millis(300),
    Duration::from_millis(500),
    Duration::from_millis(1000),
];

/// A connection to an engine that is the one its host was added with.
pub struct Link {
    /// Where it goes.
    url: DaemonUrl,
    /// As whom.
    tls: Option<HostTls>,
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
    pub async fn connect(host: &Host, tools: &Tools, dirty: &Arc<Dirty>) -> Result<Link, EngineError> {
        let (url, engine_id) = (&host.settings.daemon_url, &host.engine_id);
        let (pace, meters, began) = (tools.pace, tools.meters.clone(), Instant::now());
        let connected = first("connecting", pace, tools.seal.connect(host, pace)).await;
        meters.called("connecting to", began.elapsed(), connected.as_ref().err());
        let engine = connected?.heard_by(meters.listener());
        let found = while_it_lives(&engine, pace, engine.info()).await?.id;
        if found != *engine_id {
            return Err(EngineError::Refused {
                what: format!("to be the host's engine at {url}"),
                status: 0,
                message: format!(
                    "its id is {found}, the host was added with {engine_id}; if the machine was set up anew, delete the host and add it again"
                ),
            });
        }
        let mut events = while_it_lives(&engine, pace, engine.events(tools.store.pool_id())).await?;
        let dirty = dirty.clone();
        let events = tokio::spawn(async move {
            // Looks that are still due, until the lists must show what was told.
            let mut later: Option<Later> = None;
            loop {
                let due = later.as_ref().and_then(Later::due);
                tokio::select! {
                    event = events.next() => {
                        let Some(Ok(event)) = event else { break };
                        if matches!(event.kind, EventKind::Pause | EventKind::Unpause | EventKind::Die { .. }) {
                            let mut about = later.map(|later| later.about).unwrap_or_default();
                            about.extend(event.cluster.clone());
                            later = Some(Later { told: Instant::now(), looks: 0, about });
                        }
                        hear(&dirty, event);
                    }
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                        if let Some(later) = &mut later {
                            later.looks += 1;
                            later.about.iter().for_each(|cluster| dirty.set_about(cluster.clone()));
                        }
                        later = later.filter(|later| later.due().is_some());
                    }
                }
            }
            meters.dropped(Dropped::EngineEvents);
            dirty.broke();
        });
        Ok(Link { url: url.clone(), tls: host.tls.clone(), engine, events })
    }

    /// Whether it goes where the host's record says, as the record says.
    pub fn is_to(&self, host: &Host) -> bool {
        self.url == host.settings.daemon_url && self.tls == host.tls
    }
}

/// Looks that are due because the lists may not have shown yet what was told.
struct Later {
    told: Instant,
    /// How many there were since.
    looks: usize,
    /// Of whom it was told.
    about: BTreeSet<ClusterId>,
}

impl Later {
    fn due(&self) -> Option<Instant> {
        LIST_LAGS.get(self.looks).map(|lag| self.told + *lag)
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

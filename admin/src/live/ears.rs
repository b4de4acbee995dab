//! Hears what changes, for as long as anybody looks at a live page: records from the store's watch, events by asking for
//! new ones, what the reconciler of this process does from itself, and new counts of the pool from whoever counts.

use std::sync::Arc;
use std::time::Duration;

use common::model::HostId;
use common::store::{Change, EventCursor, EventFilter, SharedStore, StoreError};
use futures_util::StreamExt;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use super::hub::Shared;
use super::topic::News;
use crate::reconciler::{Dropped, Reconciler};
use crate::tally::Tally;

/// Events that no record's change comes with show within this.
const EVENTS_EVERY: Duration = Duration::from_millis(500);

/// Events asked for at once.
const EVENTS: u32 = 200;

/// Changes taken together: a burst is one look at the pages.
const BURST: usize = 256;

/// Of one burst so many clusters' hosts are asked for; what is more may be anywhere.
const LOOK_UP: usize = 32;

/// Between two tries to watch a store that does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens beside the caller until the end.
pub fn listen(shared: Arc<Shared>, store: SharedStore, reconciler: Reconciler, tally: Tally) {
    tokio::spawn(async move {
        let end = shared.end().clone();
        let mut looked_at = shared.looked_at();
        let work = async {
            // It ends with the hub, whose the other end is.
            while looked_at.wait_for(|looked| *looked).await.is_ok() {
                let nobody = looked_at.wait_for(|looked| !*looked);
                tokio::select! {
                    _ = nobody => {}
                    () = hear(&shared, &store, &reconciler, &tally) => {}
                }
            }
        };
        tokio::select! {
            () = end.cancelled() => {}
            () = work => {}
        }
    });
}

async fn hear(shared: &Shared, store: &SharedStore, reconciler: &Reconciler, tally: &Tally) {
    let (mut told, mut counted) = (reconciler.told(), tally.renewed());
    let changes = match store.watch(None).await {
        Ok(changes) => changes,
        Err(error) => {
            tracing::debug!(%error, "live pages cannot watch the store; trying again");
            return tokio::time::sleep(AGAIN).await;
        }
    };
    let mut changes = changes.ready_chunks(BURST);
    let mut look = interval(EVENTS_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut place = None;
    // What happened before this is in no news.
    shared.hear(&News::of_all());
    loop {
        let mut news = News::default();
        tokio::select! {
            burst = changes.next() => match burst {
                Some(burst) => burst.into_iter().for_each(|(change, _)| note(&mut news, change)),
                None => return,
            },
            host = told.recv() => {
                note_told(&mut news, host, reconciler);
                while let Ok(more) = told.try_recv() {
                    note_told(&mut news, Ok(more), reconciler);
                }
            }
            // Counts follow a change by a moment: what is rendered at once still has the former ones.
            Ok(()) = counted.changed() => news.counts = true,
            _ = look.tick() => note_events(shared, store, &mut place, &mut news).await,
        }
        look_up(shared, store, &news).await;
        shared.hear(&news);
    }
}

fn note(news: &mut News, change: Change) {
    match change {
        Change::Cluster(cluster) => _ = news.clusters.insert(cluster),
        Change::Host(host) => _ = news.hosts.insert(host),
        Change::Missed => news.all = true,
    }
}

fn note_told(news: &mut News, told: Result<Option<HostId>, RecvError>, reconciler: &Reconciler) {
    match told {
        Ok(Some(host)) => _ = news.hosts.insert(host),
        Ok(None) => news.all = true,
        Err(RecvError::Lagged(_)) => {
            reconciler.meters().dropped(Dropped::PageNews);
            news.all = true;
        }
        // The reconciler is gone; its end is this process'.
        Err(RecvError::Closed) => {}
    }
}

async fn note_events(shared: &Shared, store: &SharedStore, place: &mut Option<EventCursor>, news: &mut News) {
    match store.tail_events(place.as_ref(), &EventFilter::default(), EVENTS).await {
        Ok((events, next)) => {
            *place = Some(next);
            news.events |= !events.is_empty();
            let about = events.iter().filter_map(|event| Some((&event.cluster.as_ref()?.0, event.host.as_ref()?)));
            shared.learn(about);
            for event in &events {
                news.hosts.extend(event.host.clone().filter(|_| event.cluster.is_none()));
                news.clusters.extend(event.cluster.as_ref().map(|(cluster, _)| cluster.clone()));
            }
        }
        // The store is another than before.
        Err(StoreError::NotFound(_)) => {
            *place = None;
            news.all = true;
        }
        Err(error) => tracing::debug!(%error, "live pages cannot ask for events; trying again"),
    }
}

/// Finds out where changed clusters are, if a page wants to know.
async fn look_up(shared: &Shared, store: &SharedStore, news: &News) {
    for cluster in shared.unplaced(news.clusters.iter()).iter().take(LOOK_UP) {
        if let Ok(Some(cluster)) = store.cluster(cluster).await {
            shared.learn(std::iter::once((&cluster.id, &cluster.host)));
        }
    }
}

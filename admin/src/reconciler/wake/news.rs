//! Tells each host's loop of changes in the store that concern it, so that what concerns one host wakes no other.
//!
//! Nothing depends on it: a change that nobody was told of is found by the loop's own timer. While the store cannot be
//! watched, a ring wakes every host, and the timers are short. A watch that is silent though somebody rings, who has just
//! written something, may be deaf: the ring wakes every host then, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::model::{ClusterId, HostId};
use common::store::{Change, ChangeStream, SharedStore};
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::dirty::Dirty;
use crate::reconciler::meters::{Dropped, Meters};

/// A ring says that somebody waits for a change. It shows in the watch a moment before or after.
const RING_HOLDS: Duration = Duration::from_secs(1);
/// Between two tries to watch.
const AGAIN: Duration = Duration::from_secs(1);

/// Who is to be told of what. Cheap to clone; all clones share it.
#[derive(Clone, Default)]
pub struct News(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Rung when the pool's counts or hosts may have changed.
    pool: Notify,
    /// Rung when a ring is not answered by a change yet.
    rang: Notify,
    meters: Meters,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    hosts: HashMap<HostId, Arc<Dirty>>,
    clusters: HashMap<ClusterId, Arc<Dirty>>,
    watching: bool,
    /// What comes before this is waited for.
    urgent_until: Option<Instant>,
    /// When the watch last told of anything.
    heard: Option<Instant>,
    /// Since when a ring waits for the change that it is about: the watch may have gone deaf.
    unanswered: Option<Instant>,
}

impl News {
    /// What got lost on its way is counted by these.
    pub fn counting(meters: Meters) -> News {
        News(Arc::new(Inner { meters, ..Inner::default() }))
    }

    /// From now on this host's loop is told.
    pub fn join(&self, host: &HostId, dirty: &Arc<Dirty>) {
        self.told().hosts.insert(host.clone(), dirty.clone());
    }

    /// The host's loop ended.
    pub fn leave(&self, dirty: &Arc<Dirty>) {
        let mut told = self.told();
        dirty.ended();
        told.hosts.retain(|_, other| !Arc::ptr_eq(other, dirty));
        told.clusters.retain(|_, other| !Arc::ptr_eq(other, dirty));
    }

    /// No host's loop runs any more.
    pub fn clear(&self) {
        let before = std::mem::take(&mut *self.told());
        before.hosts.values().for_each(|dirty| dirty.ended());
    }

    /// These clusters are this loop's.
    pub fn own<'a>(&self, clusters: impl Iterator<Item = &'a ClusterId>, dirty: &Arc<Dirty>) {
        let mut told = self.told();
        for id in clusters {
            if told.clusters.get(id).is_none_or(|other| !Arc::ptr_eq(other, dirty)) {
                told.clusters.insert(id.clone(), dirty.clone());
            }
        }
    }

    /// This cluster is gone.
    pub fn forget(&self, cluster: &ClusterId) {
        self.told().clusters.remove(cluster);
    }

    /// Whether changes are told at all.
    pub fn is_watching(&self) -> bool {
        self.told().watching
    }

    /// Somebody waits for a change that is in the store or comes at any moment.
    pub fn ring(&self) {
        let mut told = self.told();
        let now = Instant::now();
        told.urgent_until = Some(now + RING_HOLDS);
        let watching = told.watching;
        if watching && told.heard.is_none_or(|heard| heard + RING_HOLDS < now) {
            told.unanswered.get_or_insert(now);
            self.0.rang.notify_one();
        }
        for dirty in told.hosts.values() {
            if watching { dirty.hurry() } else { dirty.changed_now() }
        }
    }

    /// Every host is looked at in full, engine and records. For each where that is counted, and up to what.
    pub fn look_at_all(&self) -> Vec<(Arc<Dirty>, u64)> {
        self.told().hosts.values().map(|dirty| (dirty.clone(), dirty.ask_in_full())).collect()
    }

    /// Waits until the pool as a whole may have changed.
    pub async fn pool_changed(&self) {
        self.0.pool.notified().await;
    }

    /// Passes the store's changes on, until it is dropped.
    pub async fn follow(&self, store: &SharedStore) {
        loop {
            match store.watch(None).await {
                Ok(changes) => {
                    self.told().watching = true;
                    // What came before the watch began.
                    self.tell(&Change::Missed);
                    self.pass_on(changes, store).await;
                    self.told().watching = false;
                }
                Err(error) => warn!("the store's changes cannot be watched: {error}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn pass_on(&self, mut changes: ChangeStream, store: &SharedStore) {
        loop {
            let due = self.told().unanswered.map(|since| since + RING_HOLDS);
            tokio::select! {
                change = changes.next() => match change {
                    Some((change, _)) => {
                        if change == Change::Missed {
                            self.0.meters.dropped(Dropped::StoreChanges);
                        }
                        self.introduce(&change, store).await;
                        self.tell(&change);
                    }
                    None => return,
                },
                () = self.0.rang.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    // Whoever rings has written something; a watch that does not tell of it tells of nothing.
                    let mut told = self.told();
                    told.unanswered = None;
                    told.hosts.values().for_each(|dirty| dirty.changed_now());
                }
            }
        }
    }

    /// A cluster of which no loop has heard is new, and wanted by an operator if its host has not made it: whose it is, its
    /// record says. One that cannot be read is found by the timer.
    async fn introduce(&self, change: &Change, store: &SharedStore) {
        let Change::Cluster(id) = change else { return };
        if self.told().clusters.contains_key(id) {
            return;
        }
        let Ok(Some(cluster)) = store.cluster(id).await else { return };
        let mut told = self.told();
        if let Some(dirty) = told.hosts.get(&cluster.host).cloned() {
            told.clusters.insert(id.clone(), dirty);
        }
    }

    fn tell(&self, change: &Change) {
        let mut told = self.told();
        (told.heard, told.unanswered) = (Some(Instant::now()), None);
        let urgent = told.urgent_until.is_some_and(|until| Instant::now() < until);
        let tell = |dirty: &Arc<Dirty>| if urgent { dirty.changed_now() } else { dirty.changed() };
        match change {
            Change::Cluster(id) => told.clusters.get(id).into_iter().for_each(tell),
            // An operator's settings: rare, and she looks at the page.
            Change::Host(id) => told.hosts.get(id).into_iter().for_each(|dirty| dirty.changed_now()),
            Change::Missed => told.hosts.values().for_each(tell),
        }
        self.0.pool.notify_one();
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use common::model::{Actor, Event, EventKind};
    use common::store::{StoreTarget, StoreUser, WatchCursor, open};

    use super::*;
    use crate::reconciler::case::Case;

    async fn store() -> (SharedStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
        (open(&target, StoreUser::Admin).await.unwrap(), folder)
    }

    fn loops(news: &News) -> [(HostId, ClusterId, Arc<Dirty>); 2] {
        [(); 2].map(|()| {
            let (host, cluster, dirty) = (HostId::random(), ClusterId::random(), Arc::new(Dirty::default()));
            news.join(&host, &dirty);
            news.own([&cluster].into_iter(), &dirty);
            (host, cluster, dirty)
        })
    }

    #[test]
    fn a_change_is_told_to_its_host_alone() {
        let news = News::default();
        let [(_, cluster, one), (host, _, two)] = loops(&news);
        news.tell(&Change::Cluster(cluster));
        assert!(one.take().records && !two.take().records);
        news.tell(&Change::Host(host));
        assert!(!one.take().records && two.take().records);
        news.tell(&Change::Missed);
        assert!(one.take().records && two.take().records);
    }

    #[test]
    fn a_ring_hurries_what_changed_and_while_nothing_can_be_watched_everybody() {
        let news = News::default();
        let [(_, cluster, one), (_, _, two)] = loops(&news);
        news.ring();
        assert!(one.take().records && two.take().records);
        news.told().watching = true;
        news.ring();
        assert!(!one.take().records && !two.take().records);
        news.tell(&Change::Cluster(cluster));
        assert!(one.is_urgent(|_| true) && !two.is_urgent(|_| true));
    }

    #[test]
    fn who_left_is_told_nothing() {
        let news = News::default();
        let [(host, cluster, one), _] = loops(&news);
        news.leave(&one);
        news.tell(&Change::Host(host));
        news.tell(&Change::Cluster(cluster));
        assert!(!one.take().records);
    }

    #[tokio::test]
    async fn a_cluster_that_no_loop_knows_is_told_to_the_host_that_its_record_names() {
        let (news, (store, _folder)) = (News::default(), store().await);
        let [(_, _, one), (host, _, two)] = loops(&news);
        let mut cluster = Case::read("creating").view.clusters.remove(0);
        cluster.host = host;
        let event = Event::new(cluster.created_at, EventKind::Creating, Actor::Reconciler, "wanted").about(&cluster);
        store.insert_cluster(&cluster, event).await.unwrap();
        let change = (Change::Cluster(cluster.id.clone()), WatchCursor(String::new()));
        news.pass_on(Box::pin(futures_util::stream::iter([change])), &store).await;
        assert!(two.take().records && !one.take().records);
    }

    #[tokio::test]
    async fn a_ring_that_the_watch_does_not_answer_wakes_everybody() {
        let news = News::default();
        let [(_, _, one), (_, _, two)] = loops(&news);
        news.told().watching = true;
        let (deaf, (store, _folder)) = (news.clone(), store().await);
        let watch = tokio::spawn(async move { deaf.pass_on(Box::pin(futures_util::stream::pending()), &store).await });
        news.ring();
        let woken = tokio::time::timeout(Duration::from_secs(30), one.notify.notified()).await;
        assert!(woken.is_ok() && one.take().records && two.take().records);
        // One that comes with what was told of is answered by that.
        news.tell(&Change::Missed);
        news.ring();
        assert_eq!(news.told().unanswered, None);
        watch.abort();
    }
}

//! Counts what users apply for, by minute and flavor, and writes the counts down every few seconds in one write. A request
//! only adds to a number in memory: it never waits for this, and nothing it does can fail.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::model::{ApplyCount, FlavorId, Timestamp, UserId};
use common::store::{SharedStore, StoreResult};
use tokio::sync::watch;
use tracing::warn;

use crate::meters::Meters;

/// Who makes new networks sees a change of demand this late, which is short beside the time that making one takes.
const EVERY: Duration = Duration::from_secs(5);

/// Counts kept while the store is away; the oldest beyond this go. Twenty flavors for three hours.
const MOST: usize = 4_000;

/// Users and flavors that are told apart within a minute. Some ten of each for every host of a large pool, in a few MiB.
const MISSING: usize = 20_000;

const MINUTE_MS: i64 = 60_000;

/// What was counted and not written yet.
pub struct Demand {
    store: SharedStore,
    counts: Mutex<Counts>,
    /// The same counts since the start.
    meters: Meters,
    /// Held while writing, so that the last write waits for the one before it.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Counts {
    counts: BTreeMap<(Timestamp, FlavorId), (u64, u64)>,
    /// Who missed which flavor in this minute.
    minute: Option<Timestamp>,
    missed: HashSet<(UserId, FlavorId)>,
}

impl Demand {
    /// Nothing counted yet.
    pub fn new(store: SharedStore, meters: Meters) -> Demand {
        Demand { store, counts: Mutex::default(), meters, writing: tokio::sync::Mutex::default() }
    }

    /// Somebody got one of this flavor.
    pub fn given(&self, flavor: &FlavorId, now: Timestamp) {
        self.meters.given(flavor);
        self.counts().add(now, flavor, 1, 0);
    }

    /// This user would have taken any of these, and none was free. Who asks again and again wants no more than who waits: of
    /// one user each flavor counts once a minute.
    pub fn missed(&self, user: &UserId, flavors: &[FlavorId], now: Timestamp) {
        let mut counts = self.counts();
        for flavor in flavors {
            if counts.is_first(user, flavor, now) {
                self.meters.missed(flavor);
                counts.add(now, flavor, 0, 1);
            }
        }
    }

    /// Writes down now and then, until `closing` turns true. Whatever is counted after that is for [`Demand::write`].
    pub async fn write_now_and_then(&self, mut closing: watch::Receiver<bool>) {
        loop {
            let closes = tokio::select! {
                () = tokio::time::sleep(EVERY) => false,
                _ = closing.wait_for(|closing| *closing) => true,
            };
            if closes {
                return;
            }
            self.write().await;
        }
    }

    /// Writes down what was counted until now; what cannot be written is kept for the next time.
    pub async fn write(&self) {
        self.write_by(async |counts| self.store.count_applies(&counts).await).await;
    }

    async fn write_by(&self, write: impl AsyncFnOnce(Vec<ApplyCount>) -> StoreResult<()>) {
        let _writing = self.writing.lock().await;
        let taken = Counts { counts: std::mem::take(&mut self.counts().counts), ..Counts::default() };
        if taken.counts.is_empty() {
            return;
        }
        // Whoever gives up on this while it writes loses these counts, and nobody does.
        if let Err(error) = write(taken.list()).await {
            warn!(%error, "the counts of applies could not be written; kept for the next time");
            self.counts().take_back(taken);
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, at: Timestamp, flavor: &FlavorId, given: u64, missed: u64) {
        let count = self.counts.entry((minute_of(at), flavor.clone())).or_default();
        *count = (count.0 + given, count.1 + missed);
        while self.counts.len() > MOST {
            self.counts.pop_first();
        }
    }

    /// Whether this user misses this flavor for the first time in this minute. Beyond [`MISSING`] nobody is known any more,
    /// and nobody is counted: so many say enough.
    fn is_first(&mut self, user: &UserId, flavor: &FlavorId, now: Timestamp) -> bool {
        let minute = Some(minute_of(now));
        if self.minute != minute {
            self.minute = minute;
            self.missed.clear();
        }
        self.missed.len() < MISSING && self.missed.insert((user.clone(), flavor.clone()))
    }

    fn take_back(&mut self, others: Counts) {
        for ((minute, flavor), (given, missed)) in others.counts {
            self.add(minute, &flavor, given, missed);
        }
    }

    fn list(&self) -> Vec<ApplyCount> {
        let count = |((minute, flavor), (given, missed)): (&(Timestamp, FlavorId), &(u64, u64))| ApplyCount {
            minute: *minute,
            flavor: flavor.clone(),
            given: *given,
            missed: *missed,
        };
        self.counts.iter().map(count).collect()
    }
}

fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(MINUTE_MS) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use common::store::{StoreError, StoreTarget, StoreUser, open};

    use super::*;

    fn flavor(text: &str) -> FlavorId {
        FlavorId::parse(text).unwrap()
    }

    fn user(text: &str) -> UserId {
        UserId::parse(text).unwrap()
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 1_000)
    }

    fn count(minute: i64, of: &str, given: u64, missed: u64) -> ApplyCount {
        ApplyCount { minute: second(minute * 60), flavor: flavor(of), given, missed }
    }

    async fn demand() -> (Demand, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
        (Demand::new(open(&target, StoreUser::App).await.unwrap(), Meters::default()), folder)
    }

    #[tokio::test]
    async fn counts_go_to_the_store_once_by_minute_and_flavor() {
        let (demand, _folder) = demand().await;
        demand.given(&flavor("a"), second(59));
        demand.given(&flavor("a"), second(60));
        demand.given(&flavor("a"), second(119));
        demand.missed(&user("u"), &[flavor("a"), flavor("b")], second(61));
        demand.write().await;
        let all = [count(0, "a", 1, 0), count(1, "a", 2, 1), count(1, "b", 0, 1)];
        assert_eq!(demand.store.applies(second(0)).await.unwrap(), all);
        demand.write().await;
        assert_eq!(demand.store.applies(second(0)).await.unwrap(), all);
    }

    #[tokio::test]
    async fn who_asks_again_and_again_is_one_who_waits() {
        let (demand, _folder) = demand().await;
        for n in 0..50 {
            demand.missed(&user("alice"), &[flavor("a"), flavor("b")], second(n));
            demand.write().await;
        }
        demand.missed(&user("bob"), &[flavor("a")], second(59));
        demand.missed(&user("alice"), &[flavor("a")], second(60));
        demand.write().await;
        let all = [count(0, "a", 0, 2), count(0, "b", 0, 1), count(1, "a", 0, 1)];
        assert_eq!(demand.store.applies(second(0)).await.unwrap(), all);
    }

    #[tokio::test]
    async fn a_crowd_that_misses_fills_no_memory() {
        let (demand, _folder) = demand().await;
        for n in 0..MISSING + 10 {
            demand.missed(&user(&format!("u{n}")), &[flavor("a")], second(0));
        }
        assert_eq!(demand.counts().missed.len(), MISSING);
        demand.missed(&user("later"), &[flavor("a")], second(60));
        assert_eq!(demand.counts().missed.len(), 1, "a minute later everything is forgotten");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_kept_beside_what_comes() {
        let (demand, _folder) = demand().await;
        demand.given(&flavor("a"), second(0));
        demand
            .write_by(async |counts| {
                assert_eq!(counts, [count(0, "a", 1, 0)]);
                demand.given(&flavor("a"), second(1));
                demand.missed(&user("u"), &[flavor("b")], second(2));
                Err(StoreError::Unavailable("on purpose".into()))
            })
            .await;
        demand.write().await;
        assert_eq!(demand.store.applies(second(0)).await.unwrap(), [count(0, "a", 2, 0), count(0, "b", 0, 1)]);
    }

    #[tokio::test]
    async fn a_store_that_stays_away_fills_no_memory() {
        let (demand, _folder) = demand().await;
        let most = i64::try_from(MOST).unwrap();
        for minute in 0..most {
            demand.given(&flavor("a"), second(minute * 60));
        }
        let fails = async |_| {
            for minute in 0..10 {
                demand.given(&flavor("a"), second((most + minute) * 60));
            }
            Err(StoreError::Unavailable("on purpose".into()))
        };
        demand.write_by(fails).await;
        let left = demand.counts().list();
        assert_eq!((left.len(), left[0].minute), (MOST, second(600)), "the oldest went");
    }
}

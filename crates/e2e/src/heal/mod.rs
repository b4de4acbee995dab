//! The bench of healing: how long a broken free cluster stays broken, beside what making one takes on that engine, and how
//! long nobody acts after the leading admin died.
//!
//! docs/benchmarks.md says what the numbers mean.

mod round;
mod takeover;

use std::time::Duration;

use anyhow::Context;
use common::store::{SharedStore, StoreTarget, StoreUser};
use serde::Serialize;

use crate::house::House;
use crate::operator::Operator;
use crate::program::binary;

use self::round::Round;

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rounds, of which the medians are taken.
    pub rounds: u32,
    /// Free clusters on the host, which is full with them.
    pub clusters: u16,
    /// The engine, and the address at which its clusters answer; `None` is the real one.
    pub engine: Option<(String, String)>,
}

/// The medians of a run's rounds, in seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// From the record of a new cluster to its being on offer.
    pub make_s: f64,
    /// From the kill of a node to the record saying that its cluster is not on offer.
    pub detect_s: f64,
    /// From the kill of a node to its cluster's replacement being on offer.
    pub heal_s: f64,
    /// `heal_s` less `make_s`.
    pub extra_s: f64,
    /// From SIGKILL of the leading admin to the first thing that the other one did.
    pub takeover_s: f64,
}

/// What one run uses.
struct Bench {
    house: House,
    store: SharedStore,
    capacity: u16,
}

const DATABASE: &str = "bench_heal";

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    binary("poolmanager-admin")?;
    let mut house = House::on_mongodb(settings.clusters).await?;
    if let Some((url, address)) = &settings.engine {
        house = house.with_engine(url, address)?;
    }
    house.set("MONGO_DB", DATABASE);
    let url = house.mongod.as_ref().context("a mongod")?.url();
    let target = StoreTarget::Mongo { url, database: DATABASE.into() };
    let admin = house.start_admin().await?;
    let operator = admin.operator().await?;
    let store = common::store::open(&target, StoreUser::Admin).await.context("opening the store")?;
    let bench = Bench { house, store, capacity: settings.clusters };
    let report = bench.measure(admin, &operator, settings.rounds, say).await;
    bench.store.close().await;
    report
}

impl Bench {
    async fn measure(
        &self,
        admin: crate::house::Admin,
        operator: &Operator,
        rounds: u32,
        say: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Report> {
        let host = self.house.add_host(operator, self.capacity).await?;
        say(&format!("filling the host with {} clusters", self.capacity));
        self.house.until(operator, &format!("{} free", self.capacity)).await;
        let mut done: Vec<Round> = Vec::new();
        for number in 0..=rounds {
            let round = self.round(operator).await?;
            say(&round.line(number));
            // Nobody measures the first time that code and files are touched.
            if number > 0 {
                done.push(round);
            }
        }
        let (takeover, admin) = self.takeovers(admin, operator, rounds.div_ceil(2), say).await?;
        self.house.leave(&operator.at(&admin.url), &host).await?;
        let of = |part: fn(&Round) -> Duration| median(done.iter().map(part));
        let (make_s, heal_s) = (of(|round| round.make)?, of(|round| round.heal)?);
        Ok(Report {
            make_s,
            detect_s: of(|round| round.detect)?,
            heal_s,
            extra_s: short(heal_s - make_s),
            takeover_s: median(takeover.into_iter())?,
        })
    }
}

/// Of an even number the lower of the two in the middle, so that it is one that was measured.
fn median(values: impl Iterator<Item = Duration>) -> anyhow::Result<f64> {
    let mut values: Vec<Duration> = values.collect();
    values.sort();
    let middle = values.get(values.len().saturating_sub(1) / 2).context("no round was measured")?;
    Ok(short(middle.as_secs_f64()))
}

/// Milliseconds.
fn short(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_one_that_was_measured() {
        let of = |seconds: &[u64]| median(seconds.iter().map(|n| Duration::from_secs(*n))).unwrap();
        assert_eq!((of(&[3]), of(&[9, 1]), of(&[5, 1, 3])), (3.0, 1.0, 3.0));
        assert!(median(std::iter::empty()).is_err());
    }
}

//! The bench of applies: the real app under load, and beside it, by turns in the same run, what its database does when
//! it is called directly and one claim at a time.
//!
//! docs/benchmarks.md says what the numbers mean.

mod answers;
mod app;
pub(crate) mod fill;
mod http;
mod mongo;
mod process;
mod report;
mod round;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

pub use self::report::Report;

use self::app::App;
use self::http::Connection;
use self::report::Measured;
use self::round::{Bounds, Round};

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `poolmanager-app`.
    pub app: PathBuf,
    /// Free clusters at the beginning of each round.
    pub clusters: u32,
    /// Rounds of each kind, of which the median is taken.
    pub rounds: u32,
    /// After so long no more applies are sent in a round.
    pub round_limit: Duration,
}

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    let mut measured = Measured::default();
    mongo::measure(settings, &mut measured, say).await.context("on MongoDB")?;
    sqlite::measure(settings, &mut measured, say).await.context("on SQLite")?;
    measured.report()
}

impl Settings {
    fn bounds(&self) -> Bounds {
        // A pool that is used up would be another measurement. And of 10,000 it must be over 6,400 applies: a pause of the
        // machine hits all 64 that are in flight, and one alone should not be the p99.
        Bounds { most: self.clusters / 5 * 4, within: self.round_limit }
    }

    /// One round through app, over so many connections.
    async fn through_app(&self, app: &App, connections: usize) -> anyhow::Result<Round> {
        let mut callers = Vec::with_capacity(connections);
        for _ in 0..connections {
            callers.push(Connection::open(app.address(), app.credentials()).await.context("connecting to app")?);
        }
        round::run(callers, &self.bounds()).await.context("through app")
    }
}

//! The bench of live pages: what two hundred open dashboards cost the reconciler, and how soon a change reaches them.
//!
//! Admin and its MongoDB are processes of their own; hosts are simulated in this process, and so are the browsers. The pool
//! is emptied and fills again, with nobody looking and with everybody looking, by turns. docs/benchmarks.md says what the
//! numbers mean.

mod churn;
mod streams;

use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::scale::process::{cpu_time, resident_mib};

use self::churn::Churn;
use self::streams::Streams;

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Open dashboards: half of them the overview, the others hosts and events.
    pub streams: usize,
    /// Simulated hosts.
    pub hosts: u16,
    /// Clusters on each.
    pub clusters_per_host: u16,
    /// Fills with and without streams, by turns.
    pub rounds: usize,
    /// Single changes of which the way to the page is timed; fewer than there are clusters.
    pub changes: usize,
}

/// What was measured: medians of the rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Open dashboards.
    pub streams: usize,
    /// From the first taking of a cluster until all were given back and are there anew, in seconds, with nobody looking.
    pub fill_s_0: f64,
    /// The same with all dashboards open.
    pub fill_s: f64,
    /// What admin needed of one processor meanwhile, with nobody looking.
    pub cpu_percent_0: f64,
    /// With all dashboards open.
    pub cpu_percent: f64,
    /// A full look at all hosts, in milliseconds, with nobody looking.
    pub pass_ms_0: f64,
    /// With all dashboards open.
    pub pass_ms: f64,
    /// From a change in the store until it was read from a stream, in milliseconds: half took no longer.
    pub latency_p50_ms: f64,
    /// 99 of a hundred took no longer.
    pub latency_p99_ms: f64,
    /// Live parts that one dashboard was sent in a second while the pool filled.
    pub parts_per_s: f64,
    /// Admin's memory at the end, in MiB.
    pub rss_mib: f64,
}

/// One fill.
struct Round {
    fill_s: f64,
    cpu_percent: f64,
    pass_ms: f64,
    parts_per_s: f64,
}

/// Between two single changes: not in step with anything that admin does.
const BETWEEN: (u64, u64) = (300, 1_100);

/// What was not read from a stream after so long never will be.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    let churn = Churn::start(settings).await?;
    say(&format!("{} clusters on {} simulated hosts", churn.clusters, settings.hosts));
    let (mut quiet, mut watched) = (Vec::new(), Vec::new());
    for n in 0..settings.rounds {
        churn.until_nobody_looks().await;
        let round = one_round(&churn, None).await?;
        say(&format!("round {n}, nobody looks: {}", round.line()));
        quiet.push(round);
        let streams = Streams::open(&churn, settings.streams).await?;
        let round = one_round(&churn, Some(&streams)).await?;
        say(&format!("round {n}, {} dashboards: {}", settings.streams, round.line()));
        watched.push(round);
    }
    let streams = Streams::open(&churn, settings.streams).await?;
    let mut latencies = latencies(&churn, &streams, settings.changes).await?;
    latencies.sort_by(f64::total_cmp);
    let rss_mib = resident_mib(churn.pid())?;
    drop(streams);
    churn.end().await?;
    let of = |rounds: &[Round], pick: fn(&Round) -> f64| median(rounds.iter().map(pick).collect());
    Ok(Report {
        streams: settings.streams,
        fill_s_0: of(&quiet, |round| round.fill_s),
        fill_s: of(&watched, |round| round.fill_s),
        cpu_percent_0: of(&quiet, |round| round.cpu_percent),
        cpu_percent: of(&watched, |round| round.cpu_percent),
        pass_ms_0: of(&quiet, |round| round.pass_ms),
        pass_ms: of(&watched, |round| round.pass_ms),
        latency_p50_ms: short(at(&latencies, 0.5).context("no latency")?),
        latency_p99_ms: short(at(&latencies, 0.99).context("no latency")?),
        parts_per_s: of(&watched, |round| round.parts_per_s),
        rss_mib: short(rss_mib),
    })
}

async fn one_round(churn: &Churn, streams: Option<&Streams>) -> anyhow::Result<Round> {
    let parts = || streams.map_or(0, Streams::parts);
    let (cpu, before, begun) = (cpu_time(churn.pid())?, parts(), Instant::now());
    churn.empty_and_fill().await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = cpu_time(churn.pid())?.saturating_sub(cpu).as_secs_f64();
    let each = streams.map_or(1, Streams::count).max(1) as f64;
    let sent = (parts() - before) as f64;
    let mut passes = Vec::new();
    for _ in 0..3 {
        passes.push(churn.look_at_all().await?);
    }
    Ok(Round {
        fill_s: seconds,
        cpu_percent: used / seconds * 100.0,
        pass_ms: median(passes),
        parts_per_s: sent / each / seconds,
    })
}

impl Round {
    fn line(&self) -> String {
        let Round { fill_s, cpu_percent, pass_ms, parts_per_s } = self;
        format!(
            "full after {fill_s:.2} s, {cpu_percent:.0} % of a core, a look {pass_ms:.0} ms, {parts_per_s:.1} parts/s"
        )
    }
}

/// Milliseconds from each change until each overview had it.
async fn latencies(churn: &Churn, streams: &Streams, changes: usize) -> anyhow::Result<Vec<f64>> {
    let mut all = Vec::new();
    for held in 1..=changes as u64 {
        tokio::time::sleep(Duration::from_millis(rand::random_range(BETWEEN.0..BETWEEN.1))).await;
        let changed = churn.claim().await?;
        all.extend(streams.until_held(held, changed, PATIENCE).await?);
    }
    churn.release_all().await?;
    Ok(all)
}

fn at(sorted: &[f64], part: f64) -> Option<f64> {
    sorted.get(((sorted.len().checked_sub(1)?) as f64 * part).round() as usize).copied()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    short(at(&numbers, 0.5).unwrap_or_default())
}

fn short(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

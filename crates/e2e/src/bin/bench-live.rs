//! `bench-live`: what open dashboards cost the reconciler, and how soon a change reaches them.

use std::process::ExitCode;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::live::{Settings, run};

/// Measures poolmanager-admin with many dashboards open: how long a pool of simulated hosts takes to fill and what that
/// costs, with nobody looking and with everybody looking by turns, and the way of a change to the pages.
///
/// Starts all it needs (a private mongod, the admin that is built beside this program; the hosts and the dashboards are in
/// this process) on the loopback, and ends it. Takes one to two minutes. Tells on standard error how it goes; the last line
/// of standard output is one JSON object: docs/benchmarks.md explains its keys. Exit code 1 if anything failed.
#[derive(Parser)]
#[command(name = "bench-live", version)]
struct Arguments {
    /// Open dashboards
    #[arg(long, default_value_t = 200, value_parser = RangedU64ValueParser::<usize>::new().range(1..=900))]
    streams: usize,
    /// Simulated hosts
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<u16>::new().range(1..=100))]
    hosts: u16,
    /// Clusters of four peers on each
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<u16>::new().range(1..=50))]
    clusters_per_host: u16,
    /// Rounds
    #[arg(long, default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(1..=20))]
    rounds: usize,
    /// Changes of which the way to the pages is timed; at most as many as there are clusters
    #[arg(long, default_value_t = 30, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    changes: usize,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let say = |line: &str| eprintln!("{line}");
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; use cargo run --release");
    }
    let clusters = usize::from(arguments.hosts) * usize::from(arguments.clusters_per_host);
    let settings = Settings {
        streams: arguments.streams,
        hosts: arguments.hosts,
        clusters_per_host: arguments.clusters_per_host,
        rounds: arguments.rounds,
        changes: arguments.changes.min(clusters),
    };
    let outcome = tokio::select! {
        outcome = run(&settings, &say) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome.and_then(|report| Ok(serde_json::to_string(&report)?)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-live: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `bench-scale`: what an admin costs that looks after a thousand hosts.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::scale::{Settings, run};

/// Measures poolmanager-admin with many simulated hosts, all full and well: what it needs while nothing happens, and how
/// long a full look at all of them takes; with a hundredth and a tenth of the hosts before.
///
/// Starts all it needs (a private mongod, the admin that is built beside this program; the hosts are in this process) on
/// the loopback, and ends it. Takes some twelve minutes and three gigabytes. Tells on standard error how it goes; the last line
/// of standard output is one JSON object: docs/benchmarks.md explains its keys. Exit code 1 if anything failed.
#[derive(Parser)]
#[command(name = "bench-scale", version)]
struct Arguments {
    /// Hosts in the end
    #[arg(long, default_value_t = 1000, value_parser = RangedU64ValueParser::<u32>::new().range(1..=5000))]
    hosts: u32,
    /// Clusters of four peers on each
    #[arg(long, default_value_t = 50, value_parser = RangedU64ValueParser::<u16>::new().range(1..=200))]
    clusters_per_host: u16,
    /// Seconds that admin is left alone before its rest is measured, beside a fifth of the time between two proofs
    #[arg(long, default_value_t = 30, value_parser = RangedU64ValueParser::<u32>::new().range(1..=600))]
    settle_seconds: u32,
    /// Seconds over which its rest is measured
    #[arg(long, default_value_t = 60, value_parser = RangedU64ValueParser::<u32>::new().range(1..=600))]
    rest_seconds: u32,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let say = |line: &str| eprintln!("{line}");
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; use cargo run --release");
    }
    let settings = Settings {
        hosts: arguments.hosts,
        clusters_per_host: arguments.clusters_per_host,
        settle: Duration::from_secs(arguments.settle_seconds.into()),
        settle_share: 0.2,
        rest: Duration::from_secs(arguments.rest_seconds.into()),
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
            eprintln!("bench-scale: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `bench-apply`: how many applies a second, and how fast, beside what the database does alone.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::bench::{Report, Settings, run};
use e2e::program::binary;

/// Measures applies through poolmanager-app, and beside them, by turns, the same claims made straight on the database.
///
/// Starts all it needs (a private mongod, the app that is built beside this program) on the loopback, and ends it.
/// Takes two minutes or so. Tells on standard error how it goes; the last line of standard output is one JSON object. docs/benchmarks.md
/// explains its keys. Exit code 1 if anything failed, or if one cluster was given out twice.
#[derive(Parser)]
#[command(name = "bench-apply", version)]
struct Arguments {
    /// Free clusters at the beginning of each round
    #[arg(long, default_value_t = 10_000, value_parser = RangedU64ValueParser::<u32>::new().range(100..=50_000))]
    clusters: u32,
    /// Rounds of each kind at 64 connections; the median is reported
    #[arg(long, default_value_t = 5, value_parser = RangedU64ValueParser::<u32>::new().range(1..=25))]
    rounds: u32,
    /// Seconds after which a round sends no more applies
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<u32>::new().range(1..=30))]
    round_seconds: u32,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let say = |line: &str| eprintln!("{line}");
    let outcome = tokio::select! {
        outcome = bench(&arguments, &say) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok((report, line)) => {
            println!("{line}");
            if report.double_leases == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("bench-apply: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(arguments: &Arguments, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<(Report, String)> {
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; use cargo run --release");
    }
    let settings = Settings {
        app: binary("poolmanager-app")?,
        clusters: arguments.clusters,
        rounds: arguments.rounds,
        round_limit: Duration::from_secs(arguments.round_seconds.into()),
    };
    let report = run(&settings, say).await?;
    let line = serde_json::to_string(&report)?;
    Ok((report, line))
}

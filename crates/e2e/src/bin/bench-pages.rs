//! `bench-pages`: how long the pages of a real admin take, with few clusters and with a hundred thousand.

use std::process::ExitCode;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::pages::{Settings, run};

/// Measures every list page of poolmanager-admin on SQLite and on MongoDB, with few clusters and with many, by turns.
///
/// Starts all it needs (a private mongod, the admin that is built beside this program) on the loopback, and ends it. Tells
/// on standard error how it goes; the last line of standard output is one JSON object: docs/benchmarks.md explains its
/// keys. Exit code 1 if anything failed.
#[derive(Parser)]
#[command(name = "bench-pages", version)]
struct Arguments {
    /// Clusters of the small pool
    #[arg(long, default_value_t = 1_000, value_parser = RangedU64ValueParser::<u32>::new().range(200..=1_000_000))]
    few: u32,
    /// Clusters of the large pool; a hundred are on each host
    #[arg(long, default_value_t = 100_000, value_parser = RangedU64ValueParser::<u32>::new().range(200..=1_000_000))]
    many: u32,
    /// Requests for each page of each pool
    #[arg(long, default_value_t = 100, value_parser = RangedU64ValueParser::<u32>::new().range(1..=10_000))]
    requests: u32,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let say = |line: &str| eprintln!("{line}");
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; use cargo run --release");
    }
    let settings = Settings { few: arguments.few, many: arguments.many, requests: arguments.requests };
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
            eprintln!("bench-pages: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `chaos`: a real pool under constant apply and release while everything around it is killed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::chaos::{Report, Settings, run};
use tokio::signal::unix::{SignalKind, signal};

/// Lets 8 users apply for and release 4 clusters while containers are killed and paused, admin and app are killed, and
/// MongoDB's primary steps down; then compares what users were told, the record, and the engine.
///
/// Needs a Docker engine and a mongod (./scripts/real-parts.sh gets them) and the programs built beside this one. Starts
/// all else on the loopback and ends it, also on Ctrl-C. Tells on standard error how it goes; the last line of standard
/// output is one JSON object: docs/benchmarks.md explains its keys. Exit code 1 if any of the last five is not 0.
#[derive(Parser)]
#[command(name = "chaos", version)]
struct Arguments {
    /// How long users and faults go on
    #[arg(long, default_value_t = 120, value_parser = RangedU64ValueParser::<u64>::new().range(5..=86_400))]
    seconds: u64,
    /// Chooses the faults and their moments; another one each time if it is not given
    #[arg(long)]
    seed: Option<u32>,
    /// Keep what the programs print in this folder
    #[arg(long)]
    logs: Option<PathBuf>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = Settings {
        length: Duration::from_secs(arguments.seconds),
        seed: u64::from(arguments.seed.unwrap_or_else(rand::random)),
        logs: arguments.logs,
    };
    let outcome = tokio::select! {
        outcome = run(&settings, &|line| eprintln!("{line}")) => outcome.and_then(with_line),
        reason = told_to_end() => Err(reason),
    };
    match outcome {
        Ok((report, line)) => {
            println!("{line}");
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn with_line(report: Report) -> anyhow::Result<(Report, String)> {
    let line = serde_json::to_string(&report)?;
    Ok((report, line))
}

async fn told_to_end() -> anyhow::Error {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return anyhow::anyhow!("signals cannot be heard");
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    anyhow::anyhow!("interrupted")
}

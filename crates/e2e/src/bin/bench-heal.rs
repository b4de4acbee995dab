//! `bench-heal`: how long a broken free cluster stays broken, and how long nobody acts after the leading admin died.

use std::process::ExitCode;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::heal::{Report, Settings, run};

/// Measures, on the real Docker engine and a private MongoDB, by turns: how long making a cluster takes; how long from the
/// kill of a node of a free one to its replacement being on offer; and how long from SIGKILL of the leading admin to the
/// standby's first act.
///
/// Starts all it needs on the loopback, and ends it. Tells on standard error how it goes; the last line of standard
/// output is one JSON object: docs/benchmarks.md explains its keys. Exit code 1 if anything failed.
#[derive(Parser)]
#[command(name = "bench-heal", version)]
struct Arguments {
    /// Rounds; the medians are reported
    #[arg(long, default_value_t = 5, value_parser = RangedU64ValueParser::<u32>::new().range(1..=50))]
    rounds: u32,
    /// Free clusters on the host, which is full with them
    #[arg(long, default_value_t = 2, value_parser = RangedU64ValueParser::<u16>::new().range(1..=8))]
    clusters: u16,
    /// Another engine than the real one on this machine: tcp://127.0.0.1:2385, whose clusters answer at its address
    #[arg(long, value_name = "URL")]
    engine: Option<String>,
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
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-heal: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(arguments: &Arguments, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<String> {
    if cfg!(debug_assertions) {
        say("this is a debug build: its numbers say little; use cargo run --release");
    }
    let engine = arguments.engine.as_deref().map(|url| -> anyhow::Result<(String, String)> {
        let address = url.strip_prefix("tcp://").and_then(|rest| rest.rsplit_once(':'));
        let (address, _) = address.ok_or_else(|| anyhow::anyhow!("--engine {url}: must be tcp://ADDRESS:PORT"))?;
        Ok((url.to_owned(), address.to_owned()))
    });
    let settings = Settings { rounds: arguments.rounds, clusters: arguments.clusters, engine: engine.transpose()? };
    let report: Report = run(&settings, say).await?;
    Ok(serde_json::to_string(&report)?)
}

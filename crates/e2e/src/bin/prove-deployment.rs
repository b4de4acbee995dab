//! `prove-deployment`: what ships, deployed and tried as its users and operators would.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use e2e::deployment::{Report, Settings, run};
use tokio::signal::unix::{SignalKind, signal};

/// Starts the deployment that is in FOLDER by its own scripts, fills it from a second engine, and looks for everything that
/// docs/deployment.md says of it.
///
/// Run by scripts/test-deployment.sh, which makes the folder and the images before and removes what is left after. Needs root
/// and a Docker engine. Exit code 1 if anything does not hold.
#[derive(Parser)]
#[command(name = "prove-deployment", version)]
struct Arguments {
    /// With docker-compose.yml, nginx, scripts and .env
    #[arg(required_unless_present = "ha")]
    folder: Option<PathBuf>,
    /// Another one, whose .env names docker-compose.ha.yml
    #[arg(long, value_name = "FOLDER")]
    ha: Option<PathBuf>,
    /// Adds docker-compose.monitoring.yml to the first one
    #[arg(long, requires = "folder")]
    monitoring: bool,
    /// An image with bash
    #[arg(long)]
    tool_image: String,
    /// The programs in the images are built as what ships
    #[arg(long)]
    release: bool,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = Settings {
        folder: arguments.folder,
        ha_folder: arguments.ha,
        monitoring: arguments.monitoring,
        tool_image: arguments.tool_image,
        release: arguments.release,
    };
    let say = |line: &str| println!("{line}");
    let outcome = tokio::select! {
        outcome = run(&settings, &say) => outcome,
        reason = told_to_end() => Err(reason),
    };
    match outcome {
        Ok(report) => conclude(&report),
        Err(error) => {
            eprintln!("prove-deployment: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line")]
fn conclude(report: &Report<'_>) -> ExitCode {
    let (held, wrong) = (report.held(), report.wrong());
    println!("\n{held} things hold, {} do not{}", wrong.len(), if wrong.is_empty() { "." } else { ":" });
    wrong.iter().for_each(|line| println!("  {line}"));
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

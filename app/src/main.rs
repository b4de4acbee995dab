//! `poolmanager-app`: reads the configuration, opens the store, serves until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::{Parts, build};
use clap::{Parser, Subcommand};
use common::compose::Catalog;
use common::config::{AppConfig, Auth, Source};
use common::logging;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// By the contract of v2.
const WISH_WAIT: Duration = Duration::from_secs(30);

/// PoolManager's service for users: lease a running network by REST.
///
/// Set by environment variables and the file that POOLMANAGER_CONFIG_FILE names; see docs/configuration.md.
#[derive(Parser)]
#[command(name = "poolmanager-app", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask the server that runs with this configuration whether it is ready; exit 0 if it is
    Healthcheck,
}

#[expect(clippy::print_stderr, reason = "what stops the start is for whoever started it, log or no log")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Source::of_process().and_then(|source| AppConfig::read(&source)) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("poolmanager-app: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = match arguments.command {
        None => start(config),
        Some(Command::Healthcheck) => ask(&config),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("poolmanager-app: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn ask(config: &AppConfig) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting a runtime")?;
    runtime.block_on(app::health_check::health_check(SocketAddr::new(config.bind, config.port)))
}

fn start(config: AppConfig) -> anyhow::Result<()> {
    logging::start(&config.common).context("starting the log")?;
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    runtime.block_on(serve(config))
}

async fn serve(config: AppConfig) -> anyhow::Result<()> {
    let catalog = Catalog::shipped(&config.common.catalog).context("reading the templates")?;
    let target = &config.common.store;
    let store = common::store::open(target, common::store::StoreUser::App)
        .await
        .with_context(|| format!("opening the store ({target:?})"))?;
    let internal_secret = config.common.internal_secret.load()?;
    let bind = SocketAddr::new(config.bind, config.port);
    let server = build(Parts {
        store: store.clone(),
        catalog: Arc::new(catalog),
        internal_secret,
        metrics_token: config.common.metrics_token,
        auth: config.auth,
        leases_max: config.leases_max,
        bind,
        workers: std::thread::available_parallelism().map_or(2, usize::from),
        wish_wait: WISH_WAIT,
    })
    .with_context(|| format!("listening on {bind} (APP_BIND, APP_PORT)"))?;
    // Before anybody is told that it serves: whoever reads that may send a signal at once.
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    match config.auth {
        Auth::Open => warn!(
            version = env!("CARGO_PKG_VERSION"),
            "serving on http://{}; AUTH=open: anyone who can reach it may call, and user ids are believed",
            server.address()
        ),
        Auth::Tokens => info!(
            version = env!("CARGO_PKG_VERSION"),
            "serving on http://{}; AUTH=tokens: whoever calls shows a token",
            server.address()
        ),
    }
    let stopper = server.stopper();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping: requests in flight have 10 s");
        stopper.stop().await;
    });
    let served = server.run().await.context("serving");
    store.close().await;
    info!("stopped");
    served
}

//! `poolmanager-admin`: what operators see, and the reconciler.
//!
//! Reads its settings from the environment (`docs/configuration.md`), serves until SIGTERM or SIGINT, and ends in
//! order: requests under way first, then the reconciler, then the store.

mod operator_command;
mod token_command;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use admin::access::{FirstOperator, Passwords, make_first_operator};
use admin::backup::{self, Place};
use admin::reconciler::{self, Settings};
use admin::seal::Seal;
use admin::{Parts, build, check_pool};
use anyhow::Context;
use clap::{Parser, Subcommand};
use common::clock::Pace;
use common::compose::Catalog;
use common::config::{AdminConfig, ConfigError, FirstMongoConfig, Secret, Source, store_target};
use common::store::backup::{BackupError, Over};
use common::store::{SharedStore, StoreUser};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use operator_command::OperatorCommand;
use token_command::TokenCommand;

/// A full look at a thousand hosts passes some gigabytes through the heap in pieces of a few hundred KiB, on all threads. The
/// system's allocator kept 740 MiB of that, of which 80 were in use; this one gives it back. `.cargo/config.toml` says how soon.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// PoolManager's service for operators: their pages and API, and the reconciler that looks after the hosts.
///
/// Set by environment variables and the file that POOLMANAGER_CONFIG_FILE names; see docs/configuration.md. The
/// first operator is ADMIN_USERNAME with ADMIN_PASSWORD, else admin with a password that is made and shown once.
#[derive(Parser)]
#[command(name = "poolmanager-admin", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Make a replica set with users out of a fresh mongod, as MONGO_SETUP_URL, MONGO_MEMBERS, MONGO_ROOT_PASSWORD,
    /// MONGO_PASSWORD and MONGO_APP_PASSWORD say; safe to repeat
    SetupMongo,
    /// Write all records of the store to FILE, as they stand at one moment; app and admin go on meanwhile
    ///
    /// Not in it: who is signed in, and the settings (.env, secrets/). In it: hashes of operators' passwords and tokens,
    /// names of users. FILE must not be there yet; it is readable by its owner alone and there only when it is whole.
    /// Exit status: 0 done, 1 failed, 2 wrong arguments or settings, 3 refused as things stand.
    Backup {
        /// Where to; - is the output
        file: Place,
    },
    /// Put what a backup holds in the place of the store's records: all or nothing
    ///
    /// Stop every app and admin of the store before. Afterwards admin looks at the hosts: what runs there of this pool
    /// and is not in the backup is removed, networks that users got since then too (docs/operations.md).
    /// Exit status: 0 done, 1 failed, 2 wrong arguments or settings, 3 refused as things stand.
    Restore {
        /// A file that backup has written; - is the input
        file: Place,
        /// Remove the hosts, clusters and ended leases that the store has now
        #[arg(long)]
        replace: bool,
    },
    /// Ask the server that runs with this configuration whether it is ready; exit 0 if it is
    Healthcheck,
    /// Make, list and revoke tokens for the users' API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Help operators who cannot sign in any more
    #[command(subcommand)]
    Operator(OperatorCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let work = async {
        let source = Source::of_process()?;
        match arguments.command {
            None => serve(AdminConfig::read(&source)?).await,
            Some(Command::Healthcheck) => healthcheck(&AdminConfig::read(&source)?).await,
            Some(Command::Backup { file }) => Ok(backup::write(&store_target(&source)?, &file).await?),
            Some(Command::Restore { file, replace }) => {
                let over = if replace { Over::Everything } else { Over::Nothing };
                Ok(backup::read_back(&store_target(&source)?, &file, over).await?)
            }
            Some(Command::Token(command)) => token_command::run(command, &AdminConfig::read(&source)?).await,
            Some(Command::Operator(command)) => operator_command::run(command, &AdminConfig::read(&source)?).await,
            Some(Command::SetupMongo) => setup_mongo(&FirstMongoConfig::read(&source)?).await,
        }
    };
    let ended = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let ended = runtime.block_on(work);
            // A thread that still reads or writes files must not keep the process.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("poolmanager-admin: {error:#}"));
            // As for a wrong argument: starting it again as it is will not help.
            if error.is::<ConfigError>() {
                ExitCode::from(2)
            } else if error.downcast_ref::<BackupError>().is_some_and(BackupError::is_refusal) {
                ExitCode::from(3)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

async fn serve(config: AdminConfig) -> anyhow::Result<()> {
    common::logging::start(&config.common).context("starting the log")?;
    let internal_secret = config.common.internal_secret.load()?;
    let catalog = Catalog::shipped(&config.common.catalog).context("reading the templates")?;
    check_pool(&catalog, &config.pool_mix, &config.layout)?;
    let listener = TcpListener::bind((config.bind, config.port))
        .with_context(|| format!("listening on {}:{} (ADMIN_BIND, ADMIN_PORT)", config.bind, config.port))?;
    let address = listener.local_addr().context("asking for the address")?;
    let store = common::store::open(&config.common.store, StoreUser::Admin).await.context("opening the store")?;
    let served = serve_from(store.clone(), config, catalog, internal_secret, listener, address).await;
    store.close().await;
    served
}

async fn serve_from(
    store: SharedStore,
    config: AdminConfig,
    catalog: Catalog,
    internal_secret: Secret,
    listener: TcpListener,
    address: SocketAddr,
) -> anyhow::Result<()> {
    // Before anybody is told that it serves: whoever reads that may stop it at once.
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    first_operator(&store, &config).await?;
    let seal = Seal::new(config.seal_keys.clone());
    seal.seal_all_anew(&store, common::clock::now()).await.context("sealing the credentials of hosts anew")?;
    let catalog = Arc::new(catalog);
    let (reconciler, mut running_reconciler) = reconciler::start(Settings {
        store: store.clone(),
        catalog: catalog.clone(),
        layout: config.layout,
        mix: config.pool_mix.0.clone(),
        max_starts: config.max_starts,
        address: config.internal_address_at(address),
        seal,
        pace: Pace::ORDINARY,
        deep_probes: config.deep_probes,
    });
    let stop = CancellationToken::new();
    let ending = stop.clone().drop_guard();
    let server = build(Parts { store, catalog, config, reconciler, internal_secret, stop, listener })?;
    let handle = server.handle();
    let mut running = tokio::spawn(server);
    tracing::info!(%address, "admin serves at http://{address}");
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        ended = &mut running => {
            running_reconciler.stop().await;
            return ended.context("joining the server")?.context("serving");
        }
        () = running_reconciler.ended() => {
            drop(ending);
            handle.stop(true).await;
            anyhow::bail!("the reconciler ended, so nobody would look after the pool; the log says why");
        }
    }
    drop(ending);
    handle.stop(true).await;
    running_reconciler.stop().await;
    running.await.context("joining the server")?.context("serving")
}

/// Makes the first operator at the first start. A password made here is shown on the terminal and nowhere else: the
/// log may be kept and sent around.
async fn first_operator(store: &SharedStore, config: &AdminConfig) -> anyhow::Result<()> {
    let passwords = Passwords::new()?;
    let now = common::clock::now();
    let username = &config.username;
    let made = make_first_operator(store.as_ref(), &passwords, username, config.password.as_ref(), now).await;
    match made.context("making the first operator")? {
        FirstOperator::Exists => {}
        FirstOperator::Made => tracing::info!("the first operator is {username}, with the password in ADMIN_PASSWORD"),
        FirstOperator::MadeWithPassword(password) => complain(&format!(
            "First login: {username} / {}\nIt is shown this once. Set ADMIN_USERNAME and ADMIN_PASSWORD before the first start to choose it yourself.",
            password.expose()
        )),
        FirstOperator::PasswordIgnored => tracing::warn!(
            "ADMIN_USERNAME and ADMIN_PASSWORD are not used: they only make the first operator, there is one already, and these do not sign her in"
        ),
    }
    Ok(())
}

async fn setup_mongo(config: &FirstMongoConfig) -> anyhow::Result<()> {
    complain(&format!("setting up MongoDB with the members {}", config.first.members.join(", ")));
    for done in common::store::first_mongo(&config.first).await.context("setting up MongoDB")? {
        complain(done);
    }
    Ok(())
}

/// For a container's health check.
async fn healthcheck(config: &AdminConfig) -> anyhow::Result<()> {
    let ip = match config.bind {
        ip if ip.is_unspecified() && ip.is_ipv4() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}/readyz", SocketAddr::new(ip, config.port));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    client.get(&url).send().await?.error_for_status()?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "for whoever starts the program, not for the log")]
fn complain(text: &str) {
    eprintln!("{text}");
}

//! Puts the parts together into a server; `main` and the tests call the same [`build`].

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, HttpServer};
use anyhow::Context;
use common::compose::Catalog;
use common::config::{AdminConfig, Secret, TrustedProxies};
use common::metrics::{Http, Page};
use common::model::{LogLevel, Timestamp};
use common::store::{SharedStore, measured};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::{Door, Passwords};
use crate::count::count;
use crate::leader_link::LeaderLink;
use crate::live::Hub;
use crate::metrics::PoolNow;
use crate::node_logs::NodeLogs;
use crate::operations::{Operations, Waiting};
use crate::pages::Templates;
use crate::reconciler::Reconciler;
use crate::sampling::{Engines, Sampling};
use crate::seal::Seal;
use crate::tally::Tally;
use crate::{dress, routes};

/// The largest body that is read. The longest form has a dozen short fields.
const LARGEST_BODY: usize = 64 * 1024;

/// How long requests under way may go on when the server stops, in seconds.
const STOP_WITHIN: u64 = 10;

/// What a server is made of.
pub struct Parts {
    /// The pool's records.
    pub store: SharedStore,
    /// The flavors there are.
    pub catalog: Arc<Catalog>,
    /// What operators set.
    pub config: AdminConfig,
    /// The running reconciler.
    pub reconciler: Reconciler,
    /// What app shows at `/internal`.
    pub internal_secret: Secret,
    /// Cancelled before the server is told to stop: whoever waits for something is answered then.
    pub stop: CancellationToken,
    /// Where to listen; bound by the caller, who so knows the port.
    pub listener: TcpListener,
}

/// What every handler can reach.
pub struct State {
    /// The pool's records.
    pub store: SharedStore,
    /// The flavors there are.
    pub catalog: Arc<Catalog>,
    /// The running reconciler.
    pub reconciler: Reconciler,
    /// The way to the admin that leads.
    pub leader: LeaderLink,
    /// What operators can have done.
    pub operations: Operations,
    /// Where they come in.
    pub door: Door,
    /// What app shows at `/internal`.
    pub internal_secret: Secret,
    /// Who is believed about the address behind.
    pub trusted_proxies: TrustedProxies,
    /// The log level that the form for a new host begins with.
    pub log_level: LogLevel,
    /// Who measures what is used, and what pages have open.
    pub sampling: Sampling,
    /// What nodes write.
    pub node_logs: NodeLogs,
    /// The pages.
    pub templates: Templates,
    /// Those of them that are live.
    pub live: Hub,
    /// All that is counted, as `/metrics` shows it.
    pub metrics: Page,
    /// What `/metrics` wants to see, if anything.
    pub metrics_token: Option<Secret>,
    /// Cancelled when the server stops: whoever waits for something is answered then.
    pub stop: CancellationToken,
}

impl State {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        common::clock::now()
    }
}

/// A server that runs as soon as it is polled and ends when its handle is told to stop; it takes no signals.
pub fn build(parts: Parts) -> anyhow::Result<Server> {
    let Parts { store, catalog, config, reconciler, internal_secret, stop, listener } = parts;
    let (http, calls) = (Http::default(), reconciler.meters().store.clone());
    let store = measured(store, calls.clone());
    let leader = LeaderLink::new(store.clone(), internal_secret.clone(), reconciler.clone())?;
    let passwords = Passwords::new()?;
    let seal = Seal::new(config.seal_keys.clone());
    let engines = Engines::new(seal.clone());
    let tally = Tally::start(store.clone(), stop.clone());
    let sampling = Sampling::start(store.clone(), reconciler.clone(), tally.clone(), engines.clone(), stop.clone());
    let node_logs = NodeLogs::new(store.clone(), engines, stop.clone());
    let operations = Operations {
        store: store.clone(),
        passwords: passwords.clone(),
        catalog: catalog.clone(),
        leader: leader.clone(),
        waiting: Waiting::until(stop.clone()),
        seal,
        layout: config.layout,
        tally: tally.clone(),
        sessions_changed: watch::Sender::new(()),
        placing: Arc::default(),
    };
    let live = Hub::new(&stop);
    let now = PoolNow {
        tally,
        flavors: catalog.flavors().iter().map(|flavor| flavor.id.clone()).collect(),
        reconciler: reconciler.clone(),
    };
    let metrics = Page::new("admin", &http, &calls, |registry| {
        reconciler.meters().register(registry);
        live.register(registry);
        registry.register_collector(Box::new(now));
    });
    let http = Data::new(http);
    let state = Data::new(State {
        store,
        catalog,
        reconciler,
        leader,
        operations,
        door: Door::new(passwords),
        internal_secret,
        trusted_proxies: config.trusted_proxies,
        log_level: config.cluster_log_level,
        sampling,
        node_logs,
        templates: Templates::load()?,
        live,
        metrics,
        metrics_token: config.common.metrics_token,
        stop: stop.clone(),
    });
    state.live.start(&state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(http.clone())
            .app_data(PayloadConfig::new(LARGEST_BODY))
            .wrap(from_fn(dress::dress))
            .wrap(from_fn(count))
            .configure(routes::mount)
    });
    let server = server.disable_signals().shutdown_timeout(STOP_WITHIN).listen(listener).context("listening")?.run();
    Ok(server)
}

//! The server, built the same way for `main` and for tests.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use common::compose::Catalog;
use common::config::{Auth, Secret};
use common::metrics::{Http, Page, StoreCalls};
use common::store::{SharedStore, measured};
use tokio::sync::watch;

use crate::callers::{Callers, TokenBook};
use crate::changes::Changes;
use crate::count::count;
use crate::demand::Demand;
use crate::doorbell::Doorbell;
use crate::host_book::HostBook;
use crate::meters::Meters;
use crate::shared::Shared;
use crate::{guard, routes};

/// Requests in flight get this long when the server stops; start and stop give up waiting at once.
const STOP_WITHIN_S: u64 = 10;

/// Longer than the 60 s that proxies keep an idle connection by default, so that they close first and no request meets a closing one.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// For a request's head to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// What a server is made of.
pub struct Parts {
    /// The pool's records.
    pub store: SharedStore,
    /// Which flavors there are.
    pub catalog: Arc<Catalog>,
    /// What admin's `/internal` wants to see.
    pub internal_secret: Secret,
    /// What whoever reads `/metrics` shows; `None`: nothing is asked of her.
    pub metrics_token: Option<Secret>,
    /// Who may call.
    pub auth: Auth,
    /// The most clusters that a user may hold, unless her token says otherwise.
    pub leases_max: Option<u32>,
    /// Where to listen; port 0 is any free one.
    pub bind: SocketAddr,
    /// Threads that serve; one a processor is right.
    pub workers: usize,
    /// How long start, stop and restart wait to see it done: 30 s by the contract.
    pub wish_wait: Duration,
}

/// A server that listens already. Serves while [`Server::run`] runs.
pub struct Server {
    address: SocketAddr,
    inner: actix_web::dev::Server,
    demand: Arc<Demand>,
    closing: watch::Sender<bool>,
}

/// Stops a server.
#[derive(Clone)]
pub struct Stopper {
    handle: ServerHandle,
    closing: watch::Sender<bool>,
}

/// Listens, and builds what serves. Must be called in a tokio runtime that outlives the server: the doorbell, the watcher and the counting live in it.
pub fn build(parts: Parts) -> io::Result<Server> {
    let listener = TcpListener::bind(parts.bind)?;
    let address = listener.local_addr()?;
    let (closing, closed) = watch::channel(false);
    let (http, calls) = (Http::default(), StoreCalls::default());
    let store = measured(parts.store, calls.clone());
    let meters = Meters::of(parts.catalog.flavors().iter().map(|flavor| &flavor.id));
    let metrics = Page::new("app", &http, &calls, |registry| meters.register(registry));
    let demand = Arc::new(Demand::new(store.clone(), meters.clone()));
    let (counting, closes) = (demand.clone(), closed.clone());
    tokio::spawn(async move { counting.write_now_and_then(closes).await });
    let shared = Arc::new(Shared {
        callers: Callers::new(parts.auth, TokenBook::open(store.clone(), closed.clone()), parts.leases_max),
        hosts: HostBook::new(store.clone()),
        changes: Changes::new(store.clone(), closed.clone()),
        doorbell: Doorbell::hang(store.clone(), parts.internal_secret),
        demand: demand.clone(),
        store,
        meters,
        metrics,
        metrics_token: parts.metrics_token,
        catalog: parts.catalog,
        wish_wait: parts.wish_wait,
        closing: closed,
    });
    let data = web::Data::from(shared);
    let http = web::Data::new(http);
    let inner = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(http.clone())
            .wrap(from_fn(guard::guard))
            .wrap(from_fn(count))
            .configure(routes::configure)
    })
    .workers(parts.workers)
    .keep_alive(KEEP_ALIVE)
    .tcp_nodelay(true)
    .client_request_timeout(HEAD_WITHIN)
    .shutdown_timeout(STOP_WITHIN_S)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(Server { address, inner, demand, closing })
}

impl Server {
    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something that can stop it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper { handle: self.inner.handle(), closing: self.closing.clone() }
    }

    /// Serves until it is stopped, then writes down what was counted.
    pub fn run(self) -> impl Future<Output = io::Result<()>> + Send {
        let Server { inner, demand, .. } = self;
        async move {
            let served = inner.await;
            demand.write().await;
            served
        }
    }
}

impl Stopper {
    /// Takes no new connections, gives requests in flight up to 10 s, and returns when the server has ended.
    pub async fn stop(&self) {
        self.closing.send_replace(true);
        self.handle.stop(true).await;
    }
}

//! Connections to the API: read a call, let a fault strike it or carry it out, answer.

mod breakable;
mod listener;
mod strike;

pub(crate) use listener::{ApiListener, Bound};

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::RngExt;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::api::reply::{self, Reply};
use crate::api::{self, Call, without_version};
use crate::control;
use crate::host::Shared;
use crate::journal::Outcome;
use breakable::{Breakable, ResetOnClose};

/// No call is larger, in bytes.
const LARGEST: usize = 8 << 20;

/// The connection ends without an answer.
#[derive(Debug)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// Serves one connection until it ends.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + ResetOnClose + 'static>(stream: S, host: Weak<Shared>) {
    let (stream, reset) = Breakable::new(stream);
    let service = service_fn(move |request: Request<Incoming>| {
        let (host, reset) = (host.clone(), reset.clone());
        async move {
            let host = host.upgrade().ok_or(Dropped)?;
            handle(request, &host, &reset).await
        }
    });
    // A client that breaks off, or a fault that does: nothing to be said about either.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(
    request: Request<Incoming>,
    host: &Arc<Shared>,
    reset: &breakable::ResetSwitch,
) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), LARGEST).await.map_err(|_| Dropped)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let method = head.method.as_str();
    if head.uri.path().starts_with("/_sim") {
        return Ok(control::answer(host, &Call::new(method, head.uri.path(), &head.uri, body)));
    }
    let (path, bad_version) = match without_version(head.uri.path()) {
        Ok(path) => (path, None),
        Err(version) => (head.uri.path(), Some(version)),
    };
    let fault = host.faults.strike(method, path);
    let name = fault.as_ref().map(crate::FaultKind::name);
    let number = host.journal.begin(method, path, head.uri.query().unwrap_or_default(), name);
    let call = Call::new(method, path, &head.uri, body);
    wait_latency(host).await;
    let answered = match bad_version {
        Some(version) => Ok(reply::refuse_version(&version)),
        None => strike::carry_out(host, &call, fault, reset).await,
    };
    host.journal
        .end(number, answered.as_ref().map_or(Outcome::Dropped, |r: &Reply| Outcome::Answered(r.status().as_u16())));
    answered
}

async fn wait_latency(host: &Shared) {
    let latency = *host.engine.latency.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let jitter = u64::try_from(latency.jitter.as_micros()).unwrap_or(u64::MAX);
    let more = if jitter == 0 { 0 } else { rand::rng().random_range(0..=jitter) };
    let all = latency.least + Duration::from_micros(more);
    if !all.is_zero() {
        tokio::time::sleep(all).await;
    }
}

/// Carries a call out with no fault.
async fn plainly(host: &Shared, call: &Call) -> Reply {
    api::answer(&host.engine, call).await
}

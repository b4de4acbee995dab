//! Around every request: its id, its bounds, its line in the log, and the net under what panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::FutureExt;
use tracing::{debug, error};

use crate::api::old::Failure;
use crate::problem::problem_of;

/// The longest path and query that is read. Every honest call fits in a tenth of it.
const MAX_URI: usize = 8 * 1024;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request in the answer and in the log.
#[derive(Clone, Default)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's own if it is 1 to 64 letters, digits, `-`, `_` and `.`; else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(&HEADER).and_then(|value| value.to_str().ok());
        let sane = |text: &&str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        Self(given.filter(sane).map_or_else(|| format!("{:016x}", rand::random::<u64>()), str::to_owned))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Beside a response: what went wrong inside, for the log only.
pub struct Inside(pub String);

/// Whether a path is one of the old services', whose clients read the old envelope.
pub fn speaks_old(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/v2/")
}

/// Around every request. What panics below is a 500 with the request's id, and the worker goes on.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(request.headers());
    let began = Instant::now();
    if request.head().uri.path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI) {
        let text = format!("the path and query may have at most {MAX_URI} bytes");
        let mut response = refusal(speaks_old(request.path()), &id, StatusCode::URI_TOO_LONG, &text);
        name(&mut response, &id);
        return Ok(request.into_response(response));
    }
    request.extensions_mut().insert(id.clone());
    // The request itself cannot be kept beyond this: routing needs to be its only owner.
    let (method, path) = (request.method().clone(), request.path().to_owned());
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => {
            let mut response = response.map_into_boxed_body();
            name(response.response_mut(), &id);
            let status = response.status();
            if let Some(Inside(what)) = response.response().extensions().get::<Inside>() {
                error!(request_id = id.as_str(), %method, path, status = status.as_u16(), "a request failed: {what}");
            }
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            debug!(request_id = id.as_str(), %method, path, status = status.as_u16(), took_us, "answered");
            Ok(response)
        }
        Ok(Err(error)) => Err(error),
        Err(panic) => {
            let what = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without words".to_owned());
            error!(request_id = id.as_str(), %method, path, "a request panicked: {what}");
            let text = format!("something is wrong inside; it is in the log under request id {}", id.as_str());
            let mut response = refusal(speaks_old(&path), &id, StatusCode::INTERNAL_SERVER_ERROR, &text);
            name(&mut response, &id);
            Err(InternalError::from_response("panic", response).into())
        }
    }
}

fn refusal(old: bool, id: &RequestId, status: StatusCode, text: &str) -> HttpResponse {
    if old { Failure::status(status, text).into_response() } else { problem_of(id, status, text) }
}

fn name(response: &mut HttpResponse, id: &RequestId) {
    // Sane by its making, so always a header value.
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
}

//! Whether the process lives, and whether it can serve.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tracing::warn;

use crate::problem::problem;
use crate::shared::Shared;

/// Whoever asks has a deadline of its own, usually some seconds; an answer after that is none.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// The process lives.
pub async fn healthz() -> HttpResponse {
    fine("alive")
}

/// The store answers, so requests can be served.
pub async fn readyz(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    let why = match tokio::time::timeout(PING_WITHIN, shared.store.ping()).await {
        Ok(Ok(())) => return fine("ready"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the store did not answer in two seconds".to_owned(),
    };
    warn!("not ready: {why}");
    let mut response = problem(&request, StatusCode::SERVICE_UNAVAILABLE, "the store does not answer");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn fine(status: &str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({ "status": status }))
}

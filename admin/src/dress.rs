//! Around every request: a request id, the headers that every answer carries, one line in the log, and the words
//! for what was not served: a page for people, `application/problem+json` for programs.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use crate::access::is_api;
use crate::problem::Problem;
use crate::{api, pages};

/// The id of a request: in the log, in problems, and in the answer's `x-request-id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl RequestId {
    /// The proxy's own if it is 1 to 64 letters, digits, `-`, `_` and `.`; else a new one.
    fn of(headers: &HeaderMap) -> RequestId {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|text| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
        RequestId(given.map_or_else(|| hex::encode(rand::random::<[u8; 8]>()), str::to_owned))
    }
}

/// Headers of every answer. Pages load and call nothing from elsewhere, have no code and no styles inside themselves, and are in no
/// frame; the styles have small pictures inside (`data:`). The referrer stays within the site: with `no-referrer` browsers would send
/// our own forms with `Origin: null`.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Serves a request through `next` and dresses the answer.
pub async fn dress(req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(req.headers());
    req.extensions_mut().insert(id.clone());
    // A clone of the request kept over this call would make the router panic: it wants the only one.
    let mut response = next.call(req).await?;
    if let Some(problem) = problem_of(&response) {
        let request = response.request().clone();
        log(&problem, &id, request.path());
        let words = if is_api(request.path()) {
            api::problem_response(&problem, &id.0)
        } else {
            pages::problem_page(&request, &problem, &id.0)
        };
        let allow = response.headers().get(header::ALLOW).cloned();
        response = ServiceResponse::new(request, words);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    add_headers(response.headers_mut(), &id);
    Ok(response)
}

/// What was refused without words so far; a page that shows a form again has its own.
fn problem_of(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    if response.status().as_u16() < 400 {
        return None;
    }
    if let Some(problem) = response.response().extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let worded =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    (!worded).then(|| {
        let problem = Problem::of_status(response.status());
        match (problem.status, response.response().error()) {
            (StatusCode::INTERNAL_SERVER_ERROR, Some(error)) => Problem::broken(error),
            _ => problem,
        }
    })
}

fn log(problem: &Problem, id: &RequestId, path: &str) {
    let path: String = path.chars().take(200).collect();
    match &problem.cause {
        Some(cause) => {
            tracing::error!(request.id = %id.0, path, status = problem.status.as_u16(), "a request failed: {cause}");
        }
        None => {
            tracing::debug!(request.id = %id.0, path, status = problem.status.as_u16(), "a request was refused: {problem}");
        }
    }
}

fn add_headers(headers: &mut HeaderMap, id: &RequestId) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
}

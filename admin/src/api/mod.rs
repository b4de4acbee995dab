//! The operations as JSON under `/api/v1`.
//!
//! A session as for pages (`POST /api/v1/session` gives the cookie and the token that changes must carry in
//! `X-CSRF-Token`). Unknown fields and parameters are refused; every error is `application/problem+json`.

pub mod clusters;
pub mod docs;
pub mod events;
pub mod evidence;
pub mod explain;
pub mod flavors;
pub mod host_tls;
pub mod hosts;
pub mod logs;
pub mod operators;
pub mod records;
pub mod samples;
pub mod session;
pub mod sessions;
mod shapes;
pub mod tokens;

pub use shapes::{kind, life, want};

use actix_web::HttpResponse;
use actix_web::http::header;
use common::store::{Found, Total};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::operations::Listed;
use crate::problem::Problem;

/// A problem in the words of RFC 9457.
pub fn problem_response(problem: &Problem, request_id: &str) -> HttpResponse {
    let mut body = json!({
        "type": format!("urn:poolmanager:problem:{}", problem.kind.as_str()),
        "title": problem.status.canonical_reason().unwrap_or("Refused"),
        "status": problem.status.as_u16(),
        "detail": problem.detail,
        "request_id": request_id,
    });
    if let Some(first) = problem.faults.first() {
        let all: Vec<_> =
            problem.faults.iter().map(|fault| json!({"field": fault.field, "reason": fault.reason})).collect();
        body["field"] = first.field.clone().into();
        body["errors"] = all.into();
    }
    let mut response = HttpResponse::build(problem.status);
    response.content_type("application/problem+json");
    if let Some(seconds) = problem.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    response.body(body.to_string())
}

/// `{"items": [...], "next": ...}`: `next` is what to pass as `after` for the next part, null at the end.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
struct Part<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// The same of a list that goes both ways; `total` is null where nobody counted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Part")]
struct ListPart<T> {
    items: Vec<T>,
    previous: Option<String>,
    next: Option<String>,
    total: Option<u64>,
}

impl<T> ListPart<T> {
    fn of<M>(found: Found<M>, shape: impl Fn(&M) -> T) -> ListPart<T> {
        ListPart {
            items: found.items.iter().map(shape).collect(),
            previous: found.previous.map(|cursor| cursor.to_string()),
            next: found.next.map(|cursor| cursor.to_string()),
            total: match found.total {
                Total::Exactly(total) => Some(total),
                Total::Unknown => None,
            },
        }
    }
}

impl<T> Part<T> {
    fn of<M>(listed: Listed<M>, shape: impl Fn(&M) -> T) -> Part<T> {
        Part { items: listed.items.iter().map(shape).collect(), next: listed.next }
    }
}

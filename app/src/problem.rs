//! Problem details (RFC 9457): what is answered outside v1 and v2 when something is wrong.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde_json::json;

use crate::guard::RequestId;

/// A problem of this status, with a sentence for whoever called.
pub fn problem(request: &HttpRequest, status: StatusCode, detail: &str) -> HttpResponse {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    problem_of(&id, status, detail)
}

/// The same where the request is gone.
pub fn problem_of(id: &RequestId, status: StatusCode, detail: &str) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").body(
        json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
            "request_id": id.as_str(),
        })
        .to_string(),
    )
}

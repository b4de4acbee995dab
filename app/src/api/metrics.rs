//! `GET /metrics`, for a Prometheus inside; nginx keeps it from the outside.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use common::metrics::CONTENT_TYPE;

use crate::problem::problem;
use crate::shared::Shared;

/// What was counted since the start, and how it stands now. Costs no call of the store.
pub async fn metrics(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shared.metrics_token.as_ref().is_some_and(|token| !token.is_in(given)) {
        let text = "METRICS_TOKEN is needed: Authorization: Bearer ...";
        let mut response = problem(&request, StatusCode::UNAUTHORIZED, text);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    HttpResponse::Ok().content_type(CONTENT_TYPE).insert_header((CACHE_CONTROL, "no-store")).body(shared.metrics.text())
}

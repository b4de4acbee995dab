//! Paths that there are not, and methods that a path does not take.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::old::Failure;
use crate::guard::speaks_old;
use crate::problem::problem;

/// 404.
pub async fn unknown_path(request: HttpRequest) -> HttpResponse {
    answer(&request, StatusCode::NOT_FOUND, "there is nothing at this path")
}

/// 405 where only GET is taken.
pub async fn wants_get(request: HttpRequest) -> HttpResponse {
    wrong_method(&request, "GET", "this path takes GET only")
}

/// 405 where GET and POST are taken.
pub async fn wants_get_or_post(request: HttpRequest) -> HttpResponse {
    wrong_method(&request, "GET, POST", "this path takes GET and POST only")
}

fn wrong_method(request: &HttpRequest, allow: &'static str, text: &str) -> HttpResponse {
    let mut response = answer(request, StatusCode::METHOD_NOT_ALLOWED, text);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn answer(request: &HttpRequest, status: StatusCode, text: &str) -> HttpResponse {
    if speaks_old(request.path()) {
        Failure::status(status, text).into_response()
    } else {
        problem(request, status, text)
    }
}

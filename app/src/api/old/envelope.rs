//! The old envelope: `status`, `code`, `error`, `data`, in this order.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, ResponseError};
use futures_util::Stream;
use serde::Serialize;
use serde_json::{Value, json};

use crate::guard::Inside;
use crate::lease_ops::Trouble;

#[derive(Serialize)]
struct Envelope<'a, D> {
    status: &'static str,
    code: u16,
    error: &'a str,
    data: D,
}

/// `OK`, with this data.
pub fn ok(data: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Envelope { status: "OK", code: 200, error: "", data })
}

/// `OK`, with a list whose items come as chunks of text, commas between items included.
pub fn streamed<E: Into<Box<dyn std::error::Error>> + 'static>(
    items: impl Stream<Item = Result<Bytes, E>> + 'static,
) -> HttpResponse {
    use futures_util::stream::{StreamExt, once};
    let head = once(async { Ok(Bytes::from_static(br#"{"status":"OK","code":200,"error":"","data":["#)) });
    let tail = once(async { Ok(Bytes::from_static(b"]}")) });
    HttpResponse::Ok().content_type(ContentType::json()).streaming(head.chain(items).chain(tail))
}

/// `FAIL`. HTTP says 400 for whatever the call itself refuses, as the old services did, and the body's `code` tells
/// more. What has nothing to do with the call (no such path, store away) keeps its own HTTP status.
#[derive(Debug)]
pub struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    http: StatusCode,
    code: u16,
    error: String,
    data: Value,
    /// For the log, never for the sender.
    inside: Option<String>,
}

impl Failure {
    fn new(http: StatusCode, code: u16, error: String) -> Self {
        Self(Box::new(Inner { http, code, error, data: json!({}), inside: None }))
    }

    /// The call is refused: 400 and 400.
    pub fn refused(error: impl Into<String>) -> Self {
        Self::coded(400, error)
    }

    /// The call is refused: HTTP 400, and this code in the body.
    pub fn coded(code: u16, error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error.into())
    }

    /// Not about the call: this status in both places.
    pub fn status(status: StatusCode, error: impl Into<String>) -> Self {
        Self::new(status, status.as_u16(), error.into())
    }

    /// The same with data.
    pub fn with(mut self, data: Value) -> Self {
        self.0.data = data;
        self
    }

    /// What trouble inside becomes; `busy` is said when the record kept changing.
    pub fn of(trouble: Trouble, busy: &str) -> Self {
        let (status, text) = match trouble {
            Trouble::Busy => return Self::refused(busy),
            Trouble::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the store is away for now; try again in a second")
            }
            Trouble::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "something is wrong inside; it is in the log"),
        };
        let mut failure = Self::status(status, text);
        failure.0.inside = Some(trouble.to_string());
        failure
    }

    /// The answer.
    pub fn into_response(self) -> HttpResponse {
        self.error_response()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.error)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.0.http
    }

    fn error_response(&self) -> HttpResponse {
        let Inner { http, code, error, data, inside } = &*self.0;
        let mut response = HttpResponse::build(*http);
        if *http == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        if *http == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"poolmanager\""));
        }
        let mut response = response.json(Envelope { status: "FAIL", code: *code, error, data });
        if let Some(inside) = inside {
            response.extensions_mut().insert(Inside(inside.clone()));
        }
        response
    }
}

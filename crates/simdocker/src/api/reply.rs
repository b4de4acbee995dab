//! Answers, with the headers that a real engine sends.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures_util::Stream;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::request::BadVersion;
use super::system;
use crate::error::{ApiError, ApiResult};

/// An answer.
pub(crate) type Reply = Response<Body>;

/// What a call comes to.
pub(crate) type ReplyResult = ApiResult<Reply>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// JSON and a newline.
pub(crate) fn json(status: u16, value: &Value) -> Reply {
    let mut text = value.to_string();
    text.push('\n');
    with_type(status, JSON, Body::from(text))
}

/// Nothing but a status.
pub(crate) fn empty(status: u16) -> Reply {
    let mut reply = bare(status, Body::empty());
    identify(&mut reply);
    reply
}

/// Plain text.
pub(crate) fn text(status: u16, text: impl Into<Body>) -> Reply {
    with_type(status, TEXT, text.into())
}

/// Lines of JSON, as they come.
pub(crate) fn json_stream(stream: impl Stream<Item = String> + Send + 'static) -> Reply {
    use futures_util::StreamExt;
    with_type(200, JSON, Body::from_stream(stream.map(|line| Ok::<_, Infallible>(Bytes::from(line)))))
}

/// Bytes of Docker's own framing, as they come. Engine 20.10 gives them no content type.
pub(crate) fn raw_stream(stream: impl Stream<Item = Vec<u8>> + Send + 'static) -> Reply {
    use futures_util::StreamExt;
    let mut reply = bare(200, Body::from_stream(stream.map(|part| Ok::<_, Infallible>(Bytes::from(part)))));
    identify(&mut reply);
    reply
}

/// An error.
pub(crate) fn refuse(error: &ApiError) -> Reply {
    if error.status == 304 {
        return empty(304);
    }
    json(error.status, &json!({ "message": error.message }))
}

/// A path that there is not: an engine answers that before it says what it is.
pub(crate) fn no_such_page() -> Reply {
    let mut reply = bare(404, Body::from("{\"message\":\"page not found\"}\n"));
    reply.headers_mut().insert(CONTENT_TYPE, JSON);
    reply
}

/// A version that is not spoken.
pub(crate) fn refuse_version(version: &BadVersion) -> Reply {
    match version {
        BadVersion::TooNew(version) => refuse(&ApiError::bad(format!(
            "client version {version} is too new. Maximum supported API version is {}",
            system::version_text(system::API)
        ))),
        BadVersion::TooOld(version) => text(
            400,
            format!(
                "client version {version} is too old. Minimum supported API version is {}, please upgrade your client to a newer version\n",
                system::version_text(system::OLDEST_API)
            ),
        ),
    }
}

fn with_type(status: u16, content_type: HeaderValue, body: Body) -> Reply {
    let mut reply = bare(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    identify(&mut reply);
    reply
}

fn bare(status: u16, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}

fn identify(reply: &mut Reply) {
    let headers = reply.headers_mut();
    headers.insert("api-version", HeaderValue::from_static("1.41"));
    headers.insert("docker-experimental", HeaderValue::from_static("false"));
    headers.insert("ostype", HeaderValue::from_static("linux"));
    headers.insert("server", HeaderValue::from_static("Docker/20.10.24 (linux)"));
}

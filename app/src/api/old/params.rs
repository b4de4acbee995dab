//! Parameters of the old APIs: from the query, else the form, else the JSON body. All values may be texts.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use actix_web::web::{Bytes, BytesMut, Data, Payload};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::Failure;
use crate::callers::PARAMETER;
use crate::shared::Shared;

/// The largest body that is read, in bytes. Every honest call fits in a hundredth of it.
const MAX_BODY: usize = 64 * 1024;

/// For a body to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// For the rest of a body when the server stops: who was sending is answered, and nobody who sends slowly is waited for.
const REST_WITHIN: Duration = Duration::from_secs(1);

/// A call's parameters. Names that a call does not know are passed over, as they were.
#[derive(Debug, Default)]
pub struct Params {
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    json: Map<String, Value>,
}

impl Params {
    /// Reads all of a request; refuses a body that is too large, too slow, or not what it says it is.
    pub async fn read(request: &HttpRequest, payload: Payload) -> Result<Params, Failure> {
        let headers = request.headers();
        let bodyless = !headers.contains_key(TRANSFER_ENCODING)
            && headers.get(CONTENT_LENGTH).is_none_or(|length| length.as_bytes() == b"0");
        if bodyless {
            return Params::parse(request.query_string(), "", b"");
        }
        let body = tokio::select! {
            biased;
            body = tokio::time::timeout(BODY_WITHIN, body(payload)) => body.map_err(|_| {
                Failure::status(StatusCode::REQUEST_TIMEOUT, format!("the body did not arrive in {BODY_WITHIN:?}"))
            })??,
            () = closing(request) => {
                let text = "the service stops, and the body had not arrived; nothing was done";
                return Err(Failure::status(StatusCode::SERVICE_UNAVAILABLE, text));
            }
        };
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        Params::parse(request.query_string(), content_type, &body)
    }

    /// The same from its parts. A body that begins with `{` is JSON whatever its type says: `curl -d` calls it a form.
    pub fn parse(query: &str, content_type: &str, body: &[u8]) -> Result<Params, Failure> {
        let mut params = Params { query: pairs(query.as_bytes()), ..Params::default() };
        // It is no parameter of a call, and answers that give back what was given must not give this back.
        params.query.retain(|(name, _)| name != PARAMETER);
        let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let body = body.trim_ascii();
        let says_json = essence == "application/json" || essence.ends_with("+json");
        if body.is_empty() {
            return Ok(params);
        }
        if says_json || body.starts_with(b"{") {
            params.json = common::json::object(body).map_err(|bad| Failure::refused(bad.to_string()))?;
        } else if essence.is_empty() || essence == "application/x-www-form-urlencoded" {
            params.form = pairs(body);
        } else {
            return Err(Failure::refused("the body must be application/x-www-form-urlencoded or application/json"));
        }
        params.form.retain(|(name, _)| name != PARAMETER);
        params.json.remove(PARAMETER);
        Ok(params)
    }

    /// A parameter, "" if it was given without a value; `None` if it was not given.
    pub fn given(&self, name: &str) -> Result<Option<Cow<'_, str>>, Failure> {
        let in_pairs = find(&self.query, name).or_else(|| find(&self.form, name));
        let text = match (in_pairs, self.json.get(name)) {
            (Some(text), _) => Cow::Borrowed(text),
            (None, None | Some(Value::Null)) => return Ok(None),
            (None, Some(Value::String(text))) => Cow::Borrowed(text.as_str()),
            (None, Some(Value::Number(number))) => Cow::Owned(number.to_string()),
            (None, Some(Value::Bool(truth))) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            (None, Some(Value::Array(_) | Value::Object(_))) => {
                return Err(Failure::refused(format!("{name} must be a text, a number or a truth value")));
            }
        };
        // What is not UTF-8 was read with this in its place: two different texts must not become one.
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Failure::refused(format!("{name} is not UTF-8 text")));
        }
        Ok(Some(text))
    }

    /// A parameter that was given with a value.
    pub fn filled(&self, name: &str) -> Result<Option<Cow<'_, str>>, Failure> {
        Ok(self.given(name)?.filter(|text| !text.is_empty()))
    }

    /// A parameter that says yes or no in one of the usual ways.
    pub fn truth(&self, name: &str) -> Result<Option<bool>, Failure> {
        let Some(text) = self.filled(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(Failure::refused(format!("Invalid {name}"))),
        }
    }

    /// All that was given, as old refusals give it back.
    pub fn arguments(&self) -> Value {
        let mut all = Map::new();
        for (name, text) in self.query.iter().chain(&self.form) {
            all.entry(name.clone()).or_insert_with(|| Value::String(text.clone()));
        }
        for (name, value) in &self.json {
            all.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(all)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// Until the server has been stopping for a moment.
async fn closing(request: &HttpRequest) {
    let Some(shared) = request.app_data::<Data<Shared>>() else { return std::future::pending().await };
    // Its sender is gone only when the server is.
    let _ = shared.closing.clone().wait_for(|closing| *closing).await;
    tokio::time::sleep(REST_WITHIN).await;
}

async fn body(mut payload: Payload) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Failure::refused(format!("the body could not be read: {error}")))?;
        if body.len() + chunk.len() > MAX_BODY {
            let text = format!("the body may have at most {MAX_BODY} bytes");
            return Err(Failure::status(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

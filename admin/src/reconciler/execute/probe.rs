//! Asks a cluster whether it is well: sends its template's probes and judges the answers.
//!
//! A probe that errs is not a proof: whatever is not clearly good is bad, with what was seen.

use std::collections::BTreeMap;
use std::time::Duration;

use common::compose::{HttpProbe, JsonExpect};
use common::model::Endpoint;
use serde_json::Value;

/// A probe's answer is small (a list of peers, a chain's head); more than this is not one.
const BODY_LIMIT: usize = 256 * 1024;

/// For a connection: a frozen peer's port accepts and never answers, and the probe's own limit covers that.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// By what probes are sent.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        // Each goes to another cluster, and thousands of connections would wait for their next probe.
        .pool_max_idle_per_host(0)
        // The node may be its tenant's own by now, and admin reaches more than tenants do.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// Sends every probe in turn; the first that does not hold is the answer.
pub async fn ask(
    client: &reqwest::Client,
    endpoints: &BTreeMap<String, Endpoint>,
    probes: &[HttpProbe],
) -> Result<(), String> {
    for probe in probes {
        let endpoint =
            endpoints.get(&probe.endpoint).ok_or_else(|| format!("it has no endpoint {}", probe.endpoint))?;
        let url = format!("http://{}{}", endpoint.authority(), probe.path);
        let body = match tokio::time::timeout(probe.timeout, fetch(client.get(&url))).await {
            Ok(body) => body,
            Err(_) => Err(format!("no answer within {} s", probe.timeout.as_secs_f64())),
        };
        body.and_then(|body| judge(&body, &probe.expect)).map_err(|seen| format!("{}: {seen}", probe.path))?;
    }
    Ok(())
}

/// Sends a request; the body of an answer with status 200.
pub async fn fetch(request: reqwest::RequestBuilder) -> Result<Vec<u8>, String> {
    let mut response = request.send().await.map_err(|error| deepest(&error))?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("status {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| deepest(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            return Err(format!("an answer of more than {BODY_LIMIT} bytes"));
        }
    }
    Ok(body)
}

/// "connection refused" is at the bottom of the chain; what stands above it repeats the address.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Whether a body is what a probe expects.
pub fn judge(body: &[u8], expect: &[JsonExpect]) -> Result<(), String> {
    if expect.is_empty() {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| "the answer is not JSON".to_owned())?;
    expect.iter().try_for_each(|one| holds(&value, one))
}

fn holds(value: &Value, expect: &JsonExpect) -> Result<(), String> {
    let at = |pointer: &str| value.pointer(pointer).ok_or_else(|| format!("{pointer} is missing"));
    match expect {
        JsonExpect::Length { pointer, is } => match at(pointer)?.as_array() {
            Some(items) if items.len() as u64 == *is => Ok(()),
            Some(items) => Err(format!("{pointer} has {} items, not {is}", items.len())),
            None => Err(format!("{pointer} is not a list")),
        },
        JsonExpect::AtLeast { pointer, value: least } => match at(pointer)?.as_f64() {
            Some(number) if number >= *least => Ok(()),
            Some(number) => Err(format!("{pointer} is {number}, below {least}")),
            None => Err(format!("{pointer} is not a number")),
        },
        JsonExpect::Equals { pointer, value: wanted } => match at(pointer)? {
            same if same == wanted => Ok(()),
            other => Err(format!("{pointer} is {}, not {wanted}", short(other))),
        },
    }
}

/// Whether the number at this JSON pointer is larger than before.
pub fn grows(before: Option<&Value>, now: &Value, pointer: &str) -> Result<(), String> {
    let number = |value: &Value| value.pointer(pointer).and_then(Value::as_f64);
    match (before.and_then(number), number(now)) {
        (Some(before), Some(now)) if now > before => Ok(()),
        (Some(before), Some(now)) => Err(format!("{pointer} is {now}, and was {before} before")),
        (None, _) | (_, None) => Err(format!("{pointer} is not a number")),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 80 { text } else { format!("{}...", text.chars().take(77).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn length(is: u64) -> Vec<JsonExpect> {
        vec![JsonExpect::Length { pointer: "/peers".into(), is }]
    }

    #[test]
    fn only_what_was_expected_is_a_proof() {
        assert_eq!(judge(br#"{"peers":[1,2]}"#, &length(2)), Ok(()));
        assert_eq!(judge(b"anything", &[]), Ok(()));
        for (body, said) in [
            (&br#"{"peers":[1]}"#[..], "1 items, not 2"),
            (br#"{"peers":{}}"#, "not a list"),
            (br#"{}"#, "missing"),
            (b"<html>", "not JSON"),
            (b"", "not JSON"),
        ] {
            assert!(judge(body, &length(2)).unwrap_err().contains(said), "{said}");
        }
    }

    /// Answers one request with this, as it goes over the wire.
    async fn answers(text: String) -> std::net::SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_node_does_not_send_a_probe_elsewhere() {
        let fine = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        let inside = answers(fine.to_owned()).await;
        let moved = format!("HTTP/1.1 302 Found\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n");
        let node = answers(moved).await;
        let client = client().unwrap();
        let asked = fetch(client.get(format!("http://{node}/network/peers"))).await;
        assert_eq!(asked, Err("status 302".to_owned()));
        assert_eq!(fetch(client.get(format!("http://{inside}/"))).await, Ok(b"{}".to_vec()));
    }

    #[test]
    fn numbers_and_values_are_compared_as_json() {
        let least = [JsonExpect::AtLeast { pointer: "/height".into(), value: 1.0 }];
        assert_eq!(judge(br#"{"height":1}"#, &least), Ok(()));
        assert!(judge(br#"{"height":0}"#, &least).is_err());
        assert!(judge(br#"{"height":"1"}"#, &least).is_err());
        let same = [JsonExpect::Equals { pointer: "/status".into(), value: "OK".into() }];
        assert_eq!(judge(br#"{"status":"OK"}"#, &same), Ok(()));
        assert!(judge(br#"{"status":"ok"}"#, &same).is_err());
    }
}

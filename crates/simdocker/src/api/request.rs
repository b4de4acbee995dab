//! One call, taken apart.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::Query;
use hyper::Uri;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult};

/// One call, its body read.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Decoded, between the slashes, without `/v1.xx`.
    segments: Vec<String>,
    query: HashMap<String, String>,
    pub(crate) body: String,
}

impl Call {
    /// From a path without `/v1.xx`.
    pub(crate) fn new(method: &str, path: &str, uri: &Uri, body: String) -> Self {
        let segments = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        Self { method: method.to_owned(), segments, query: query.into_iter().collect(), body }
    }

    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A query parameter that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// What Docker takes for true.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.is_set_or(name, false)
    }

    /// The same, with what holds if it is not said.
    pub(crate) fn is_set_or(&self, name: &str, default: bool) -> bool {
        match self.query.get(name) {
            None => default,
            Some(text) => !matches!(text.trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "none"),
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> ApiResult<Option<i64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = |_| ApiError::broken(format!("strconv.Atoi: parsing \"{text}\": invalid syntax"));
        text.parse().map(Some).map_err(wrong)
    }

    /// A grace in seconds.
    pub(crate) fn grace(&self) -> ApiResult<Option<Duration>> {
        // A negative one means to wait for ever, which here is a day.
        let seconds = self.number("t")?;
        Ok(seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(24 * 3600))))
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> ApiResult<T> {
        if self.body.trim().is_empty() {
            return Err(ApiError::broken("EOF"));
        }
        serde_json::from_str(&self.body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => ApiError::bad(format!("json: cannot unmarshal: {error}")),
            _ => ApiError::broken(format!("invalid character in JSON: {error}")),
        })
    }
}

/// Undoes `%2F` and its like; what is not such a code stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|two| {
            let mut byte = [0];
            hex::decode_to_slice(two, &mut byte).ok().map(|()| byte[0])
        });
        match code {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Takes `/v1.xx` off a path. The error is a version that is too old or too new.
pub(crate) fn without_version(path: &str) -> Result<&str, BadVersion> {
    let Some(rest) = path.strip_prefix("/v") else { return Ok(path) };
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let Some((Ok(major), Ok(minor))) = version.split_once('.').map(|(a, b)| (a.parse::<u32>(), b.parse::<u32>()))
    else {
        return Ok(path);
    };
    if (major, minor) > super::system::API {
        return Err(BadVersion::TooNew(version.to_owned()));
    }
    if (major, minor) < super::system::OLDEST_API {
        return Err(BadVersion::TooOld(version.to_owned()));
    }
    Ok(&path[path.len() - rest.len() - 1..])
}

/// A version that is not spoken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadVersion {
    /// Above the engine's.
    TooNew(String),
    /// Below the engine's least.
    TooOld(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_with_and_without_a_version() {
        assert_eq!(without_version("/v1.41/info"), Ok("/info"));
        assert_eq!(without_version("/info"), Ok("/info"));
        assert_eq!(without_version("/volumes"), Ok("/volumes"));
        assert_eq!(without_version("/v1.53/info"), Err(BadVersion::TooNew("1.53".to_owned())));
        assert_eq!(without_version("/v1.10/info"), Err(BadVersion::TooOld("1.10".to_owned())));
    }

    #[test]
    fn a_path_is_decoded_part_by_part() {
        assert_eq!(decode("a%2Fb%3a1"), "a/b:1");
        assert_eq!(decode("100%"), "100%");
    }
}

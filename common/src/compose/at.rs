//! A value of a file together with its path, so that a refusal can name the field.

use std::time::Duration;

use compose_spec::service::ByteValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ComposeError;

/// Whatever a template waits for, a day is too long; and the engine counts in nanoseconds, of which an i64 holds
/// three centuries only.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A value and its path.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub path: String,
    pub value: &'a Value,
}

impl<'a> At<'a> {
    pub fn new(path: impl Into<String>, value: &'a Value) -> Self {
        Self { path: path.into(), value }
    }

    /// Refuses this value.
    pub fn refuse<T>(&self, message: impl Into<String>) -> Result<T, ComposeError> {
        Err(ComposeError::new(&self.path, message))
    }

    /// The map that it is; nothing at all is an empty one.
    pub fn entries(&self) -> Result<Vec<(&'a str, At<'a>)>, ComposeError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Object(map) => {
                Ok(map.iter().map(|(key, value)| (key.as_str(), At::new(join(&self.path, key), value))).collect())
            }
            _ => self.refuse("must be a map"),
        }
    }

    /// The list that it is; nothing at all is an empty one.
    pub fn items(&self) -> Result<Vec<At<'a>>, ComposeError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => {
                Ok(list.iter().enumerate().map(|(i, value)| At::new(format!("{}[{i}]", self.path), value)).collect())
            }
            _ => self.refuse("must be a list"),
        }
    }

    /// A field of the map that it is. `null` counts as absent.
    pub fn field(&self, key: &str) -> Option<At<'a>> {
        let value = self.value.as_object()?.get(key).filter(|value| !value.is_null())?;
        Some(At::new(join(&self.path, key), value))
    }

    /// A field that must be there.
    pub fn needed(&self, key: &str) -> Result<At<'a>, ComposeError> {
        self.field(key).ok_or_else(|| ComposeError::new(join(&self.path, key), "is missing"))
    }

    /// Refuses every key but these and `x-` ones, which are notes by Compose's own rule.
    pub fn only(&self, keys: &[&str]) -> Result<(), ComposeError> {
        for (key, at) in self.entries()? {
            if !keys.contains(&key) && !key.starts_with("x-") {
                return at.refuse(format!("is not known here; there are: {}", keys.join(", ")));
            }
        }
        Ok(())
    }

    /// A text; a number or a boolean is taken for its spelling.
    pub fn text(&self) -> Result<String, ComposeError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => self.refuse("must be a text"),
        }
    }

    /// The texts of a list, or the one text that stands for a list of one.
    pub fn texts(&self) -> Result<Vec<String>, ComposeError> {
        match self.value {
            Value::String(text) => Ok(vec![text.clone()]),
            _ => self.items()?.iter().map(At::text).collect(),
        }
    }

    /// `true` or `false`, also where a variable put the word.
    pub fn flag(&self) -> Result<bool, ComposeError> {
        match self.text().as_deref() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => self.refuse("must be true or false"),
        }
    }

    /// A whole number, also where a variable put its digits.
    pub fn whole(&self) -> Result<i64, ComposeError> {
        self.text()?.parse().or_else(|_| self.refuse("must be a whole number"))
    }

    /// A number, also where a variable put its digits.
    pub fn number(&self) -> Result<f64, ComposeError> {
        let number: Option<f64> = self.text()?.parse().ok();
        number.filter(|n| n.is_finite()).map_or_else(|| self.refuse("must be a number"), Ok)
    }

    /// A span of time as Compose writes it: `90s`, `1m30s`, `500ms`.
    pub fn duration(&self) -> Result<Duration, ComposeError> {
        let text = self.text()?;
        // The crate panics on more digits than a u64 holds.
        let parsed = if text.len() <= 18 { compose_spec::duration::parse(&text).ok() } else { None };
        let bounded = parsed.filter(|duration| *duration <= LONGEST);
        bounded.map_or_else(|| self.refuse("must be a time like 90s, 1m30s or 500ms, at most 24h"), Ok)
    }

    /// A size as Compose writes it: `512m`, `1gb`, or a number of bytes. Units are powers of 1024.
    pub fn bytes(&self) -> Result<i64, ComposeError> {
        let parsed = match self.text()?.to_ascii_lowercase().parse() {
            // Not the crate's `into_bytes`, which counts in thousands; Compose and Docker do not.
            Ok(ByteValue::Bytes(n)) => Some(n),
            Ok(ByteValue::Kilobytes(n)) => n.checked_mul(1 << 10),
            Ok(ByteValue::Megabytes(n)) => n.checked_mul(1 << 20),
            Ok(ByteValue::Gigabytes(n)) => n.checked_mul(1 << 30),
            Err(_) => None,
        };
        parsed.and_then(|n| i64::try_from(n).ok()).map_or_else(|| self.refuse("must be a size like 512m or 1g"), Ok)
    }

    /// As a type of the compose-spec crate.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ComposeError> {
        T::deserialize(self.value).or_else(|error| self.refuse(chain(&error)))
    }
}

/// An error with its causes, which the compose-spec crate keeps apart.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The map of a value that may be written as a list of `KEY=value` or of keys.
pub(super) fn as_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Array(list) => list
            .into_iter()
            .filter_map(|item| match item {
                Value::String(text) => Some(match text.split_once('=') {
                    Some((key, value)) => (key.to_owned(), Value::String(value.to_owned())),
                    None => (text, Value::Null),
                }),
                _ => None,
            })
            .collect(),
        _ => Map::new(),
    }
}

/// The path of a field.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_as_docker_has_them() {
        for (text, bytes) in [
            ("7", 7),
            ("1b", 1),
            ("2k", 2048),
            ("2kb", 2048),
            ("512m", 536_870_912),
            ("1G", 1 << 30),
            ("64MB", 64 << 20),
        ] {
            assert_eq!(At::new("", &text.into()).bytes(), Ok(bytes), "{text}");
        }
        for text in ["", "m", "-1m", "1t", "1.5g", "99999999999g", "1 g"] {
            assert!(At::new("", &text.into()).bytes().is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_compose_writes_them() {
        for (text, millis) in [("90s", 90_000), ("1m30s", 90_000), ("500ms", 500), ("2h", 7_200_000)] {
            assert_eq!(At::new("", &text.into()).duration(), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "1d", "-1s", "99999999999999999999s", "25h", "999999999999999h"] {
            assert!(At::new("", &text.into()).duration().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_may_come_out_of_a_variable() {
        assert_eq!(At::new("", &"12".into()).whole(), Ok(12));
        assert_eq!(At::new("", &"0.5".into()).number(), Ok(0.5));
        assert_eq!(At::new("", &"true".into()).flag(), Ok(true));
        assert!(At::new("", &"NaN".into()).number().is_err());
        assert!(At::new("", &"1".into()).flag().is_err());
    }
}

//! YAML as a tree whose every value knows its path, so that a refusal can name the field.
//!
//! Merge keys and anchors are resolved by the parser. Nothing here knows what a compose file is.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use compose_spec::service::ByteValue;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};

use super::ComposeError;

/// Text that is not YAML.
#[derive(Debug)]
pub(super) struct NotYaml {
    /// Counted from 1.
    pub line: Option<u64>,
    /// What the parser says.
    pub message: String,
}

/// The line of each path, counted from 1.
pub(super) type Lines = HashMap<String, u64>;

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<(Value, Lines), NotYaml> {
    // As Compose has it: `yes` is a word, `0755` and `1_000` keep their spelling.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let root: serde_saphyr::Spanned<Node> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        NotYaml { line: error.location().map(|at| at.line()), message: error.without_snippet().to_string() }
    })?;
    let mut lines = Lines::new();
    let value = flatten(root, String::new(), &mut lines);
    Ok((value, lines))
}

/// The line of a path, or of the nearest value around it that has one.
pub(super) fn line_of(lines: &Lines, path: &str) -> Option<u64> {
    let mut path = path;
    loop {
        if let Some(line) = lines.get(path) {
            return Some(*line);
        }
        path = &path[..path.rfind(['.', '['])?];
    }
}

enum Node {
    Scalar(Value),
    List(Vec<serde_saphyr::Spanned<Node>>),
    Map(Vec<(String, serde_saphyr::Spanned<Node>)>),
}

fn flatten(node: serde_saphyr::Spanned<Node>, path: String, lines: &mut Lines) -> Value {
    let line = node.referenced.line();
    let value = match node.value {
        Node::Scalar(value) => value,
        Node::List(items) => Value::Array(
            items.into_iter().enumerate().map(|(i, item)| flatten(item, format!("{path}[{i}]"), lines)).collect(),
        ),
        Node::Map(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, item)| {
                    let value = flatten(item, join(&path, &key), lines);
                    (key, value)
                })
                .collect(),
        ),
    };
    if line > 0 {
        lines.insert(path, line);
    }
    value
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.is_empty() {
                return Err(de::Error::custom("a key must not be empty"));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

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
        parsed.map_or_else(|| self.refuse("must be a time like 90s, 1m30s or 500ms"), Ok)
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

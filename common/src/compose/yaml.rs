//! YAML as a tree, and the line of every path in it.
//!
//! Merge keys and anchors are resolved by the parser. Nothing here knows what a compose file is.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

use super::at::join;

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
    Map(Vec<(serde_saphyr::Spanned<String>, serde_saphyr::Spanned<Node>)>),
}

/// A field's line is that of its key: the value may begin further down.
fn flatten(node: serde_saphyr::Spanned<Node>, path: String, lines: &mut Lines) -> Value {
    let line = node.referenced.line();
    if line > 0 {
        lines.entry(path.clone()).or_insert(line);
    }
    match node.value {
        Node::Scalar(value) => value,
        Node::List(items) => Value::Array(
            items.into_iter().enumerate().map(|(i, item)| flatten(item, format!("{path}[{i}]"), lines)).collect(),
        ),
        Node::Map(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, item)| {
                    let inner = join(&path, &key.value);
                    if key.referenced.line() > 0 {
                        lines.insert(inner.clone(), key.referenced.line());
                    }
                    let value = flatten(item, inner, lines);
                    (key.value, value)
                })
                .collect(),
        ),
    }
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
        while let Some(key) = map.next_key::<serde_saphyr::Spanned<String>>()? {
            if key.value.is_empty() {
                return Err(de::Error::custom("a key must not be empty"));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree(text: &str) -> Value {
        parse(text).expect(text).0
    }

    #[test]
    fn scalars_keep_what_compose_would_take_them_for() {
        for (text, expected) in [
            ("a: yes", json!("yes")),
            ("a: true", json!(true)),
            ("a: 0755", json!("0755")),
            ("a: 1_000", json!("1_000")),
            ("a: 7050:7050", json!("7050:7050")),
            ("a: 3", json!(3)),
            ("a: -1", json!(-1)),
            ("a: 0.5", json!(0.5)),
            ("a: 2.0.0", json!("2.0.0")),
            ("a: ~", json!(null)),
            ("a:", json!(null)),
            ("a: \"3\"", json!("3")),
            ("a: 'it''s'", json!("it's")),
            ("a: |\n  x\n  y\n", json!("x\ny\n")),
        ] {
            assert_eq!(tree(text)["a"], expected, "{text}");
        }
        assert_eq!(tree("1: x"), json!({"1": "x"}));
    }

    #[test]
    fn merge_keys_and_anchors_are_resolved() {
        let text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 5}\nw: *x";
        assert_eq!(tree(text)["z"], json!({"a": 5, "b": 2, "c": 4}));
        assert_eq!(tree(text)["w"], json!({"a": 1, "b": 2}));
    }

    #[test]
    fn a_field_is_found_on_the_line_of_its_key() {
        let (_, lines) = parse("# note\na:\n  b:\n    - c\n    - d: 1\n").expect("YAML");
        for (path, line) in [("a", 2), ("a.b", 3), ("a.b[0]", 4), ("a.b[1].d", 5), ("a.b[1].missing", 5), ("a.x.y", 2)]
        {
            assert_eq!(line_of(&lines, path), Some(line), "{path}");
        }
        assert_eq!(line_of(&lines, "z"), None);
    }

    #[test]
    fn what_is_no_single_sound_document_is_refused() {
        let deep = "[".repeat(100_000);
        let bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n".to_owned()
            + &('b'..='h').fold(String::new(), |text, key| {
                let before = char::from(key as u8 - 1);
                let items = [format!("*{before}"), format!("*{before}")].join(",");
                format!("{text}{key}: &{key} [{items},{items},{items},{items},{items}]\n")
            });
        for text in [
            "a: [",
            "a: 1\na: 2",
            "a: 1\n---\nb: 2",
            "a: *x",
            "a: !python/object x",
            "a: 1e999",
            "? [a]\n: b",
            &deep,
            &bomb,
        ] {
            assert!(parse(text).is_err(), "{}", text.chars().take(40).collect::<String>());
        }
    }
}

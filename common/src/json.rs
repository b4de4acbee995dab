//! A JSON object that somebody sent. A name that stands in it twice is refused, at any depth: of two values each reader
//! would take another one, and who checks a request must not see other things than who carries it out.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a body is no object that can be read.
#[derive(Debug, thiserror::Error)]
pub enum BadObject {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON, and no object.
    #[error("the JSON body must be an object")]
    NotObject,
    /// A name stands in one object twice.
    #[error("{0} is given twice")]
    Twice(String),
}

/// Characters of a name that are told to whoever sent it.
const TOLD: usize = 64;

/// Takes an object from its text.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, BadObject> {
    match serde_json::from_slice(text) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(Strict(_)) => Err(BadObject::NotObject),
        Err(error) => {
            // A message is all that a visitor can say; what stands before the name tells it from others.
            let words = error.to_string();
            let Some(name) = words.strip_prefix(TWICE) else { return Err(BadObject::NotJson(error)) };
            let name = name.rsplit_once(" at line ").map_or(name, |(name, _)| name);
            Err(BadObject::Twice(name.chars().take(TOLD).collect()))
        }
    }
}

/// Begins the message of a name that stands twice. No other message of `serde_json` begins so.
const TWICE: &str = "a name twice: ";

/// A value in which no name stands twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(OnlyOnce).map(Strict)
    }
}

struct OnlyOnce;

impl<'de> Visitor<'de> for OnlyOnce {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut all, mut seen) = (Map::new(), BTreeSet::new());
        while let Some(name) = entries.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("{TWICE}{name}")));
            }
            let Strict(value) = entries.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_what_it_was() {
        let text = r#" {"a": [1, -2, 1.5, null, true, "x\u00fc"], "b": {"a": {}}, "": 18446744073709551615} "#;
        let plain: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), plain);
        assert_eq!(plain["a"], json!([1, -2, 1.5, null, true, "xü"]));
    }

    #[test]
    fn a_name_that_stands_twice_is_named() {
        for (text, name) in [
            (r#"{"user": "a", "user": "b"}"#, "user"),
            (r#"{"user": "a", "\u0075ser": "b"}"#, "user"),
            (r#"{"list": [{"x": 1, "x": 1}]}"#, "x"),
            (r#"{"a at line 1": 1, "a at line 1": 2}"#, "a at line 1"),
        ] {
            match object(text.as_bytes()) {
                Err(BadObject::Twice(twice)) => assert_eq!(twice, name),
                other => panic!("{text}: {other:?}"),
            }
        }
        let long = format!(r#"{{"{0}": 1, "{0}": 2}}"#, "x".repeat(500));
        assert_eq!(object(long.as_bytes()).unwrap_err().to_string().len(), TOLD + " is given twice".len());
    }

    #[test]
    fn what_is_no_object_is_told_apart_from_what_is_no_json() {
        assert!(matches!(object(b"[1]"), Err(BadObject::NotObject)));
        for text in [&b"{"[..], b"", b"{\"a\": \xff}", b"{} {}", b"{\"a\": \"a name twic", "[".repeat(9000).as_bytes()]
        {
            assert!(matches!(object(text), Err(BadObject::NotJson(_))), "{:?}", String::from_utf8_lossy(text));
        }
    }
}

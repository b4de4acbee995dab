//! `${NAME}` in the values of a compose file, as Compose replaces it.
//!
//! Values come from the deployment's settings, never from the process's environment.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ComposeError;
use super::at::At;

type Variables = BTreeMap<String, String>;

/// A default may hold another variable, which may hold another; deeper is a mistake.
const DEEPEST: usize = 8;

/// Replaces variables in every text of a tree; keys stay as they are.
pub(super) fn interpolate(value: &mut Value, path: &str, variables: &Variables) -> Result<(), ComposeError> {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::String(text) if text.contains('$') => {
            let replaced = replace(text, variables, 0);
            *text = replaced.or_else(|message| At::new(path, &Value::Null).refuse(message))?;
        }
        Value::Array(list) => {
            for (i, item) in list.iter_mut().enumerate() {
                interpolate(item, &format!("{path}[{i}]"), variables)?;
            }
        }
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                interpolate(item, &inner(key), variables)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// Replaces the variables of one text, else says what is wrong with it.
fn replace(text: &str, variables: &Variables, depth: usize) -> Result<String, String> {
    if depth > DEEPEST {
        return Err("nests variables too deep".into());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = closing(after).ok_or_else(|| format!("has a ${{ without its }}: {text:?}"))?;
            out.push_str(&braced(&after[..end], variables, depth)?);
            rest = &after[end + 1..];
        } else {
            let (name, after) = split_name(rest);
            if name.is_empty() {
                return Err(format!("has a $ that begins no variable; write $$ for a plain one: {text:?}"));
            }
            out.push_str(known(name, variables)?);
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace that is open ends, past those within.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn split_name(text: &str) -> (&str, &str) {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let end = text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(text.len());
    text.split_at(if first { end } else { 0 })
}

fn known<'v>(name: &str, variables: &'v Variables) -> Result<&'v str, String> {
    // Compose would warn and go on with nothing; a cluster with an empty image helps nobody.
    variables
        .get(name)
        .map(String::as_str)
        .ok_or_else(|| format!("needs the variable {name}, which is not set; write ${{{name}:-}} if it may be missing"))
}

fn braced(inner: &str, variables: &Variables, depth: usize) -> Result<String, String> {
    let (name, operation) = split_name(inner);
    if name.is_empty() {
        return Err(format!("has ${{{inner}}}, which names no variable"));
    }
    let set = variables.get(name).map(String::as_str);
    let filled = set.filter(|value| !value.is_empty());
    let other = |text: &str| replace(text, variables, depth + 1);
    let or_message = |value: Option<&str>, message: &str| match value {
        Some(value) => Ok(value.to_owned()),
        None if message.is_empty() => Err(format!("needs the variable {name}, which is not set")),
        None => Err(format!("needs the variable {name}: {}", other(message)?)),
    };
    for (operator, value) in [(":", filled), ("", set)] {
        let Some(tail) = operation.strip_prefix(operator) else { continue };
        let Some(kind) = tail.chars().next() else { continue };
        let argument = &tail[kind.len_utf8()..];
        match kind {
            '-' => return value.map_or_else(|| other(argument), |value| Ok(value.to_owned())),
            '+' => return value.map_or_else(|| Ok(String::new()), |_| other(argument)),
            '?' => return or_message(value, argument),
            _ => {}
        }
    }
    if operation.is_empty() {
        return known(name, variables).map(str::to_owned);
    }
    Err(format!(
        "has ${{{inner}}}, which is none of ${{A}}, ${{A:-b}}, ${{A-b}}, ${{A:?why}}, ${{A?why}}, ${{A:+b}}, ${{A+b}}"
    ))
}

/// Names of the variables that a text may ask for.
pub(super) fn names_in(text: &str) -> Vec<&str> {
    let after_dollar = text.split('$').skip(1);
    let names = after_dollar.map(|part| split_name(part.strip_prefix('{').unwrap_or(part)).0);
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn variables() -> Variables {
        [("A", "one"), ("B_2", "two"), ("EMPTY", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn variables_are_replaced_as_compose_does() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$A", "one"),
            ("${A}-${B_2}", "one-two"),
            ("$A.$B_2/", "one.two/"),
            ("$$A $${A}", "$A ${A}"),
            ("${NONE:-x:1}", "x:1"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${NONE-x}", "x"),
            ("${A:-x}", "one"),
            ("${NONE:-}", ""),
            ("${NONE:-${A}}", "one"),
            ("${NONE:-${EMPTY:-${B_2}}}!", "two!"),
            ("${A:+yes}", "yes"),
            ("${EMPTY:+yes}", ""),
            ("${EMPTY+yes}", "yes"),
            ("${NONE+yes}", ""),
            ("${A:?why}", "one"),
            ("${EMPTY?why}", ""),
        ] {
            assert_eq!(replace(text, &variables(), 0).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_says_why() {
        for (text, word) in [
            ("${NONE}", "variable NONE, which is not set"),
            ("$NONE", "variable NONE, which is not set"),
            ("${NONE:?set it}", "variable NONE: set it"),
            ("${EMPTY:?set it}", "variable EMPTY: set it"),
            ("${NONE?set it}", "variable NONE: set it"),
            ("${NONE?}", "variable NONE, which is not set"),
            ("${A", "without its }"),
            ("${}", "names no variable"),
            ("${1A}", "names no variable"),
            ("${A/b/c}", "none of"),
            ("100$", "write $$"),
            ("a $ b", "write $$"),
        ] {
            let refusal = replace(text, &variables(), 0).expect_err(text);
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_refusal_names_the_field() {
        let mut tree = serde_json::json!({"services": {"a": {"command": ["x", "${NONE}"]}}});
        let refusal = interpolate(&mut tree, "", &variables()).expect_err("unset");
        assert_eq!(refusal.path, "services.a.command[1]");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[${}A:?+\\-é ]{0,24}") {
            let _ = replace(&text, &variables(), 0);
            let _ = names_in(&text);
        }

        #[test]
        fn a_text_without_dollars_stays(text in "[^$]{0,40}") {
            prop_assert_eq!(replace(&text, &variables(), 0), Ok(text));
        }
    }
}

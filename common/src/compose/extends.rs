//! `extends`: a service that takes another's fields and puts its own over them, as Compose merges them.

use serde_json::{Map, Value};

use super::ComposeError;
use super::at::{At, as_map};

/// Written as a list or as a map; merged as a map.
const MAPS: [&str; 5] = ["environment", "labels", "networks", "depends_on", "healthcheck"];
/// Lists to which the other's items are added.
const SUMS: [&str; 7] = ["ports", "volumes", "cap_add", "cap_drop", "security_opt", "tmpfs", "expose"];

/// Resolves `extends` in every service of a file.
pub(super) fn resolve(file: &mut Value) -> Result<(), ComposeError> {
    let Some(services) = file.get("services").and_then(Value::as_object).cloned() else { return Ok(()) };
    let mut resolved = Map::new();
    for name in services.keys() {
        resolved.insert(name.clone(), service(name, &services, &mut Vec::new())?);
    }
    file["services"] = Value::Object(resolved);
    Ok(())
}

fn service(name: &str, services: &Map<String, Value>, trail: &mut Vec<String>) -> Result<Value, ComposeError> {
    let own = services.get(name).cloned().unwrap_or_default();
    let at = At::new(format!("services.{name}"), &own);
    let Some(extends) = at.field("extends") else { return Ok(own) };
    trail.push(name.to_owned());
    let base = match extends.value {
        Value::String(base) => base.clone(),
        _ => {
            extends.only(&["service", "file"])?;
            if let Some(file) = extends.field("file") {
                return file.refuse("is not carried out: a template is one file; extend a service of this one");
            }
            extends.needed("service")?.text()?
        }
    };
    if !services.contains_key(&base) {
        return extends.refuse(format!("there is no service {base:?}"));
    }
    if trail.contains(&base) {
        trail.push(base);
        return extends.refuse(format!("goes round in a circle: {}", trail.join(" -> ")));
    }
    let mut whole = service(&base, services, trail)?;
    if let (Value::Object(whole), Value::Object(mut own)) = (&mut whole, own) {
        own.remove("extends");
        lay_over(whole, own);
    }
    Ok(whole)
}

fn lay_over(base: &mut Map<String, Value>, own: Map<String, Value>) {
    for (key, value) in own {
        let Some(before) = base.get_mut(&key).filter(|before| !before.is_null()) else {
            base.insert(key, value);
            continue;
        };
        if MAPS.contains(&key.as_str()) && can_be_map(before) && can_be_map(&value) {
            let mut map = long_form(&key, before.take());
            map.extend(long_form(&key, value));
            *before = Value::Object(map);
        } else if SUMS.contains(&key.as_str()) {
            *before = Value::Array(sum(&key, before.take(), value));
        } else if key == "deploy" || key == "logging" {
            deepen(before, value);
        } else {
            *before = value;
        }
    }
}

/// What cannot is left as it is, and refused where the service that wrote it is read.
fn can_be_map(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

/// A list of names as the map that it stands for.
fn long_form(key: &str, value: Value) -> Map<String, Value> {
    let mut map = as_map(value);
    if key == "depends_on" {
        for dependency in map.values_mut().filter(|dependency| dependency.is_null()) {
            *dependency = serde_json::json!({"condition": "service_started"});
        }
    }
    map
}

/// Both lists; of two volumes with one target the later stays.
fn sum(key: &str, before: Value, own: Value) -> Vec<Value> {
    let items = |value| match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    let target = |item: &Value| match item {
        Value::String(text) if key == "volumes" => {
            text.split(':').nth(usize::from(text.contains(':'))).map(String::from)
        }
        Value::Object(map) if key == "volumes" => map.get("target").and_then(Value::as_str).map(String::from),
        other => Some(other.to_string()),
    };
    let own = items(own);
    let mut all = items(before);
    all.retain(|item| own.iter().all(|new| target(new) != target(item)));
    all.extend(own);
    all
}

/// Maps within maps; of two logging drivers the later brings its own options.
fn deepen(before: &mut Value, own: Value) {
    let other_driver = matches!((before.get("driver"), own.get("driver")), (Some(a), Some(b)) if a != b);
    match (before, own) {
        (Value::Object(before), Value::Object(own)) if !other_driver => {
            for (key, value) in own {
                match before.get_mut(&key) {
                    Some(inner) => deepen(inner, value),
                    None => {
                        before.insert(key, value);
                    }
                }
            }
        }
        (before, own) => *before = own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolved(services: Value) -> Result<Value, ComposeError> {
        let mut file = json!({ "services": services });
        resolve(&mut file).map(|()| file["services"].take())
    }

    #[test]
    fn own_fields_lie_over_the_others() {
        let services = json!({
            "base": {
                "image": "i:1", "command": ["a"], "environment": ["A=1", "B=2"], "ports": ["1:1"],
                "volumes": ["data:/data", "logs:/logs"], "networks": ["x"],
                "logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": "3"}},
                "deploy": {"resources": {"limits": {"memory": "1m", "pids": 3}}},
            },
            "middle": {"extends": "base", "environment": {"B": 3}, "command": ["b"]},
            "top": {
                "extends": {"service": "middle"}, "ports": ["2:2"], "volumes": ["other:/data"],
                "networks": {"y": {"aliases": ["z"]}}, "logging": {"options": {"max-file": "5"}},
                "deploy": {"resources": {"limits": {"memory": "2m"}}},
            },
        });
        assert_eq!(
            resolved(services).expect("good")["top"],
            json!({
                "image": "i:1", "command": ["b"], "environment": {"A": "1", "B": 3}, "ports": ["1:1", "2:2"],
                "volumes": ["logs:/logs", "other:/data"], "networks": {"x": null, "y": {"aliases": ["z"]}},
                "logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": "5"}},
                "deploy": {"resources": {"limits": {"memory": "2m", "pids": 3}}},
            })
        );
    }

    #[test]
    fn what_cannot_be_extended_says_so() {
        for (services, path, word) in [
            (json!({"a": {"extends": "b"}}), "services.a.extends", "no service \"b\""),
            (json!({"a": {"extends": "b"}, "b": {"extends": "a"}}), "services.b.extends", "circle: a -> b -> a"),
            (json!({"a": {"extends": {"service": "b", "file": "c.yml"}}}), "services.a.extends.file", "one file"),
            (json!({"a": {"extends": {"servce": "b"}}}), "services.a.extends.servce", "not known"),
            (json!({"a": {"extends": {}}}), "services.a.extends.service", "missing"),
        ] {
            let refusal = resolved(services).expect_err(word);
            assert_eq!(refusal.path, path);
            assert!(refusal.message.contains(word), "{refusal}");
        }
    }

    #[test]
    fn another_logging_driver_brings_its_own_options() {
        let services = json!({
            "a": {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
            "b": {"extends": "a", "logging": {"driver": "none"}},
        });
        assert_eq!(resolved(services).expect("good")["b"]["logging"], json!({"driver": "none"}));
    }
}

//! What may differ between two engines, and the comparison of the rest.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Fields that are one engine's own, by the end of their path, and why. Compared by their kind only (text, number, list),
/// and one side may be without.
const OWN: &[(&str, &str)] = &[
    (".Created", "a time in seconds"),
    (".State.Pid", "a process of the host; a simulated one has none"),
    (".State.Health.Log", "how many checks there were by now"),
    (".GraphDriver.Data.LowerDir", "the layers of the image"),
    (".Config.Labels.org.poolmanager.source", "of the image: the sources that the real one was built from"),
    (".Labels.org.poolmanager.source", "the same"),
    (".Config.User", "of the image"),
    (".Config.StopSignal", "of the image"),
    (".Mounts[0].Source", "a folder of the host; which lists have it depends on whether the container ever ran"),
];

/// Texts in which one engine's own are replaced by a word: ids, times, the host's own addresses, how long ago.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-f]{64}\b", "<id>"),
        (r"^[0-9a-f]{12}$", "<short id>"),
        (r"/netns/[0-9a-f]{12}$", "/netns/<id>"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
        (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>"),
        (r"\b127\.\d+\.\d+\.\d+\b", "<host>"),
        (r"^Up .+? \(", "Up <while> ("),
        (r"^Up [^(]+$", "Up <while>"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    .into()
});

/// Where two answers differ, as `step: path: simulated ..., real ...`.
pub fn differences(step: &str, sim: &Value, real: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", &masked(sim), &masked(real), &mut |path, sim, real| {
        let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        found.push(format!("{step}: {path}: simulated {}, real {}", show(sim), show(real)));
    });
    found
}

/// The same with words for what is one engine's own. A map by ids becomes a list, in the order of its masked content.
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text)),
        // The engine gives every container a PATH that its image does not set, at the end.
        Value::Array(list) => {
            list.iter().filter(|v| !v.as_str().is_some_and(|v| v.starts_with("PATH="))).map(masked).collect()
        }
        Value::Object(map) if !map.is_empty() && map.keys().all(|key| mask(key) == "<id>") => {
            let mut list: Vec<_> = map.values().map(masked).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), in_order(key, masked(value)))).collect(),
        plain => plain.clone(),
    }
}

/// An engine lists the ports of a container in another order each time, and volumes by names, of which some are ids.
fn in_order(key: &str, value: Value) -> Value {
    match value {
        Value::Array(mut list) if matches!(key, "Ports" | "Volumes") => {
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        other => other,
    }
}

fn mask(text: &str) -> String {
    MASKS.iter().fold(text.to_owned(), |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
}

type Differ<'a> = &'a mut dyn FnMut(&str, Option<&Value>, Option<&Value>);

fn compare(path: &str, sim: &Value, real: &Value, differ: Differ<'_>) {
    match (sim, real) {
        _ if is_own(path) => {
            if std::mem::discriminant(sim) != std::mem::discriminant(real) {
                differ(path, Some(sim), Some(real));
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeMap<&String, ()> = a.keys().chain(b.keys()).map(|key| (key, ())).collect();
            for key in keys.into_keys() {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&path, a, b, differ),
                    _ if is_own(&path) => {}
                    (a, b) => differ(&path, a, b),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, differ);
            }
        }
        (a, b) if a == b => {}
        (a, b) => differ(path, Some(a), Some(b)),
    }
}

fn is_own(path: &str) -> bool {
    OWN.iter().any(|(end, _why)| path.ends_with(end))
}

#[test]
fn a_difference_is_found_by_its_path() {
    let id = |digit: &str| digit.repeat(64);
    let sim =
        serde_json::json!({"Id": id("a"), "State": {"Pid": 1, "Status": "running"}, "Of": {id("b"): {"Name": "x"}}});
    let real =
        serde_json::json!({"Id": id("c"), "State": {"Pid": 2, "Status": "exited"}, "Of": {id("d"): {"Name": "x"}}});
    assert_eq!(differences("s", &sim, &real), ["s: .State.Status: simulated \"running\", real \"exited\""]);
    let more =
        serde_json::json!({"Id": id("a"), "State": {"Pid": 1, "Status": "running"}, "Of": {id("b"): {"Name": "y"}}});
    assert_eq!(differences("s", &sim, &more), ["s: .Of[0].Name: simulated \"x\", real \"y\""]);
    assert_eq!(differences("s", &sim, &serde_json::json!({"Id": id("a")})).len(), 2);
}

//! What an engine says of a container, cut to size, still JSON, and without the values of environment variables.

use bollard::models::ContainerInspectResponse;
use common::model::evidence::{MAX_LINE, MAX_TEXT};
use serde_json::{Value, json};

/// What goes first when it is too much: least is learnt from it.
const DISPENSABLE: [&str; 12] = [
    "/GraphDriver",
    "/Config/Labels",
    "/HostConfig/MaskedPaths",
    "/HostConfig/ReadonlyPaths",
    "/Mounts",
    "/NetworkSettings",
    "/Config/Env",
    "/HostConfig",
    "/State/Health/Log",
    "/Args",
    "/Config",
    "/State/Health",
];

/// As JSON of at most [`MAX_TEXT`] bytes.
pub(super) fn text(seen: &ContainerInspectResponse) -> String {
    let mut value = serde_json::to_value(seen).unwrap_or_default();
    if let Some(Value::Array(variables)) = value.pointer_mut("/Config/Env") {
        variables.iter_mut().for_each(name_only);
    }
    let _ = shorten(&mut value);
    for pointer in DISPENSABLE {
        let text = value.to_string();
        if text.len() <= MAX_TEXT {
            return text;
        }
        drop_at(&mut value, pointer);
    }
    let text = value.to_string();
    if text.len() <= MAX_TEXT { text } else { missing("it is too long") }
}

/// What stands there when it is not to be had.
pub(super) fn missing(why: &str) -> String {
    let mut why = Value::String(why.to_owned());
    let _ = shorten(&mut why);
    json!({ "missing": why }).to_string()
}

/// `NAME=value` becomes `NAME`; what is no text becomes nothing.
fn name_only(variable: &mut Value) {
    let name = variable.as_str().and_then(|text| text.split('=').next()).unwrap_or_default();
    *variable = Value::String(name.to_owned());
}

/// Leaves out what says nothing, and the ends of long texts. Whether anything is left.
fn shorten(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => {
            text.truncate(text.floor_char_boundary(MAX_LINE));
            !text.is_empty()
        }
        Value::Array(items) => {
            items.retain_mut(shorten);
            !items.is_empty()
        }
        Value::Object(fields) => {
            fields.retain(|_, field| shorten(field));
            !fields.is_empty()
        }
    }
}

fn drop_at(value: &mut Value, pointer: &str) {
    let Some((parent, field)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(fields)) = value.pointer_mut(parent) {
        fields.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard::models::{ContainerConfig, ContainerState, Health, HealthcheckResult, MountPoint};

    use super::*;

    fn seen(env: Vec<String>) -> ContainerInspectResponse {
        ContainerInspectResponse {
            id: Some("abc".to_owned()),
            state: Some(ContainerState { exit_code: Some(137), oom_killed: Some(true), ..Default::default() }),
            config: Some(ContainerConfig { env: Some(env), image: Some("peer:1".to_owned()), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn of_environment_variables_the_names_stay_only() {
        let text = text(&seen(vec!["TOKEN=a=secret".to_owned(), "BARE".to_owned(), "EMPTY=".to_owned()]));
        assert!(!text.contains("secret"), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["Config"]["Env"], json!(["TOKEN", "BARE", "EMPTY"]));
        assert_eq!(value["State"], json!({"ExitCode": 137, "OOMKilled": true}));
        assert_eq!(value["Config"]["Image"], "peer:1");
    }

    #[test]
    fn too_much_loses_what_matters_least_and_stays_json() {
        let long = "€".repeat(5000);
        let mut much = seen((0..500).map(|n| format!("VARIABLE_{n}=x")).collect());
        much.mounts = Some(vec![MountPoint { source: Some(long.clone()), ..Default::default() }; 100]);
        much.args = Some(vec![long.clone(); 10]);
        let checks = vec![HealthcheckResult { output: Some(long.clone()), ..Default::default() }; 5];
        much.state.as_mut().unwrap().health = Some(Health { log: Some(checks), ..Default::default() });
        let labels = (0..300).map(|n| (format!("label-{n}"), long.clone())).collect::<HashMap<_, _>>();
        much.config.as_mut().unwrap().labels = Some(labels);
        let text = text(&much);
        assert!(text.len() <= MAX_TEXT, "{}", text.len());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["State"]["ExitCode"], &value["Config"]["Image"]), (&json!(137), &json!("peer:1")));
        assert!(value["State"]["Health"]["Log"][0]["Output"].as_str().unwrap().len() <= MAX_LINE);
    }

    #[test]
    fn the_reason_for_having_none_is_bounded_json_too() {
        let text = missing(&"\"€".repeat(1000));
        assert!(text.len() < 2 * MAX_LINE);
        assert!(serde_json::from_str::<Value>(&text).unwrap()["missing"].is_string());
    }
}

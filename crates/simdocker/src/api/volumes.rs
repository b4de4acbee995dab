//! Volumes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use super::filters::Filters;
use super::reply::{self, ReplyResult};
use crate::engine::Engine;
use crate::engine::volume::{Volume, VolumeRequest};
use crate::error::ApiError;

pub(crate) fn list(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let filters = Filters::of(call, &["dangling", "driver", "label", "name"])?;
    let state = engine.state();
    let list: Vec<Value> = state
        .volumes
        .values()
        .filter(|volume| {
            filters.labels(|name| volume.labels.as_ref()?.get(name))
                && filters.text("name", &[&volume.name])
                && filters.any("driver", |driver| driver == "local")
                && filters.any("dangling", |wanted| {
                    matches!(wanted, "true" | "1") == state.users_of_volume(&volume.name).is_empty()
                })
        })
        .map(show)
        .collect();
    drop(state);
    Ok(reply::json(200, &json!({"Volumes": list, "Warnings": null})))
}

pub(crate) fn inspect(engine: &Arc<Engine>, name: &str) -> ReplyResult {
    let state = engine.state();
    let volume = state.volumes.get(name).ok_or_else(|| ApiError::missing(format!("get {name}: no such volume")))?;
    let value = show(volume);
    drop(state);
    Ok(reply::json(200, &value))
}

pub(crate) fn create(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    Ok(reply::json(201, &show(&engine.create_volume(call.json::<VolumeRequest>()?)?)))
}

pub(crate) fn remove(engine: &Arc<Engine>, name: &str, call: &Call) -> ReplyResult {
    engine.remove_volume(name, call.is_set("force"))?;
    Ok(reply::empty(204))
}

fn show(volume: &Volume) -> Value {
    json!({
        "CreatedAt": volume.created.rfc3339_seconds(),
        "Driver": "local",
        "Labels": volume.labels,
        "Mountpoint": format!("/var/lib/docker/volumes/{}/_data", volume.name),
        "Name": volume.name,
        "Options": volume.options,
        "Scope": "local",
    })
}

//! Ping, version, info.

use std::sync::Arc;

use hyper::header::HeaderValue;
use serde_json::{Map, Value, json};

use super::reply::{self, Reply};
use crate::SimSwarm;
use crate::clock;
use crate::engine::Engine;
use crate::error::ApiError;

/// What is spoken.
pub(crate) const API: (u32, u32) = (1, 41);
/// The oldest that is understood.
pub(crate) const OLDEST_API: (u32, u32) = (1, 12);

const ENGINE: &str = "20.10.24";
const KERNEL: &str = "6.1.0-sim";
const BUILT: &str = "2023-04-04T00:00:00.000000000+00:00";

pub(crate) fn version_text((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

pub(crate) fn ping() -> Reply {
    let mut reply = reply::text(200, "OK");
    let headers = reply.headers_mut();
    headers.insert("cache-control", HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert("pragma", HeaderValue::from_static("no-cache"));
    reply
}

pub(crate) fn version() -> Reply {
    let (api, oldest) = (version_text(API), version_text(OLDEST_API));
    let engine = json!({
        "ApiVersion": api, "Arch": "amd64", "BuildTime": BUILT, "Experimental": "false", "GitCommit": "simulated",
        "GoVersion": "none", "KernelVersion": KERNEL, "MinAPIVersion": oldest, "Os": "linux",
    });
    reply::json(
        200,
        &json!({
            "Platform": {"Name": "simdocker"},
            "Components": [{"Name": "Engine", "Version": ENGINE, "Details": engine}],
            "Version": ENGINE, "ApiVersion": api, "MinAPIVersion": oldest, "GitCommit": "simulated",
            "GoVersion": "none", "Os": "linux", "Arch": "amd64", "KernelVersion": KERNEL, "BuildTime": BUILT,
        }),
    )
}

pub(crate) fn info(engine: &Arc<Engine>) -> Reply {
    let options = &engine.options;
    let state = engine.state();
    let count = |names: &[&str]| state.containers.values().filter(|c| names.contains(&c.state_name())).count();
    let own = json!({
        "ID": engine.id,
        "Containers": state.containers.len(),
        "ContainersRunning": count(&["running", "restarting"]),
        "ContainersPaused": count(&["paused"]),
        "ContainersStopped": count(&["created", "exited"]),
        "Images": state.images.present.len(),
        "SystemTime": clock::now().rfc3339(),
        "NEventsListener": engine.events.listeners(),
        "KernelVersion": KERNEL,
        "NCPU": options.cpus,
        "MemTotal": options.memory,
        "Name": options.name,
        "ServerVersion": ENGINE,
        "Swarm": swarm(engine),
    });
    drop(state);
    // The order of a real engine's answer, filled with what is this engine's own.
    let mut info: Map<String, Value> = serde_json::from_str(include_str!("blank_info.json")).unwrap_or_default();
    if let Value::Object(own) = own {
        info.extend(own);
    }
    reply::json(200, &Value::Object(info))
}

fn swarm(engine: &Engine) -> Value {
    let (state, is_manager) = match engine.options.swarm {
        SimSwarm::Inactive => {
            return json!({
                "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": "",
                "RemoteManagers": null,
            });
        }
        SimSwarm::Manager => ("active", true),
        SimSwarm::Worker => ("active", false),
    };
    let node = engine.id.replace(':', "").to_ascii_lowercase();
    let (node, cluster) = (node.get(..25).unwrap_or(&node), node.get(20..45).unwrap_or(&node));
    let address = engine.options.address.to_string();
    let mut swarm = json!({
        "NodeID": node, "NodeAddr": address, "LocalNodeState": state, "ControlAvailable": is_manager, "Error": "",
        "RemoteManagers": [{"NodeID": node, "Addr": format!("{address}:2377")}],
    });
    if is_manager && let Some(swarm) = swarm.as_object_mut() {
        swarm.insert("Nodes".to_owned(), 1.into());
        swarm.insert("Managers".to_owned(), 1.into());
        swarm.insert("Cluster".to_owned(), json!({"ID": cluster}));
    }
    swarm
}

/// What every call about a swarm's own objects gets.
pub(crate) fn no_swarm() -> ApiError {
    ApiError::new(
        503,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
    )
}

//! The list of containers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::container_inspect::{endpoint, mount_source};
use super::filters::Filters;
use super::human;
use super::reply::{self, ReplyResult};
use super::{Call, images};
use crate::clock;
use crate::engine::container::{Container, Life};
use crate::engine::{Engine, State, spec};
use crate::error::ApiError;

const FILTERS: [&str; 15] = [
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];
const STATES: [&str; 7] = ["created", "dead", "exited", "paused", "removing", "restarting", "running"];

pub(crate) fn list(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let filters = Filters::of(call, &FILTERS)?;
    if let Some(wrong) = filters.values("status").iter().find(|state| !STATES.contains(&state.as_str())) {
        return Err(ApiError::bad(format!("Invalid filter 'status={wrong}'")));
    }
    let limit = call.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let all = call.is_set("all") || limit.is_some() || filters.has("status") || filters.has("exited");
    let with_size = call.is_set("size");
    let state = engine.state();
    // The newest first.
    let found = state
        .containers
        .values()
        .rev()
        .filter(|container| all || container.counts_as_running())
        .filter(|container| matches(&state, container, &filters))
        .take(limit.unwrap_or(usize::MAX));
    let list: Vec<Value> = found.map(|container| entry(&state, container, with_size)).collect();
    drop(state);
    Ok(reply::json(200, &Value::Array(list)))
}

fn matches(state: &State, container: &Container, filters: &Filters) -> bool {
    let in_network = |wanted: &str| {
        container.endpoints.iter().any(|(name, endpoint)| {
            name == wanted || endpoint.network.as_ref().is_some_and(|network| network.starts_with(wanted))
        })
    };
    let of_image = |wanted: &str| state.images.find(wanted).is_some_and(|image| image.id == container.image_id);
    let mounted = |wanted: &str| container.mounts.iter().any(|mount| mount.name == wanted || mount.target == wanted);
    let exited = |wanted: &str| {
        matches!(container.life, Life::Exited) && wanted.parse().is_ok_and(|code: i64| code == container.exit_code)
    };
    let published = |wanted: &str| {
        let port = wanted.split('/').next().and_then(|port| port.parse().ok());
        container.run().is_some_and(|run| run.published.iter().any(|p| Some(p.host_port) == port))
    };
    let exposed = |wanted: &str| {
        let port = wanted.split('/').next().unwrap_or_default();
        container.spec.body.exposed_ports.iter().any(|exposed| exposed.split('/').next() == Some(port))
    };
    let health = container.health.as_ref().map_or("none", |health| health.status);
    filters.labels(|name| container.spec.body.labels.get(name))
        && filters.any("id", |id| container.id.starts_with(id))
        && filters.text("name", &[&container.name, &format!("/{}", container.name)])
        && filters.any("status", |status| status == container.state_name())
        && filters.any("network", in_network)
        && filters.any("ancestor", of_image)
        && filters.any("volume", mounted)
        && filters.any("exited", exited)
        && filters.any("publish", published)
        && filters.any("expose", exposed)
        && filters.any("health", |wanted| wanted == health)
        && filters.any("is-task", |wanted| !matches!(wanted, "true" | "1"))
        && filters.any("before", |other| made_before(state, container, other))
        && filters.any("since", |other| made_after(state, container, other))
}

fn made_before(state: &State, container: &Container, other: &str) -> bool {
    state.find(other).is_ok_and(|other| position(state, &container.id) < position(state, &other))
}

fn made_after(state: &State, container: &Container, other: &str) -> bool {
    state.find(other).is_ok_and(|other| position(state, &container.id) > position(state, &other))
}

fn position(state: &State, id: &str) -> Option<usize> {
    state.containers.get_index_of(id)
}

fn entry(state: &State, container: &Container, with_size: bool) -> Value {
    let command = images::command_of(state, container).join(" ");
    let networks: Map<String, Value> =
        container.endpoints.iter().map(|(name, e)| (name.clone(), endpoint(e, None))).collect();
    let mode = match container.spec.body.host_config.network_mode.as_ref() {
        "" => "default",
        mode => mode,
    };
    let mut entry = json!({
        "Id": &*container.id,
        "Names": [format!("/{}", container.name)],
        "Image": images::shown_name(state, container),
        "ImageID": &*container.image_id,
        "Command": command,
        "Created": container.created.seconds(),
        "Ports": ports(state, container),
    });
    let rest = json!({
        "Labels": images::labels_of(container),
        "State": container.state_name(),
        "Status": status(container),
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": networks},
        "Mounts": mounts(container),
    });
    if let (Value::Object(entry), Value::Object(rest)) = (&mut entry, rest) {
        if with_size {
            entry.insert("SizeRootFs".to_owned(), crate::engine::image::SIZE.into());
        }
        entry.extend(rest);
    }
    entry
}

/// `Up 3 seconds (healthy)`, `Exited (137) 2 minutes ago`, ...
fn status(container: &Container) -> String {
    let now = clock::now();
    let ago = |then: Option<clock::Moment>| human::duration(then.map_or(std::time::Duration::ZERO, |t| now.since(t)));
    match &container.life {
        Life::Created => "Created".to_owned(),
        Life::Running(_) => {
            let health = container.health.as_ref().map(|health| match health.status {
                "starting" => " (health: starting)".to_owned(),
                other => format!(" ({other})"),
            });
            format!("Up {}{}", ago(container.started_at), health.unwrap_or_default())
        }
        Life::Paused(_) => format!("Up {} (Paused)", ago(container.started_at)),
        Life::Restarting => format!("Restarting ({}) {} ago", container.exit_code, ago(container.finished_at)),
        Life::Exited => format!("Exited ({}) {} ago", container.exit_code, ago(container.finished_at)),
    }
}

fn ports(state: &State, container: &Container) -> Vec<Value> {
    let Some(run) = container.run() else { return Vec::new() };
    let mut ports = Vec::new();
    for text in images::ports_of(state, container) {
        let Ok((private, protocol)) = spec::port_and_protocol(&text) else { continue };
        let mut published =
            run.published.iter().filter(|p| p.container_port == private && p.protocol == protocol).peekable();
        if published.peek().is_none() {
            ports.push(json!({"PrivatePort": private, "Type": protocol}));
        }
        for port in published {
            for ip in super::container_inspect::shown_ips(port) {
                let public = port.host_port;
                ports.push(json!({"IP": ip, "PrivatePort": private, "PublicPort": public, "Type": protocol}));
            }
        }
    }
    ports
}

fn mounts(container: &Container) -> Vec<Value> {
    let entry = |mount: &crate::engine::container::Mount| {
        // A list leaves the source of a volume empty that only the image or `Volumes` asked for.
        let source = if mount.anonymous && mount.mode.is_empty() { String::new() } else { mount_source(mount) };
        let mut entry = Map::new();
        entry.insert("Type".to_owned(), mount.kind.as_str().into());
        if mount.kind == "volume" {
            entry.insert("Name".to_owned(), mount.name.as_str().into());
        }
        entry.insert("Source".to_owned(), source.into());
        entry.insert("Destination".to_owned(), mount.target.as_str().into());
        if mount.kind == "volume" {
            entry.insert("Driver".to_owned(), "local".into());
        }
        entry.insert("Mode".to_owned(), mount.mode.into());
        entry.insert("RW".to_owned(), mount.writable.into());
        entry.insert("Propagation".to_owned(), if mount.kind == "bind" { "rprivate" } else { "" }.into());
        Value::Object(entry)
    };
    container.mounts.iter().map(entry).collect()
}

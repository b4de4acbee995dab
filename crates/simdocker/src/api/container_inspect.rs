//! All about one container.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::images;
use super::reply::{self, ReplyResult};
use crate::clock::{Moment, NEVER};
use crate::engine::container::{Container, Endpoint, Life, Mount, Published};
use crate::engine::{Engine, State, spec};
use crate::ids;

const ROOT: &str = "/var/lib/docker";

pub(crate) fn inspect(engine: &Arc<Engine>, wanted: &str) -> ReplyResult {
    let state = engine.state();
    let id = state.find(wanted)?;
    let value = show(&state, state.container(&id)?);
    drop(state);
    Ok(reply::json(200, &value))
}

fn show(state: &State, container: &Container) -> Value {
    let given = container.spec.given();
    let id = &*container.id;
    let words = images::command_of(state, container);
    let (path, args) = words.split_first().map_or((String::new(), &[][..]), |(path, args)| (path.clone(), args));
    // Files that the engine makes when it starts a container.
    let file = |name: &str| match container.sandbox() {
        Some(_) => format!("{ROOT}/containers/{id}/{name}"),
        None => String::new(),
    };
    let layer = format!("{ROOT}/overlay2/{}", ids::of(id));
    let base = format!("{ROOT}/overlay2/{}", ids::of(&container.image_id));
    let mut host = images::host_config(&given);
    if container.spec.body.host_config.memory > 0 && container.spec.body.host_config.memory_swap == 0 {
        host.insert("MemorySwap".to_owned(), (container.spec.body.host_config.memory * 2).into());
    }
    json!({
        "Id": id,
        "Created": container.created.rfc3339(),
        "Path": path,
        "Args": args,
        "State": state_of(container),
        "Image": &*container.image_id,
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": file(&format!("{id}-json.log")),
        "Name": format!("/{}", container.name),
        "RestartCount": container.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": host,
        "GraphDriver": {
            "Data": {
                "LowerDir": format!("{layer}-init/diff:{base}/diff"), "MergedDir": format!("{layer}/merged"),
                "UpperDir": format!("{layer}/diff"), "WorkDir": format!("{layer}/work"),
            },
            "Name": "overlay2",
        },
        "Mounts": container.mounts.iter().map(mount).collect::<Vec<_>>(),
        "Config": images::config(state, container, &given),
        "NetworkSettings": network_settings(state, container),
    })
}

fn state_of(container: &Container) -> Value {
    let time = |moment: Option<Moment>| moment.map_or_else(|| NEVER.to_owned(), Moment::rfc3339);
    let mut state = json!({
        "Status": container.state_name(),
        "Running": container.counts_as_running(),
        "Paused": matches!(container.life, Life::Paused(_)),
        "Restarting": matches!(container.life, Life::Restarting),
        "OOMKilled": container.oom_killed,
        "Dead": false,
        "Pid": container.run().map_or(0, |run| run.pid),
        "ExitCode": container.exit_code,
        "Error": container.error,
        "StartedAt": time(container.started_at),
        "FinishedAt": time(container.finished_at),
    });
    if let (Some(health), Some(state)) = (&container.health, state.as_object_mut()) {
        let code = i64::from(health.failing_streak > 0);
        let log = health.checked_at.map(|at| {
            let at = at.rfc3339();
            json!({"Start": at, "End": at, "ExitCode": code, "Output": ""})
        });
        let log: Vec<Value> = log.into_iter().collect();
        let shown = json!({"Status": health.status, "FailingStreak": health.failing_streak, "Log": log});
        state.insert("Health".to_owned(), shown);
    }
    state
}

fn network_settings(state: &State, container: &Container) -> Value {
    let mut ports = Map::new();
    if let Some(run) = container.run() {
        for text in images::ports_of(state, container) {
            let Ok((private, protocol)) = spec::port_and_protocol(&text) else { continue };
            let bindings: Vec<Value> = run
                .published
                .iter()
                .filter(|port| port.container_port == private && port.protocol == protocol)
                .flat_map(|port| {
                    let public = port.host_port.to_string();
                    shown_ips(port).into_iter().map(move |ip| json!({"HostIp": ip, "HostPort": public}))
                })
                .collect();
            ports.insert(text, if bindings.is_empty() { Value::Null } else { bindings.into() });
        }
    }
    let sandbox = container.sandbox().unwrap_or_default();
    let key =
        if sandbox.is_empty() { String::new() } else { format!("/var/run/docker/netns/{}", ids::short(&sandbox)) };
    let networks: Map<String, Value> = container
        .endpoints
        .iter()
        .map(|(name, place)| (name.clone(), endpoint(place, place.request.aliases.as_deref())))
        .collect();
    // The legacy fields tell of the default network only.
    let default = container.endpoints.get("bridge").and_then(|endpoint| endpoint.live.as_ref());
    json!({
        "Bridge": "",
        "SandboxID": sandbox,
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": ports,
        "SandboxKey": key,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": default.map_or("", |live| &*live.id),
        "Gateway": default.map_or_else(String::new, |live| live.gateway.to_string()),
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": default.map_or_else(String::new, |live| live.ip.to_string()),
        "IPPrefixLen": default.map_or(0, |live| live.prefix),
        "IPv6Gateway": "",
        "MacAddress": default.map_or_else(String::new, |live| live.mac()),
        "Networks": networks,
    })
}

/// A place on a network; a list does not show aliases.
pub(super) fn endpoint(endpoint: &Endpoint, aliases: Option<&[String]>) -> Value {
    let live = endpoint.live.as_ref();
    json!({
        "IPAMConfig": endpoint.request.ipam_config,
        "Links": null,
        "Aliases": aliases,
        "NetworkID": endpoint.network.as_deref().unwrap_or_default(),
        "EndpointID": live.map_or("", |live| &*live.id),
        "Gateway": live.map_or_else(String::new, |live| live.gateway.to_string()),
        "IPAddress": live.map_or_else(String::new, |live| live.ip.to_string()),
        "IPPrefixLen": live.map_or(0, |live| live.prefix),
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": live.map_or_else(String::new, |live| live.mac()),
        "DriverOpts": null,
    })
}

/// A port that is published everywhere is shown for both families, as a real engine does.
pub(super) fn shown_ips(port: &Published) -> Vec<String> {
    if port.host_ip.is_unspecified() {
        vec!["0.0.0.0".to_owned(), "::".to_owned()]
    } else {
        vec![port.host_ip.to_string()]
    }
}

pub(super) fn mount_source(mount: &Mount) -> String {
    if mount.kind == "volume" { format!("{ROOT}/volumes/{}/_data", mount.name) } else { mount.source.clone() }
}

fn mount(mount: &Mount) -> Value {
    let (source, target, rw) = (mount_source(mount), &mount.target, mount.writable);
    match mount.kind.as_str() {
        "volume" => json!({
            "Type": "volume", "Name": mount.name, "Source": source, "Destination": target, "Driver": "local",
            "Mode": mount.mode, "RW": rw, "Propagation": "",
        }),
        kind => json!({
            "Type": kind, "Source": source, "Destination": target, "Mode": mount.mode, "RW": rw,
            "Propagation": if kind == "bind" { "rprivate" } else { "" },
        }),
    }
}

//! Images, and what a container takes from its image.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream;
use serde_json::{Map, Value, json};

use super::Call;
use super::filters::Filters;
use super::reply::{self, ReplyResult};
use crate::engine::container::Container;
use crate::engine::image::{Image, Pull, SIZE, with_tag};
use crate::engine::{Engine, State};
use crate::error::ApiError;
use crate::ids;

pub(crate) fn list(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let filters = Filters::of(call, &["before", "dangling", "label", "reference", "since"])?;
    let state = engine.state();
    let list: Vec<Value> = state
        .images
        .present
        .iter()
        .rev()
        .filter_map(|image| {
            let asked = |tag: &&String| filters.any("reference", |wanted| is_reference(wanted, tag));
            let tags: Vec<&String> = image.tags.iter().filter(asked).collect();
            let wanted = (!filters.has("reference") || !tags.is_empty())
                && filters.any("dangling", |wanted| matches!(wanted, "true" | "1") == image.tags.is_empty())
                && filters.labels(|name| image.what.labels.get(name).map(String::as_str));
            let labels = Some(&image.what.labels).filter(|labels| !labels.is_empty());
            wanted.then(|| {
                json!({
                    "Containers": -1, "Created": image.created.seconds(), "Id": &*image.id, "Labels": labels,
                    "ParentId": "", "RepoDigests": null, "RepoTags": tags, "SharedSize": -1, "Size": SIZE,
                    "VirtualSize": SIZE,
                })
            })
        })
        .collect();
    drop(state);
    Ok(reply::json(200, &Value::Array(list)))
}

/// `name` (any tag), `name:tag`, with stars for any text between slashes.
fn is_reference(wanted: &str, tag: &str) -> bool {
    let name = tag.rsplit_once(':').map_or(tag, |(name, _)| name);
    let pattern = format!("^{}$", regex::escape(wanted).replace(r"\*", "[^/]*"));
    let Ok(pattern) = regex::Regex::new(&pattern) else { return false };
    pattern.is_match(tag) || pattern.is_match(name)
}

pub(crate) fn inspect(engine: &Arc<Engine>, wanted: &str) -> ReplyResult {
    let state = engine.state();
    let missing = || ApiError::missing(format!("no such image: {wanted}: No such image: {wanted}"));
    let image = state.images.find(wanted).ok_or_else(missing)?.clone();
    drop(state);
    let config = image_config(&image);
    let layer = format!("/var/lib/docker/overlay2/{}", ids::of(&image.id));
    Ok(reply::json(
        200,
        &json!({
            "Id": &*image.id, "RepoTags": image.tags, "RepoDigests": [], "Parent": "", "Comment": "simulated",
            "Created": image.created.rfc3339(), "Container": "", "ContainerConfig": blank_config(),
            "DockerVersion": "20.10.24", "Author": "", "Config": config, "Architecture": "amd64", "Os": "linux",
            "Size": SIZE, "VirtualSize": SIZE,
            "GraphDriver": {
                "Data": {
                    "MergedDir": format!("{layer}/merged"), "UpperDir": format!("{layer}/diff"),
                    "WorkDir": format!("{layer}/work"),
                },
                "Name": "overlay2",
            },
            "RootFS": {"Type": "layers", "Layers": [format!("sha256:{}", ids::of(&layer))]},
            "Metadata": {"LastTagTime": image.tagged.rfc3339()},
        }),
    ))
}

pub(crate) fn pull(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let Some(name) = call.text("fromImage") else {
        return Err(ApiError::new(501, "importing an image is not simulated"));
    };
    let reference = match call.text("tag") {
        Some(digest) if digest.contains(':') => format!("{name}@{digest}"),
        Some(tag) => format!("{}:{tag}", name.strip_suffix(&format!(":{tag}")).unwrap_or(name)),
        None => with_tag(name),
    };
    let reference = reference.strip_prefix("docker.io/").map(str::to_owned).unwrap_or(reference);
    let (name, tag) = reference.rsplit_once(':').unwrap_or((&reference, "latest"));
    let repository = if name.contains('/') { name.to_owned() } else { format!("library/{name}") };
    let mut lines = vec![json!({"status": format!("Pulling from {repository}"), "id": tag})];
    let digest = json!({"status": format!("Digest: sha256:{}", ids::of(&reference))});
    let layer = ids::short(&ids::of(&repository)).to_owned();
    match engine.pull(&reference)? {
        Pull::UpToDate => {
            lines.push(digest);
            lines.push(json!({"status": format!("Status: Image is up to date for {reference}")}));
        }
        Pull::Downloaded => {
            lines.push(json!({"status": "Pulling fs layer", "progressDetail": {}, "id": layer}));
            lines.push(json!({
                "status": "Downloading", "progressDetail": {"current": SIZE, "total": SIZE},
                "progress": "[==================================================>]  4.03MB/4.03MB", "id": layer,
            }));
            lines.push(json!({"status": "Download complete", "progressDetail": {}, "id": layer}));
            lines.push(json!({"status": "Pull complete", "progressDetail": {}, "id": layer}));
            lines.push(digest);
            lines.push(json!({"status": format!("Status: Downloaded newer image for {reference}")}));
        }
        Pull::BreaksMidway(message) => {
            lines.push(json!({"status": "Pulling fs layer", "progressDetail": {}, "id": layer}));
            lines.push(json!({"errorDetail": {"message": message}, "error": message}));
        }
    }
    Ok(reply::json_stream(stream::iter(lines.into_iter().map(|line| format!("{line}\r\n")))))
}

pub(crate) fn tag(engine: &Arc<Engine>, wanted: &str, call: &Call) -> ReplyResult {
    let repository = call.text("repo").unwrap_or_default();
    let tag = call.text("tag").map_or_else(|| with_tag(repository), |tag| format!("{repository}:{tag}"));
    engine.tag_image(wanted, &tag)?;
    Ok(reply::empty(201))
}

pub(crate) fn remove(engine: &Arc<Engine>, wanted: &str, call: &Call) -> ReplyResult {
    let gone = engine.remove_image(wanted, call.is_set("force"))?;
    let list: Vec<Value> = gone.into_iter().map(|(what, name)| json!({ what: name })).collect();
    Ok(reply::json(200, &Value::Array(list)))
}

fn image_of<'a>(state: &'a State, container: &Container) -> Option<&'a Image> {
    state.images.present.iter().find(|image| image.id == container.image_id)
}

/// The name that a list shows: the reference, or the id once that name is gone or means another image.
pub(super) fn shown_name(state: &State, container: &Container) -> String {
    let named = state.images.find(&container.image).is_some_and(|image| image.id == container.image_id);
    if named { container.image.to_string() } else { container.image_id.to_string() }
}

pub(super) fn labels_of(container: &Container) -> Value {
    json!(container.spec.body.labels)
}

/// Entry point and command, the container's before the image's.
pub(super) fn command_of(state: &State, container: &Container) -> Vec<String> {
    let image = image_of(state, container);
    let body = &container.spec.body;
    let own_entrypoint = body.entrypoint.clone().filter(|words| !words.is_empty());
    let own_command = body.cmd.clone().filter(|words| !words.is_empty());
    let of_image = |words: fn(&Image) -> &Vec<String>| image.map(|image| words(image).clone()).unwrap_or_default();
    // An entry point of its own leaves the image's command behind.
    let command = match (&own_entrypoint, own_command) {
        (_, Some(command)) => command,
        (Some(_), None) => Vec::new(),
        (None, None) => of_image(|image| &image.what.command),
    };
    let entrypoint = own_entrypoint.unwrap_or_else(|| of_image(|image| &image.what.entrypoint));
    entrypoint.into_iter().chain(command).collect()
}

/// `7050/tcp`, ...: what it exposes or publishes, in order.
pub(super) fn ports_of(state: &State, container: &Container) -> BTreeSet<String> {
    let body = &container.spec.body;
    let of_image = image_of(state, container).map(|image| image.what.exposed.clone()).unwrap_or_default();
    let own = body
        .exposed_ports
        .iter()
        .chain(body.host_config.port_bindings.iter().map(|(port, _)| port))
        .map(ToString::to_string);
    own.chain(of_image).map(|port| if port.contains('/') { port } else { format!("{port}/tcp") }).collect()
}

/// `Config` of a container: what it was given, over what its image has.
pub(super) fn config(state: &State, container: &Container, given: &Map<String, Value>) -> Value {
    let image = image_of(state, container).map(|image| image.what.clone());
    let mut config = blank_config();
    let Some(map) = config.as_object_mut() else { return config };
    map.insert("Hostname".to_owned(), ids::short(&container.id).into());
    for (key, value) in given {
        if !matches!(key.as_str(), "HostConfig" | "NetworkingConfig") && !value.is_null() {
            map.insert(key.clone(), value.clone());
        }
    }
    let body = &container.spec.body;
    if let Some(image) = image {
        let mut env: Vec<String> = body.env.iter().map(|pair| pair.to_string()).collect();
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let given: Vec<String> = env.iter().map(|pair| name(pair)).collect();
        env.extend(image.environment.iter().filter(|pair| !given.contains(&name(pair))).cloned());
        if !env.is_empty() {
            map.insert("Env".to_owned(), env.into());
        }
        let has_own_entrypoint = body.entrypoint.as_ref().is_some_and(|words| !words.is_empty());
        if !has_own_entrypoint && !image.entrypoint.is_empty() {
            map.insert("Entrypoint".to_owned(), image.entrypoint.clone().into());
        }
        if body.cmd.as_ref().is_none_or(Vec::is_empty) && !has_own_entrypoint && !image.command.is_empty() {
            map.insert("Cmd".to_owned(), image.command.clone().into());
        }
        for (key, of_image) in [("User", &image.user), ("StopSignal", &image.stop_signal)] {
            if !of_image.is_empty() && map.get(key).is_none_or(|own| own == "") {
                map.insert(key.to_owned(), of_image.as_str().into());
            }
        }
        let exposed = merged(&body.exposed_ports, &image.exposed);
        if !exposed.is_empty() {
            map.insert("ExposedPorts".to_owned(), exposed.into());
        }
        let volumes = merged(&body.volumes, &image.volumes);
        if !volumes.is_empty() {
            map.insert("Volumes".to_owned(), volumes.into());
        }
    }
    map.insert("Image".to_owned(), container.image.to_string().into());
    map.insert("Labels".to_owned(), labels_of(container));
    config
}

/// `HostConfig` of a container: what it was given, over what holds otherwise.
pub(super) fn host_config(given: &Map<String, Value>) -> Map<String, Value> {
    let mut config = blank_host_config();
    let Some(Value::Object(host)) = given.get("HostConfig") else { return config };
    for (key, value) in host {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("NetworkMode", Value::String(mode)) if mode.is_empty() => {}
            ("LogConfig" | "RestartPolicy", Value::Object(part)) => {
                if let Some(Value::Object(whole)) = config.get_mut(key) {
                    let said = part.iter().filter(|(_, value)| !value.is_null() && *value != "");
                    whole.extend(said.map(|(key, value)| (key.clone(), value.clone())));
                }
            }
            _ => {
                config.insert(key.clone(), value.clone());
            }
        }
    }
    config
}

/// A set as Docker writes it: names to nothing.
fn merged(own: &[impl AsRef<str>], more: &[String]) -> Map<String, Value> {
    let all = own.iter().map(AsRef::as_ref).chain(more.iter().map(String::as_str));
    all.map(|key| (key.to_owned(), json!({}))).collect()
}

fn image_config(image: &Image) -> Value {
    let set = |names: &[String]| match names {
        [] => Value::Null,
        names => names.iter().map(|name| (name.clone(), json!({}))).collect::<Map<_, _>>().into(),
    };
    let list = |words: &[String]| if words.is_empty() { Value::Null } else { words.into() };
    let mut config = blank_config();
    if let Some(map) = config.as_object_mut() {
        if !image.what.exposed.is_empty() {
            map.insert("ExposedPorts".to_owned(), set(&image.what.exposed));
        }
        map.insert("User".to_owned(), image.what.user.as_str().into());
        if !image.what.stop_signal.is_empty() {
            map.insert("StopSignal".to_owned(), image.what.stop_signal.as_str().into());
        }
        if !image.what.labels.is_empty() {
            map.insert("Labels".to_owned(), json!(image.what.labels));
        }
        map.insert("Env".to_owned(), list(&image.what.environment));
        map.insert("Cmd".to_owned(), list(&image.what.command));
        map.insert("Volumes".to_owned(), set(&image.what.volumes));
        map.insert("Entrypoint".to_owned(), list(&image.what.entrypoint));
    }
    config
}

fn blank_config() -> Value {
    json!({
        "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false,
        "AttachStderr": false, "Tty": false, "OpenStdin": false, "StdinOnce": false, "Env": null, "Cmd": null,
        "Image": "", "Volumes": null, "WorkingDir": "", "Entrypoint": null, "OnBuild": null, "Labels": null,
    })
}

/// What a real engine shows of a container that was asked for nothing special.
fn blank_host_config() -> Map<String, Value> {
    serde_json::from_str(include_str!("blank_host_config.json")).unwrap_or_default()
}

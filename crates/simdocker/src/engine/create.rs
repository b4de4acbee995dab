//! Making a container: checks in Docker's order and words, then its record, volumes and places on networks.

use std::sync::Arc;

use indexmap::IndexMap;

use super::container::{Container, Endpoint, Life, Mount};
use super::logs::Logs;
use super::spec::{self, MountRequest, Spec};
use super::trouble::Need;
use super::{Engine, State};
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};

/// Docker's least.
const LEAST_MEMORY: i64 = 6 << 20;

impl Engine {
    /// Makes a container; `name` as it was asked for.
    pub(crate) fn create_container(&self, name: Option<&str>, raw: &str) -> ApiResult<Id> {
        let spec = Spec::parse(raw)?;
        let mut state = self.state();
        self.create_in(&mut state, name, spec)
    }

    pub(super) fn create_in(&self, state: &mut State, name: Option<&str>, mut spec: Spec) -> ApiResult<Id> {
        self.check(&spec)?;
        let wanted_image = spec.body.image.clone();
        let image = state.images.find(&wanted_image);
        let image = image.ok_or_else(|| ApiError::missing(format!("No such image: {wanted_image}")))?.clone();
        if spec.body.cmd.as_ref().is_none_or(Vec::is_empty)
            && spec.body.entrypoint.as_ref().is_none_or(Vec::is_empty)
            && image.what.command.is_empty()
            && image.what.entrypoint.is_empty()
        {
            return Err(ApiError::bad("No command specified"));
        }
        let name = match name.map(|name| name.strip_prefix('/').unwrap_or(name)).filter(|name| !name.is_empty()) {
            Some(name) => Arc::<str>::from(name),
            None => ids::pet_name().into(),
        };
        check_name(&name)?;
        if let Some(other) = state.names.get(&name) {
            return Err(ApiError::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{other}\". You have to remove (or rename) that container to be able to reuse that name."
            )));
        }
        if !image.what.labels.is_empty() {
            let mut labels = image.what.labels.clone();
            labels.extend(spec.body.labels.to_map());
            spec.body.labels = labels.into();
        }
        let id = ids::fresh();
        state.needs_disk(Need::Container(&id))?;
        let mounts = self.mounts(state, &spec, &image.what.volumes)?;
        let container = Container {
            id: id.clone(),
            name: name.clone(),
            created: clock::now(),
            image: wanted_image,
            image_id: image.id.clone(),
            behaviour: image.what.behaviour,
            life: Life::Created,
            generation: 0,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            oom_killed: false,
            error: String::new(),
            restart_count: 0,
            streak: 0,
            stopped_by_hand: false,
            endpoints: endpoints(state, &mut spec),
            mounts,
            logs: Logs::default(),
            health: None,
            peer: None,
            die_after: None,
            parent: None,
            spec,
        };
        self.events.container(&container, "create", Vec::new());
        state.names.insert(name, id.clone());
        state.containers.insert(id.clone(), container);
        Ok(id)
    }

    /// What is wrong with a request whatever else is there.
    fn check(&self, spec: &Spec) -> ApiResult<()> {
        let (body, host) = (&spec.body, &spec.body.host_config);
        if body.image.is_empty() && body.cmd.is_none() && body.entrypoint.is_none() {
            return Err(ApiError::bad("Config cannot be empty in order to create a container"));
        }
        for (port, bindings) in &host.port_bindings {
            spec::port_and_protocol(port)?;
            for binding in bindings {
                let text = &binding.host_port;
                let first = text.split('-').next().unwrap_or_default();
                if !text.is_empty() && first.parse::<u16>().is_err() {
                    return Err(ApiError::bad(format!("invalid port specification: \"{text}\"")));
                }
            }
        }
        if host.memory != 0 && host.memory < LEAST_MEMORY {
            return Err(ApiError::bad("Minimum memory limit allowed is 6MB"));
        }
        if host.memory > 0 && host.memory_swap > 0 && host.memory_swap < host.memory {
            return Err(ApiError::bad("Minimum memoryswap limit should be larger than memory limit, see usage"));
        }
        let cpus = i64::from(self.options.cpus);
        if host.nano_cpus < 0 || host.nano_cpus > cpus * 1_000_000_000 {
            return Err(ApiError::bad(format!(
                "Range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
            )));
        }
        let policy = host.restart_policy.name.as_str();
        if !matches!(policy, "" | "no" | "always" | "unless-stopped" | "on-failure") {
            return Err(ApiError::bad(format!("invalid restart policy '{policy}'")));
        }
        if matches!(policy, "no" | "always" | "unless-stopped") && host.restart_policy.maximum_retry_count != 0 {
            return Err(ApiError::bad(format!("maximum retry count cannot be used with restart policy '{policy}'")));
        }
        if host.auto_remove && !matches!(policy, "" | "no") {
            return Err(ApiError::bad("can't create 'AutoRemove' container with restart policy"));
        }
        let joined = &body.networking_config.endpoints_config;
        if joined.len() > 1 {
            let names: Vec<&str> = joined.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("Container cannot be connected to network endpoints: {}", names.join(", "));
            return Err(ApiError::bad(message));
        }
        for mount in &host.mounts {
            check_mount(mount)?;
        }
        Ok(())
    }

    /// What is mounted; volumes that are not there are made.
    fn mounts(&self, state: &mut State, spec: &Spec, of_image: &[String]) -> ApiResult<Vec<Mount>> {
        let mut mounts: Vec<Mount> = Vec::new();
        for bind in &spec.body.host_config.binds {
            mounts.push(from_bind(bind)?);
        }
        for request in &spec.body.host_config.mounts {
            let anonymous = request.kind == "volume" && request.source.is_empty();
            let is_volume = request.kind == "volume";
            let name = if anonymous { ids::fresh().to_string() } else { request.source.clone() };
            mounts.push(Mount {
                kind: request.kind.clone(),
                name: if is_volume { name } else { String::new() },
                source: if is_volume { String::new() } else { request.source.clone() },
                target: request.target.clone(),
                mode: if is_volume { "z" } else { "" },
                writable: !request.read_only,
                anonymous,
            });
        }
        for target in spec.body.volumes.iter().chain(of_image) {
            if !mounts.iter().any(|mount| mount.target == *target) {
                mounts.push(Mount {
                    kind: "volume".to_owned(),
                    name: ids::fresh().to_string(),
                    source: String::new(),
                    target: target.clone(),
                    mode: "",
                    writable: true,
                    anonymous: true,
                });
            }
        }
        for mount in mounts.iter().filter(|mount| mount.kind == "volume") {
            super::volume::check_name(&mount.name)?;
            let asked = spec.body.host_config.mounts.iter().find(|request| request.target == mount.target);
            let options = asked.and_then(|request| request.volume_options.as_ref());
            self.volume(state, &mount.name, options.and_then(|options| options.labels.clone()), None);
        }
        Ok(mounts)
    }
}

fn check_name(name: &str) -> ApiResult<()> {
    let mut letters = name.chars();
    let starts_well = letters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    if starts_well && name.len() > 1 && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) {
        return Ok(());
    }
    Err(ApiError::bad(format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")))
}

fn check_mount(mount: &MountRequest) -> ApiResult<()> {
    let kind = &mount.kind;
    let wrong = |why: String| ApiError::bad(format!("invalid mount config for type \"{kind}\": {why}"));
    if !matches!(kind.as_str(), "volume" | "bind" | "tmpfs") {
        return Err(ApiError::bad(format!("mount type unknown: \"{kind}\"")));
    }
    if mount.target.is_empty() {
        return Err(wrong("field Target must not be empty".to_owned()));
    }
    if !mount.target.starts_with('/') {
        return Err(wrong(format!("invalid mount path: '{}' mount path must be absolute", mount.target)));
    }
    if kind == "bind" && mount.source.is_empty() {
        return Err(wrong("field Source must not be empty".to_owned()));
    }
    Ok(())
}

/// `volume:/path[:ro]` or `/host/path:/path[:ro]`.
fn from_bind(text: &str) -> ApiResult<Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts.as_slice() {
        [source, target] => (*source, *target, ""),
        [source, target, mode] => (*source, *target, *mode),
        _ => return Err(ApiError::bad(format!("invalid volume specification: '{text}'"))),
    };
    if !target.starts_with('/') {
        let message = format!(
            "invalid volume specification: '{text}': invalid mount config for type \"volume\": invalid mount path: '{target}' mount path must be absolute"
        );
        return Err(ApiError::bad(message));
    }
    let is_volume = !source.starts_with('/');
    Ok(Mount {
        kind: if is_volume { "volume" } else { "bind" }.to_owned(),
        name: if is_volume { source.to_owned() } else { String::new() },
        source: if is_volume { String::new() } else { source.to_owned() },
        target: target.to_owned(),
        mode: if mode == "ro" { "ro" } else { "z" },
        writable: mode != "ro",
        anonymous: false,
    })
}

/// The networks of a new container. They need not be there yet: a start looks for them.
fn endpoints(state: &State, spec: &mut Spec) -> IndexMap<String, Endpoint> {
    let asked = std::mem::take(&mut spec.body.networking_config.endpoints_config);
    // A network may be given by its id; its name is what the container keeps.
    let name_of = |wanted: &str| match wanted {
        "" | "default" => "bridge".to_owned(),
        wanted => {
            let id = state.find_network_to_join(wanted).ok();
            let found = id.and_then(|id| state.networks.get(&id));
            found.map_or_else(|| wanted.to_owned(), |network| network.name.clone())
        }
    };
    if asked.is_empty() {
        return IndexMap::from([(name_of(&spec.body.host_config.network_mode), Endpoint::default())]);
    }
    let place = |(name, request): (String, _)| (name_of(&name), Endpoint { request, ..Endpoint::default() });
    let mut all: IndexMap<_, _> = asked.into_iter().map(place).collect();
    all.shrink_to_fit();
    all
}

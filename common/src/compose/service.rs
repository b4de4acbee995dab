//! One service of a compose file, its short and long forms brought to one.

use std::collections::BTreeMap;
use std::time::Duration;

use compose_spec::service::{Command, Hostname};
use indexmap::IndexMap;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::at::At;
use super::{
    ComposeError, Condition, NetworkSpec, Placement, RestartPolicy, ServiceSpec, VolumeSpec, fields, health, image,
    limits, logging, mounts, names, ports, resolve,
};
use crate::model::NodeName;

/// What a service may refer to.
pub(super) struct Around<'a> {
    pub placement: &'a Placement,
    pub nodes: &'a [NodeName],
    pub networks: &'a [NetworkSpec],
    pub volumes: &'a [VolumeSpec],
}

/// What Docker waits before it kills, when nobody says.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Given to every container by Docker anyway, so that after `cap_drop: [ALL]` some of them can be had back and
/// nothing beyond. Of Docker's own list those are left out that reach past the container's files and processes.
const HARMLESS_CAPS: [&str; 8] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// Options that take rights away, or say what holds anyway.
const SECURITY_OPTIONS: [&str; 6] = [
    "no-new-privileges",
    "no-new-privileges:true",
    "apparmor:docker-default",
    "apparmor=docker-default",
    "seccomp:builtin",
    "seccomp=builtin",
];

/// Reads a service.
pub(super) fn read(node: &NodeName, at: &At<'_>, around: &Around<'_>) -> Result<ServiceSpec, ComposeError> {
    fields::of_service(at)?;
    let limits = limits::read(at)?;
    let (mounts, tmpfs) = mounts::read(at, around.volumes)?;
    let container_name = names::container(&around.placement.project, node.as_str())?;
    let mut service = ServiceSpec {
        node: node.clone(),
        image: image::read(&at.needed("image")?)?,
        command: at.field("command").map_or(Ok(Vec::new()), |at| words(&at))?,
        entrypoint: at.field("entrypoint").map(|at| words(&at)).transpose()?,
        environment: environment(at)?,
        ports: ports::read(at, around.placement)?,
        networks: networks(node, at, around.networks)?,
        mounts,
        depends_on: depends_on(at, around.nodes)?,
        restart: at.field("restart").map_or(Ok(RestartPolicy::No), |at| restart(&at))?,
        memory: limits.memory,
        memory_swap: limits.memory_swap,
        nano_cpus: limits.nano_cpus,
        pids_limit: limits.pids,
        logging: logging::read(at, &around.placement.log_target, &container_name)?,
        container_name,
        security_opt: security_opt(at)?,
        cap_drop: capabilities(at, "cap_drop")?,
        cap_add: capabilities(at, "cap_add")?,
        read_only: at.field("read_only").map_or(Ok(false), |at| at.flag())?,
        tmpfs,
        init: at.field("init").map_or(Ok(false), |at| at.flag())?,
        user: at.field("user").map(|at| at.text()).transpose()?,
        working_dir: at.field("working_dir").map(|at| mounts::absolute(&at)).transpose()?,
        hostname: at.field("hostname").map(|at| at.read::<Hostname>()).transpose()?.map(|name| name.to_string()),
        labels: resolve::labels(at)?,
        healthcheck: at.field("healthcheck").map(|at| health::read(&at)).transpose()?,
        stop_signal: at.field("stop_signal").map(|at| signal(&at)).transpose()?,
        stop_grace: at.field("stop_grace_period").map_or(Ok(STOP_GRACE), |at| at.duration())?,
        config_hash: String::new(),
    };
    let content = serde_json::to_vec(&service).unwrap_or_default();
    service.config_hash = hex::encode(Sha256::digest(content));
    Ok(service)
}

/// The pairs of a map, or of a list of `KEY<separator>value`; a key alone has no value.
pub(super) fn pairs(at: &At<'_>, separator: &str) -> Result<IndexMap<String, Option<String>>, ComposeError> {
    let mut all = IndexMap::new();
    if at.value.is_array() {
        for item in at.items()? {
            let Value::String(text) = item.value else { return item.refuse("must be a text like KEY=value") };
            let (key, value) = match text.split_once(separator) {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (text.as_str(), None),
            };
            if key.is_empty() || all.insert(key.to_owned(), value).is_some() {
                return item.refuse(format!("{key:?} is empty or there twice"));
            }
        }
        return Ok(all);
    }
    for (key, at) in at.entries()? {
        all.insert(key.to_owned(), if at.value.is_null() { None } else { Some(at.text()?) });
    }
    Ok(all)
}

fn environment(at: &At<'_>) -> Result<IndexMap<String, String>, ComposeError> {
    let Some(listed) = at.field("environment") else { return Ok(IndexMap::new()) };
    let mut all = IndexMap::new();
    for (key, value) in pairs(&listed, "=")? {
        // Compose would look into the environment it runs in; ours is no tenant's business.
        let Some(value) = value else {
            return listed.refuse(format!("{key} has no value; write {key}: \"\" or ${{{key}}}"));
        };
        all.insert(key, value);
    }
    Ok(all)
}

/// A command as a list, or as a text that is split as a shell would.
fn words(at: &At<'_>) -> Result<Vec<String>, ComposeError> {
    match at.read::<Command>()? {
        Command::List(words) => Ok(words),
        Command::String(line) => {
            shlex::split(&line).map_or_else(|| at.refuse("has a quote or a backslash without its end"), Ok)
        }
    }
}

fn networks(
    node: &NodeName,
    at: &At<'_>,
    declared: &[NetworkSpec],
) -> Result<IndexMap<String, Vec<String>>, ComposeError> {
    let own = || vec![node.to_string()];
    let mut all = IndexMap::new();
    if let Some(listed) = at.field("networks") {
        let known = |key: &str, at: &At<'_>| {
            let there = key == names::DEFAULT_NETWORK || declared.iter().any(|network| network.key == key);
            if there { Ok(()) } else { at.refuse(format!("there is no network {key:?} at the top of the file")) }
        };
        if listed.value.is_array() {
            for item in listed.items()? {
                let key = item.text()?;
                known(&key, &item)?;
                all.insert(key, own());
            }
        } else {
            for (key, at) in listed.entries()? {
                known(key, &at)?;
                at.only(&["aliases"])?;
                let mut aliases = own();
                if let Some(list) = at.field("aliases") {
                    for alias in list.items()? {
                        let text = alias.text()?;
                        if !aliases.contains(&text) {
                            aliases.push(text);
                        }
                    }
                }
                all.insert(key.to_owned(), aliases);
            }
        }
    }
    if all.is_empty() {
        all.insert(names::DEFAULT_NETWORK.to_owned(), own());
    }
    Ok(all)
}

fn depends_on(at: &At<'_>, nodes: &[NodeName]) -> Result<BTreeMap<NodeName, Condition>, ComposeError> {
    let Some(listed) = at.field("depends_on") else { return Ok(BTreeMap::new()) };
    let node = |name: &str, at: &At<'_>| {
        let known = nodes.iter().find(|node| node.as_str() == name).cloned();
        known.map_or_else(|| at.refuse(format!("there is no service {name:?}")), Ok)
    };
    let mut all = BTreeMap::new();
    if listed.value.is_array() {
        for item in listed.items()? {
            all.insert(node(&item.text()?, &item)?, Condition::Started);
        }
        return Ok(all);
    }
    for (name, at) in listed.entries()? {
        at.only(&["condition", "required", "restart"])?;
        if let Some(required) = at.field("required").filter(|at| at.flag() != Ok(true)) {
            return required.refuse("must be true: every service of a template is started");
        }
        if let Some(restart) = at.field("restart").filter(|at| at.flag() != Ok(false)) {
            return restart.refuse("must be false: a node is restarted by itself");
        }
        let condition = at.needed("condition")?;
        let parsed = match condition.text()?.as_str() {
            "service_started" => Condition::Started,
            "service_healthy" => Condition::Healthy,
            "service_completed_successfully" => Condition::CompletedSuccessfully,
            _ => {
                return condition.refuse("must be service_started, service_healthy or service_completed_successfully");
            }
        };
        all.insert(node(name, &at)?, parsed);
    }
    Ok(all)
}

fn restart(at: &At<'_>) -> Result<RestartPolicy, ComposeError> {
    let text = at.text()?;
    let policy = match text.as_str() {
        "no" => Some(RestartPolicy::No),
        "always" => Some(RestartPolicy::Always),
        "unless-stopped" => Some(RestartPolicy::UnlessStopped),
        "on-failure" => Some(RestartPolicy::OnFailure(0)),
        other => other.strip_prefix("on-failure:").and_then(|n| n.parse().ok()).map(RestartPolicy::OnFailure),
    };
    policy.map_or_else(|| at.refuse("must be \"no\", always, on-failure, on-failure:3 or unless-stopped"), Ok)
}

fn security_opt(at: &At<'_>) -> Result<Vec<String>, ComposeError> {
    let Some(listed) = at.field("security_opt") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for item in listed.items()? {
        let text = item.text()?;
        if !SECURITY_OPTIONS.contains(&text.as_str()) {
            return item.refuse(format!("is not carried out here; there are: {}", SECURITY_OPTIONS.join(", ")));
        }
        all.push(text);
    }
    Ok(all)
}

fn capabilities(at: &At<'_>, key: &str) -> Result<Vec<String>, ComposeError> {
    let Some(listed) = at.field(key) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for item in listed.items()? {
        let name = item.text()?.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name).to_owned();
        if key == "cap_add" && !HARMLESS_CAPS.contains(&name.as_str()) {
            return item.refuse(format!("would let a tenant reach the host; there are: {}", HARMLESS_CAPS.join(", ")));
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
            return item.refuse("is no name of a capability");
        }
        all.push(name);
    }
    Ok(all)
}

fn signal(at: &At<'_>) -> Result<String, ComposeError> {
    let text = at.text()?;
    let word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'+');
    if word { Ok(text) } else { at.refuse("must be a signal like SIGTERM") }
}

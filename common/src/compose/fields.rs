//! Which fields of a compose file are carried out, and why the others are refused.
//!
//! Held against the file itself and not against a parser's types: a field that a parser does not know would pass
//! in silence.

use super::ComposeError;
use super::at::At;

/// Of the file. `version` says nothing any more, but many files begin with it.
const FILE: [&str; 5] = ["version", "services", "networks", "volumes", "x-poolmanager"];

/// Of a service.
const SERVICE: [&str; 31] = [
    "cap_add",
    "cap_drop",
    "command",
    "cpu_period",
    "cpu_quota",
    "cpus",
    "depends_on",
    "deploy",
    "entrypoint",
    "environment",
    "extends",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "labels",
    "logging",
    "mem_limit",
    "memswap_limit",
    "networks",
    "pids_limit",
    "ports",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "user",
    "volumes",
    "working_dir",
];

const NETWORK: [&str; 3] = ["driver", "internal", "labels"];
const VOLUME: [&str; 2] = ["driver", "labels"];

const HOST: &str = "would let a tenant reach the host";
const OUTSIDE: &str = "would tie clusters to something that outlives them, and to each other";
const SLOT: &str = "names follow from the slot, so that clusters do not meet";
const ELSEWHERE: &str = "is a file beside the template, and a template is one file";

/// Refuses every field of the file's top level that is not carried out.
pub(super) fn of_file(at: &At<'_>) -> Result<(), ComposeError> {
    check(at, &FILE, |key| match key {
        "name" => SLOT,
        "configs" | "secrets" | "include" => ELSEWHERE,
        _ => "",
    })
}

/// Refuses every field of a service that is not carried out.
pub(super) fn of_service(at: &At<'_>) -> Result<(), ComposeError> {
    check(at, &SERVICE, |key| match key {
        "privileged"
        | "devices"
        | "device_cgroup_rules"
        | "pid"
        | "ipc"
        | "uts"
        | "cgroup"
        | "cgroup_parent"
        | "userns_mode"
        | "sysctls"
        | "runtime"
        | "credential_spec"
        | "oom_score_adj"
        | "oom_kill_disable"
        | "group_add"
        | "gpus" => HOST,
        "network_mode" => "every service is on networks of the cluster's own",
        "external_links" | "volumes_from" => OUTSIDE,
        "links" => "is not needed: services find each other by name; depends_on orders their starts",
        "expose" => "has no effect: services of one network reach all ports of each other",
        "build" => "images are pulled, never built; name one in image",
        "configs" | "secrets" | "env_file" | "label_file" => ELSEWHERE,
        "profiles" => "every service of a template is started; leave one out by a tera if",
        "container_name" => SLOT,
        "scale" => "one service is one node; write a tera loop",
        _ => "",
    })
}

/// Refuses every field of a network that is not carried out.
pub(super) fn of_network(at: &At<'_>) -> Result<(), ComposeError> {
    check(at, &NETWORK, |key| match key {
        "external" => OUTSIDE,
        "name" => SLOT,
        "ipam" => "subnets follow from the slot, so that clusters do not meet",
        "driver_opts" => HOST,
        _ => "",
    })
}

/// Refuses every field of a volume that is not carried out.
pub(super) fn of_volume(at: &At<'_>) -> Result<(), ComposeError> {
    check(at, &VOLUME, |key| match key {
        "external" => OUTSIDE,
        "name" => SLOT,
        "driver_opts" => HOST,
        _ => "",
    })
}

fn check(at: &At<'_>, carried_out: &[&str], why: fn(&str) -> &'static str) -> Result<(), ComposeError> {
    for (key, field) in at.entries()? {
        // By Compose's own rule a field beginning with `x-` is a note.
        if carried_out.contains(&key) || key.starts_with("x-") {
            continue;
        }
        return match why(key) {
            "" => field.refuse("is not carried out here; leave it out"),
            why => field.refuse(format!("is not carried out here: {why}")),
        };
    }
    Ok(())
}

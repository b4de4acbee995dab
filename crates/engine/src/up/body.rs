//! A service as the engine's API wants it.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType,
    MountVolumeOptions, NetworkingConfig, PortBinding, PortMap, RestartPolicy as EngineRestart, RestartPolicyNameEnum,
};
use common::compose::{ContainerPort, HealthCheck, MountSpec, Project, Protocol, RestartPolicy, ServiceSpec};

use super::images::ImageVolumes;
use super::networks::Networks;
use crate::{EngineError, Ownership};

/// The body that makes the container of a service. It is put on the first of its networks only: engines before 25 take
/// no more at once, so the others follow by [`endpoint`].
pub(super) fn container(
    project: &Project,
    service: &ServiceSpec,
    owner: &Ownership,
    networks: &Networks,
    image_volumes: &ImageVolumes,
) -> Result<ContainerCreateBody, EngineError> {
    let first = service.networks.first();
    let first = first.map(|(key, aliases)| Ok((network_id(service, key, networks)?, aliases))).transpose()?;
    let of_image = image_volumes.get(&service.image).map(Vec::as_slice).unwrap_or_default();
    let own = service.mounts.iter().cloned().chain(unmounted(service, of_image));
    let mounts = own.map(|spec| mount(project, service, &spec, owner)).collect::<Result<_, _>>()?;
    Ok(ContainerCreateBody {
        image: Some(service.image.clone()),
        cmd: (!service.command.is_empty()).then(|| service.command.clone()),
        entrypoint: service.entrypoint.clone(),
        env: Some(service.environment.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        labels: Some(owner.on_container(project, service)),
        hostname: service.hostname.clone(),
        user: service.user.clone(),
        working_dir: service.working_dir.clone(),
        stop_signal: service.stop_signal.clone(),
        stop_timeout: Some(i64::try_from(service.stop_grace.as_secs()).unwrap_or(i64::MAX)),
        healthcheck: service.healthcheck.as_ref().map(health),
        exposed_ports: Some(service.ports.iter().map(port_key).collect()),
        host_config: Some(HostConfig {
            network_mode: Some(first.as_ref().map_or_else(|| "none".to_owned(), |(id, _)| id.clone())),
            mounts: Some(mounts),
            ..host(service)
        }),
        networking_config: first
            .map(|(id, aliases)| NetworkingConfig { endpoints_config: Some(HashMap::from([(id, endpoint(aliases))])) }),
        ..Default::default()
    })
}

/// What does not depend on others.
fn host(service: &ServiceSpec) -> HostConfig {
    HostConfig {
        port_bindings: Some(bindings(&service.ports)),
        restart_policy: Some(restart(service.restart)),
        memory: service.memory,
        memory_swap: service.memory_swap,
        nano_cpus: service.nano_cpus,
        pids_limit: service.pids_limit,
        log_config: Some(HostConfigLogConfig {
            typ: Some(service.logging.driver.clone()),
            config: Some(service.logging.options.clone().into_iter().collect()),
        }),
        security_opt: Some(service.security_opt.clone()),
        cap_drop: Some(service.cap_drop.clone()),
        cap_add: Some(service.cap_add.clone()),
        readonly_rootfs: Some(service.read_only),
        tmpfs: Some(service.tmpfs.clone().into_iter().collect()),
        init: Some(service.init),
        privileged: Some(false),
        ..Default::default()
    }
}

/// How a container is known on a network.
pub(super) fn endpoint(aliases: &[String]) -> EndpointSettings {
    EndpointSettings { aliases: Some(aliases.to_vec()), ..Default::default() }
}

/// The engine's id of a network of the project: an id cannot mean another's network, as a name could.
pub(super) fn network_id(service: &ServiceSpec, key: &str, networks: &Networks) -> Result<String, EngineError> {
    networks.get(key).map(|network| network.id.clone()).ok_or_else(|| unknown(service, "network", key))
}

/// The volumes that an image declares and the service mounts nothing at. Asked for one by one, because those that an engine
/// makes by itself have no labels: they would be lost when somebody removes the container without them.
fn unmounted<'a>(service: &'a ServiceSpec, of_image: &'a [String]) -> impl Iterator<Item = MountSpec> + 'a {
    let place = |path: &'a str| path.trim_end_matches('/');
    let taken = move |path: &str| {
        let mounts = service.mounts.iter().map(|mount| match mount {
            MountSpec::Volume { target, .. } | MountSpec::Anonymous { target } => target.as_str(),
        });
        mounts.chain(service.tmpfs.keys().map(String::as_str)).any(|target| place(target) == path)
    };
    let free = of_image.iter().filter(move |path| !taken(place(path)));
    free.map(|target| MountSpec::Anonymous { target: target.clone() })
}

/// A volume brings its labels along. A named one, because an engine makes a volume that it does not find, and one that somebody
/// removed a moment ago would come back without an owner; an anonymous one, because it can be found by nothing else.
fn mount(project: &Project, service: &ServiceSpec, spec: &MountSpec, owner: &Ownership) -> Result<Mount, EngineError> {
    let (key, target, read_only) = match spec {
        MountSpec::Volume { key, target, read_only } => (Some(key), target, *read_only),
        MountSpec::Anonymous { target } => (None, target, false),
    };
    let find = |key: &String| project.volumes.iter().find(|volume| volume.key == *key);
    let volume = key.map(|key| find(key).ok_or_else(|| unknown(service, "volume", key))).transpose()?;
    let labels = match volume {
        Some(volume) => owner.on_volume(project, volume),
        None => owner.on_anonymous_volume(project),
    };
    Ok(Mount {
        typ: Some(MountType::VOLUME),
        source: volume.map(|volume| volume.name.clone()),
        target: Some(target.clone()),
        read_only: read_only.then_some(true),
        volume_options: Some(MountVolumeOptions { labels: Some(labels), ..Default::default() }),
        ..Default::default()
    })
}

fn unknown(service: &ServiceSpec, kind: &str, key: &str) -> EngineError {
    EngineError::Refused {
        what: format!("service {}", service.node),
        status: 0,
        message: format!("its {kind} {key} is not one of the project's"),
    }
}

fn port_key(port: &ContainerPort) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{}/{protocol}", port.container_port)
}

fn bindings(ports: &[ContainerPort]) -> PortMap {
    let mut map = PortMap::new();
    for port in ports {
        let binding =
            PortBinding { host_ip: Some(port.host_ip.to_string()), host_port: Some(port.host_port.to_string()) };
        map.entry(port_key(port)).or_default().get_or_insert_default().push(binding);
    }
    map
}

fn restart(policy: RestartPolicy) -> EngineRestart {
    use RestartPolicyNameEnum as Name;
    let (name, retries) = match policy {
        RestartPolicy::No => (Name::NO, None),
        RestartPolicy::Always => (Name::ALWAYS, None),
        RestartPolicy::OnFailure(retries) => (Name::ON_FAILURE, Some(i64::from(retries))),
        RestartPolicy::UnlessStopped => (Name::UNLESS_STOPPED, None),
    };
    EngineRestart { name: Some(name), maximum_retry_count: retries }
}

fn health(check: &HealthCheck) -> HealthConfig {
    let nanos = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
    HealthConfig {
        test: Some(check.test.clone()),
        interval: check.interval.map(nanos),
        timeout: check.timeout.map(nanos),
        retries: check.retries,
        start_period: check.start_period.map(nanos),
        start_interval: None,
    }
}

#[cfg(test)]
#[path = "body_test.rs"]
mod tests;

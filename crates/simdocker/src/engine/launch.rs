//! One start of a container's process: networks, ports, volumes, then the process; or an error and nothing held.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use fabricsim::{Peer, PeerConfig, UnixNanos};
use rand::RngExt;

use super::container::{Container, Life, Published, Run};
use super::death::Death;
use super::health::Health;
use super::logs::Stream;
use super::member::join;
use super::process::Process;
use super::trouble::Need;
use super::{Engine, State, spec};
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};
use crate::image::Behaviour;
use crate::ports::{Listening, PeerPort};

/// Where an engine takes a host port from when none was asked for: the kernel's ephemeral range.
const RANDOM_PORTS: std::ops::Range<u16> = 32768..60999;

/// Docker's exit code of a container that could not be started.
const START_FAILED: i64 = 128;

impl Engine {
    /// Starts the process of a container that has none. A container whose start fails keeps the reason.
    pub(super) fn launch(&self, state: &mut State, id: &Id) -> ApiResult<()> {
        let bad_setting = prepare_peer(state.container_mut(id)?).err();
        let names: Vec<String> = state.container(id)?.endpoints.keys().cloned().collect();
        let room = state.needs_disk(Need::Start);
        let joined = room.and_then(|()| names.iter().try_for_each(|name| join(state, id, name)));
        let process = process_of(state, id)?;
        let published = joined.and_then(|()| self.publish(state, id, &process));
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                for name in &names {
                    self.leave(state, id, name);
                }
                let container = state.container_mut(id)?;
                for mount in container.mounts.iter().filter(|mount| mount.kind == "volume") {
                    self.events.volume(&mount.name, "unmount", vec![("container", id.to_string())]);
                }
                container.exit_code = START_FAILED;
                container.error.clone_from(&error.message);
                if matches!(container.life, Life::Restarting) {
                    container.life = Life::Exited;
                }
                return Err(error);
            }
        };
        for name in &names {
            self.tell_joined(state, id, name);
        }
        let container = state.container_mut(id)?;
        container.generation += 1;
        container.started_at = Some(clock::now());
        container.exit_code = 0;
        container.oom_killed = false;
        container.error.clear();
        let pid = rand::rng().random_range(1000..4_000_000);
        container.life = Life::Running(Run { pid, process, published });
        container.health = Health::at_start(container);
        say_hello(container, bad_setting.as_deref());
        container.logs.shrink();
        for mount in container.mounts.iter().filter(|mount| mount.kind == "volume") {
            let more = vec![
                ("container", id.to_string()),
                ("destination", mount.target.clone()),
                ("propagation", String::new()),
                ("read/write", mount.writable.to_string()),
            ];
            self.events.volume(&mount.name, "mount", more);
        }
        self.events.container(container, "start", Vec::new());
        let generation = container.generation;
        if container.health.is_some() {
            self.watch_health(id, generation);
        }
        if let Some((after, code)) = end_of(container, bad_setting.is_some()) {
            self.end_later(id, generation, after, code);
        }
        if wants_chaincode(container) {
            self.start_chaincode(state, id);
        }
        self.touch();
        Ok(())
    }

    /// A process that will end by itself.
    pub(crate) fn end_later(&self, id: &Id, generation: u64, after: Duration, code: i64) {
        let id = id.clone();
        self.later(after, move |engine| {
            let mut state = engine.state();
            let lives = state.containers.get(&id).is_some_and(|c| c.generation == generation && c.run().is_some());
            if lives {
                engine.die(&mut state, &id, code, Death::ByItself);
            }
        });
    }

    /// Takes the host's ports for a container.
    fn publish(&self, state: &State, id: &Id, process: &Arc<Process>) -> ApiResult<Vec<Published>> {
        let container = state.container(id)?;
        let mut published: Vec<Published> = Vec::new();
        for (port, bindings) in &container.spec.body.host_config.port_bindings {
            let (container_port, protocol) = spec::port_and_protocol(port)?;
            let protocol = if protocol == "udp" { "udp" } else { "tcp" };
            for binding in bindings {
                let host_ip = spec::binding_ip(&binding.host_ip);
                let wanted: u16 = binding.host_port.split('-').next().and_then(|text| text.parse().ok()).unwrap_or(0);
                let clash = |port: u16| {
                    let meets = |other: &Published| {
                        other.host_port == port
                            && other.protocol == protocol
                            && (other.host_ip == host_ip || other.host_ip.is_unspecified() || host_ip.is_unspecified())
                    };
                    let of_others = state.containers.values().filter_map(Container::run).flat_map(|run| &run.published);
                    of_others.chain(&published).any(meets)
                };
                let fail = |why: String| {
                    let endpoint = container.endpoints.values().find_map(|e| Some(e.live.as_ref()?.id.clone()));
                    let endpoint = endpoint.unwrap_or_else(ids::fresh);
                    let name = &container.name;
                    ApiError::broken(format!(
                        "driver failed programming external connectivity on endpoint {name} ({endpoint}): {why}"
                    ))
                };
                let listen = |port: u16| -> std::io::Result<Option<Listening>> {
                    if state.is_down || protocol == "udp" {
                        return Ok(None);
                    }
                    self.listen(process, container_port, port).map(Some)
                };
                let (host_port, listening) = if wanted == 0 {
                    RANDOM_PORTS
                        .filter(|port| !clash(*port))
                        .find_map(|port| Some((port, listen(port).ok()?)))
                        .ok_or_else(|| fail("Bind for 0.0.0.0:0 failed: all ports are allocated".to_owned()))?
                } else if clash(wanted) {
                    return Err(fail(format!("Bind for {host_ip}:{wanted} failed: port is already allocated")));
                } else {
                    let foreign = |_| {
                        fail(format!(
                            "Error starting userland proxy: listen tcp4 {host_ip}:{wanted}: bind: address already in use"
                        ))
                    };
                    (wanted, listen(wanted).map_err(foreign)?)
                };
                published.push(Published { container_port, protocol, host_ip, host_port, listening });
            }
        }
        published.shrink_to_fit();
        Ok(published)
    }

    /// Listens on one port of the host's own address.
    pub(super) fn listen(&self, process: &Arc<Process>, container_port: u16, port: u16) -> std::io::Result<Listening> {
        let target = Arc::new(PeerPort { process: process.clone(), container_port });
        self.options.ports.listen(SocketAddrV4::new(self.options.address, port), target)
    }
}

/// Makes the peer of a container whose image is one, at its first start. The error is a setting that cannot be used.
fn prepare_peer(container: &mut Container) -> Result<(), String> {
    if !matches!(container.behaviour, Behaviour::Peer | Behaviour::ChaincodeStarter) || container.peer.is_some() {
        return Ok(());
    }
    let pairs = container.spec.body.env.iter().filter_map(|pair| pair.split_once('='));
    let config = PeerConfig::from_env(pairs).map_err(|bad| bad.to_string())?;
    let now = UnixNanos(u64::try_from(clock::now().0).unwrap_or_default());
    container.peer = Some(Arc::new(Peer::new(config, now)));
    Ok(())
}

fn process_of(state: &State, id: &Id) -> ApiResult<Arc<Process>> {
    let container = state.container(id)?;
    let place = container.endpoints.values().find_map(|endpoint| {
        let ip: Ipv4Addr = endpoint.live.as_ref()?.ip;
        Some((state.networks.get(endpoint.network.as_ref()?)?.mesh.clone(), ip))
    });
    Ok(Process::new(container.behaviour, place.filter(|_| container.peer.is_some())))
}

fn say_hello(container: &mut Container, bad_setting: Option<&str>) {
    let now = clock::now();
    if let Some(why) = bad_setting {
        container.logs.add(now, Stream::Err, &format!("fabricsim: {why}"));
    } else if let Some(peer) = &container.peer {
        let (id, height) = (peer.config().id.clone(), peer.height());
        let own = container.addresses().next().map_or_else(String::new, |(_, ip)| format!("{ip}:7051"));
        let line =
            format!("INFO {id} serves REST on 0.0.0.0:7050 and other peers as {own}; its ledger has {height} blocks");
        container.logs.add(now, Stream::Err, &line);
    }
    for (variable, stream) in [("SIMDOCKER_STDOUT", Stream::Out), ("SIMDOCKER_STDERR", Stream::Err)] {
        let text = container.spec.env(variable).map(str::to_owned);
        for line in text.iter().flat_map(|text| text.lines()) {
            container.logs.add(now, stream, line);
        }
    }
}

/// When and how its process ends by itself.
fn end_of(container: &mut Container, has_bad_setting: bool) -> Option<(Duration, i64)> {
    if has_bad_setting {
        return Some((Duration::ZERO, 1));
    }
    if let Some(fault) = container.die_after.take() {
        return Some(fault);
    }
    let code = container.spec.env("SIMDOCKER_EXIT_CODE").and_then(|text| text.parse().ok());
    let after = container.spec.env_millis("SIMDOCKER_EXIT_AFTER_MS");
    if let Some(first) = container.spec.env("SIMDOCKER_EXIT_FROM_START").and_then(|text| text.parse::<u64>().ok()) {
        return (container.generation >= first).then_some((after.unwrap_or_default(), code.unwrap_or(1)));
    }
    if let Some(after) = after {
        return Some((after, code.unwrap_or(0)));
    }
    match container.behaviour {
        Behaviour::Exits { after, code: of_image } => Some((after, code.unwrap_or(of_image))),
        Behaviour::Peer | Behaviour::ChaincodeStarter | Behaviour::Idle => None,
    }
}

fn wants_chaincode(container: &Container) -> bool {
    container.peer.is_some()
        && (container.behaviour == Behaviour::ChaincodeStarter
            || container.spec.env("SIMDOCKER_CHAINCODE").is_some_and(|value| value != "0"))
}

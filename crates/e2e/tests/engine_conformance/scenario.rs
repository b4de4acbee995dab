//! The scenario: what a host goes through, with every answer written down.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use bollard::models::{
    HostConfig, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest, PortBinding, VolumeCreateRequest,
};
use bollard::query_parameters::{
    InspectContainerOptions, InspectNetworkOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, TagImageOptionsBuilder,
};
use common::compose::Project;
use common::model::{NodeName, NodeState, Slot};
use e2e::pool::{PATIENCE, PEER_IMAGE};
use e2e::wait::wait_until;
use engine::{EngineError, EngineEvent, EventStream, FoundContainer, UpLimits};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::place::Place;
use crate::project::{Elsewhere, free, network_name, node, project, volume_name};

/// What was asked, and what was answered.
pub type Answers = Vec<(&'static str, Value)>;

const GRACE: Duration = Duration::from_secs(5);

pub(crate) fn said<T: Debug>(answer: Result<T, EngineError>) -> Value {
    match answer {
        Ok(value) => json!(format!("{value:?}")),
        Err(error) => json!({"error": format!("{error:?}"), "says": error.to_string()}),
    }
}

/// Tells it all. The order of what happens is the same everywhere, so the answers can be laid side by side.
pub async fn tell(place: &Place) -> Answers {
    let mut told = Teller { place, answers: Vec::new() };
    told.introduce().await;
    let mut events = place.engine.events(&place.names.pool).await.unwrap();
    let ids = told.bring_up().await;
    told.look_at_everything(&ids).await;
    told.handle_a_node(&ids[&node("vp1")]).await;
    told.follow_a_log(&ids[&node("vp1")]).await;
    told.events_of(&mut events, &ids[&node("vp1")]).await;
    told.live_beside_others().await;
    told.fail_in_every_way().await;
    told.gather_evidence().await;
    told.lose_a_container(&ids[&node("vp1")]).await;
    told.take_down(&mut events).await;
    told.clear_strangers().await;
    told.answers
}

pub(crate) struct Teller<'a> {
    pub(crate) place: &'a Place,
    answers: Answers,
}

impl Teller<'_> {
    pub(crate) fn note(&mut self, step: &'static str, answer: Value) {
        self.answers.push((step, answer));
    }

    async fn introduce(&mut self) {
        let engine = &self.place.engine;
        let info = engine.info().await.unwrap();
        let plausible = !info.id.is_empty() && !info.name.is_empty() && info.cpus > 0 && info.memory > 1 << 20;
        self.note("info", json!({"kind": format!("{:?}", info.kind), "plausible": plausible}));
        self.note("ping", said(engine.ping().await));
        let survey = engine.survey(&self.place.names.pool, &self.place.names.layout).await.unwrap();
        self.note("survey of an empty host", json!({"ours": survey.ours.len(), "blocked": survey.blocked.len()}));
        self.note("no nodes", said(engine.nodes(&self.place.names.pool, &self.place.names.cluster).await));
    }

    async fn up(&self, project: &Project) -> Result<BTreeMap<NodeName, String>, EngineError> {
        let engine = &self.place.engine;
        engine.up(project, &self.place.names.owner(), &UpLimits::default(), &free, &|_| {}).await
    }

    async fn bring_up(&mut self) -> BTreeMap<NodeName, String> {
        let project = project(self.place);
        let progress = Mutex::new(BTreeSet::new());
        let report = |step| {
            progress.lock().unwrap().insert(format!("{step:?}"));
        };
        let owner = self.place.names.owner();
        let limits = UpLimits::default();
        let ids = self.place.engine.up(&project, &owner, &limits, &free, &report).await.unwrap();
        self.note("up: progress", json!(progress.into_inner().unwrap()));
        self.note("up: nodes", json!(ids.keys().map(|node| node.as_str()).collect::<Vec<_>>()));
        let again = self.up(&project).await.unwrap();
        self.note("up again: same containers", json!(again == ids));
        let mut changed = project.clone();
        changed.services[1].config_hash = "another".to_owned();
        let anew = self.up(&changed).await.unwrap();
        let kept = |name: &str| anew[&node(name)] == ids[&node(name)];
        self.note("up with a changed service: kept", json!([kept("vp0"), kept("vp1")]));
        anew
    }

    async fn look_at_everything(&mut self, ids: &BTreeMap<NodeName, String>) {
        let (names, docker) = (&self.place.names, &self.place.docker);
        let survey = self.place.engine.survey(&names.pool, &names.layout).await.unwrap();
        let ours: Vec<_> = survey.ours.iter().map(|cluster| format!("{cluster:#?}")).collect();
        self.note("survey", json!({"ours": ours, "blocked": survey.blocked.len()}));
        self.note("nodes", said(self.place.engine.nodes(&names.pool, &names.cluster).await));
        for (step, name) in [("inspect vp0", "vp0"), ("inspect vp1", "vp1")] {
            let seen = docker.inspect_container(&ids[&node(name)], None::<InspectContainerOptions>).await.unwrap();
            self.note(step, serde_json::to_value(seen).unwrap());
        }
        let labelled = HashMap::from([("label", vec![format!("com.docker.compose.project={}", names.prefix)])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&labelled).build();
        let list = docker.list_containers(Some(options)).await.unwrap();
        self.note("list of containers", serde_json::to_value(list).unwrap());
        let options = ListNetworksOptionsBuilder::default().filters(&labelled).build();
        let networks = docker.list_networks(Some(options)).await.unwrap();
        let id = networks[0].id.clone().unwrap();
        self.note("list of networks", serde_json::to_value(networks).unwrap());
        let network = docker.inspect_network(&id, None::<InspectNetworkOptions>).await.unwrap();
        self.note("inspect network", serde_json::to_value(network).unwrap());
        let options = ListVolumesOptionsBuilder::default().filters(&labelled).build();
        let volumes = docker.list_volumes(Some(options)).await.unwrap();
        self.note("list of volumes", serde_json::to_value(volumes).unwrap());
    }

    async fn handle_a_node(&mut self, vp1: &str) {
        let (engine, docker) = (&self.place.engine, &self.place.docker);
        self.note("stop", said(engine.stop_node(vp1, GRACE, &free).await));
        self.note("stopped", self.node("vp1").await);
        self.note("stop again", said(engine.stop_node(vp1, GRACE, &free).await));
        self.note("start", said(engine.start_node(vp1, &free).await));
        self.note("start again", said(engine.start_node(vp1, &free).await));
        self.note("restart", said(engine.restart_node(vp1, GRACE, &free).await));
        self.note("restarted", self.node("vp1").await);
        docker.pause_container(vp1).await.unwrap();
        self.note("paused", self.node("vp1").await);
        self.note("start a paused one", said(engine.start_node(vp1, &free).await));
        self.note("goes on", self.node("vp1").await);
        docker.pause_container(vp1).await.unwrap();
        self.note("restart a paused one", said(engine.restart_node(vp1, GRACE, &free).await));
        self.note("restarted from a pause", self.node("vp1").await);
        let kill = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        docker.kill_container(vp1, Some(kill)).await.unwrap();
        self.until("vp1", NodeState::Exited).await;
        self.note("killed from outside", self.node("vp1").await);
        self.note("start a killed one", said(engine.start_node(vp1, &free).await));

        let lines = wait_until("a line in the log", PATIENCE, || async {
            let lines = engine.logs(vp1, 100).await.unwrap();
            if lines.is_empty() { Err("no line".to_owned()) } else { Ok(lines) }
        });
        let whole = lines.await.iter().all(|line| line.at.parse::<jiff::Timestamp>().is_ok());
        let last = engine.logs(vp1, 1).await.unwrap();
        self.note("logs", json!({"every line has its time": whole, "the last one": last.len()}));
        let stats = engine.stats(vp1).await.unwrap();
        let plausible = stats.cpus > 0 && stats.pids > 0 && stats.memory > 0 && !stats.cpu_of_host.is_zero();
        self.note("stats", json!({"limit": stats.memory_limit, "plausible": plausible}));
        let later = wait_until("time to go by on the machine", PATIENCE, || async {
            let later = engine.stats(vp1).await.unwrap();
            if later.cpu_of_host > stats.cpu_of_host { Ok(later) } else { Err(format!("{later:?}")) }
        });
        let share = later.await.cpu_since(&stats);
        self.note("stats later", json!({"a share of the machine": (0.0..=64.0).contains(&share)}));
    }

    /// Hears what is there and what comes, to the end of the container, and again of one that has ended.
    async fn follow_a_log(&mut self, vp1: &str) {
        let engine = &self.place.engine;
        let mut lines = engine.follow_logs(vp1, 1).await.unwrap();
        let first = tokio::time::timeout(PATIENCE, lines.next()).await.unwrap().unwrap().unwrap();
        self.note("followed", json!({"a time": first.at.parse::<jiff::Timestamp>().is_ok()}));
        let stop = engine.stop_node(vp1, GRACE, &free);
        let rest = tokio::time::timeout(PATIENCE, lines.collect::<Vec<_>>());
        let (stopped, rest) = tokio::join!(stop, rest);
        self.note("stop a followed one", said(stopped));
        self.note("the log ends with it", json!(rest.unwrap().iter().all(Result::is_ok)));
        let past = tokio::time::timeout(PATIENCE, engine.follow_logs(vp1, 2).await.unwrap().collect::<Vec<_>>());
        self.note("the log of one that ended", json!(past.await.unwrap().len()));
        self.note("start it again", said(engine.start_node(vp1, &free).await));
    }

    async fn found(&self, name: &str) -> FoundContainer {
        let names = &self.place.names;
        let found = self.place.engine.nodes(&names.pool, &names.cluster).await.unwrap();
        found.into_iter().find(|container| container.node == Some(node(name))).unwrap()
    }

    async fn node(&self, name: &str) -> Value {
        json!(format!("{:#?}", self.found(name).await))
    }

    async fn until(&self, name: &str, state: NodeState) {
        wait_until("the node's state", PATIENCE, || async {
            let found = self.found(name).await;
            if found.state == state { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    }

    /// What the stream told about a container up to its last start.
    async fn events_of(&mut self, events: &mut EventStream, container: &str) {
        let mut kinds = Vec::new();
        let starts = 6; // up, start, restart, restart from a pause, after the kill, after its log was followed
        while kinds.iter().filter(|kind| *kind == "Start").count() < starts {
            let event = next(events, &kinds).await;
            if event.id == container {
                kinds.push(format!("{:?}", event.kind));
            }
        }
        self.note("events of vp1", json!(kinds));
    }

    async fn live_beside_others(&mut self) {
        let (names, docker) = (&self.place.names, &self.place.docker);
        let net = network_name(self.place);
        let on = |network: &str| HostConfig { network_mode: Some(network.to_owned()), ..Default::default() };
        let chaincode = format!("{}-vp0-00ff", names.cluster);
        let tag = TagImageOptionsBuilder::default().repo(&chaincode).tag("latest").build();
        docker.tag_image(PEER_IMAGE, Some(tag)).await.unwrap();
        let id = self.place.stranger(&chaincode, on(&net)).await;
        self.place.start_stranger(&id).await;
        let guest = self.place.stranger(&format!("{}-guest", names.prefix), on("bridge")).await;
        self.place.start_stranger(&guest).await;
        let join = NetworkConnectRequest { container: guest, endpoint_config: None };
        docker.connect_network(&net, join).await.unwrap();
        let survey = self.place.engine.survey(&names.pool, &names.layout).await.unwrap();
        let cluster = &survey.ours[0];
        let containers: Vec<_> = cluster.containers.iter().map(|c| (&c.name, &c.node)).collect();
        self.note("chaincode and a guest", json!({"containers": format!("{containers:?}"), "guests": cluster.guests}));
    }

    /// Each in a slot of its own, beside the cluster that runs.
    async fn fail_in_every_way(&mut self) {
        let (names, docker) = (&self.place.names, &self.place.docker);
        let nobody = "0".repeat(64);
        self.note("start nobody", said(self.place.engine.start_node(&nobody, &free).await));
        self.note("stop nobody", said(self.place.engine.stop_node(&nobody, GRACE, &free).await));
        self.note("logs of nobody", said(self.place.engine.logs(&nobody, 1).await));
        self.note("follow nobody", said(self.place.engine.follow_logs(&nobody, 1).await));
        self.note("stats of nobody", said(self.place.engine.stats(&nobody).await));

        let other = Elsewhere::of(self.place, 1);
        let mut project = other.project.clone();
        project.services[0].image = format!("127.0.0.1:{}/no/such:1", other.port(19));
        let missing = match other.up(&project).await {
            Err(EngineError::ImageMissing { image, .. }) => json!({"missing": image}),
            unexpected => json!(format!("{unexpected:?}")),
        };
        self.note("up: image missing", missing);

        let id = self.place.stranger(&other.project.services[0].container_name, HostConfig::default()).await;
        self.note("up: container name taken", said(other.up(&other.project).await));
        other.down().await;
        remove(self.place, &id).await;

        let volume = VolumeCreateRequest { name: Some(other.project.volumes[0].name.clone()), ..Default::default() };
        docker.create_volume(volume).await.unwrap();
        self.note("up: volume name taken", said(other.up(&other.project).await));
        other.down().await;
        docker
            .remove_volume(&other.project.volumes[0].name, None::<bollard::query_parameters::RemoveVolumeOptions>)
            .await
            .unwrap();

        let network = |name: &str, slot| {
            let subnet = names.layout.subnet(Slot(slot)).map(|subnet| subnet.to_string());
            let config = Some(vec![IpamConfig { subnet, ..Default::default() }]);
            let ipam = Some(Ipam { config, ..Default::default() });
            NetworkCreateRequest { name: name.to_owned(), ipam, ..Default::default() }
        };
        let taken = docker.create_network(network(&other.project.networks[0].name, 2)).await.unwrap();
        self.note("up: network name taken", said(other.up(&other.project).await));
        other.down().await;
        docker.remove_network(&taken.id).await.unwrap();
        let taken = docker.create_network(network(&format!("{}-lab", names.prefix), 1)).await.unwrap();
        self.note("up: subnet taken", said(other.up(&other.project).await));
        let survey = self.place.engine.survey(&names.pool, &names.layout).await.unwrap();
        self.note("blocked by a subnet", json!(format!("{:?}", survey.blocked)));
        other.down().await;
        docker.remove_network(&taken.id).await.unwrap();

        let published = published(self.place.bind, other.port(0));
        let id = self.place.stranger(&format!("{}-web", names.prefix), published).await;
        self.place.start_stranger(&id).await;
        self.note("up: port taken", said(other.up(&other.project).await));
        let survey = self.place.engine.survey(&names.pool, &names.layout).await.unwrap();
        self.note("blocked by a port", json!(format!("{:?}", survey.blocked)));
        other.down().await;
        remove(self.place, &id).await;
    }

    async fn take_down(&mut self, events: &mut EventStream) {
        let (names, engine) = (&self.place.names, &self.place.engine);
        let prefixes = [format!("{}-", names.cluster)];
        let removed = engine.down(&names.pool, &names.cluster, &prefixes, &free).await;
        self.note("down", said(removed));
        self.note("down again", said(engine.down(&names.pool, &names.cluster, &prefixes, &free).await));
        let survey = engine.survey(&names.pool, &names.layout).await.unwrap();
        self.note("survey after down", json!(format!("{:?}", survey.ours)));
        let guest = format!("{}-guest", names.prefix);
        let seen = self.place.docker.inspect_container(&guest, None::<InspectContainerOptions>).await.unwrap();
        let networks = seen.network_settings.unwrap().networks.unwrap();
        let running = seen.state.unwrap().running;
        self.note("the guest", json!({"runs": running, "networks": networks.keys().collect::<Vec<_>>()}));
        // Containers go in any order; what is told of them, of the network and of the volume is the same.
        let mut told = BTreeSet::new();
        let (network, volume) = (network_name(self.place), volume_name(self.place));
        let all = [network.clone(), volume.clone(), format!("{}_vp0", names.prefix), format!("{}_vp1", names.prefix)];
        while !all.iter().all(|name| told.contains(&format!("{name} is gone"))) {
            let event = next(events, &told).await;
            let gone = format!("{:?}", event.kind).ends_with("estroy");
            if gone && all.contains(&event.name) {
                told.insert(format!("{} is gone", event.name));
            }
        }
        self.note("events of the end", json!(told));
    }
}

async fn next(events: &mut EventStream, seen: &impl Debug) -> EngineEvent {
    match tokio::time::timeout(PATIENCE, events.next()).await {
        Ok(Some(Ok(event))) => event,
        other => panic!("the events ended with {other:?} after {seen:?}"),
    }
}

async fn remove(place: &Place, id: &str) {
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    place.docker.remove_container(id, Some(force)).await.unwrap();
}

fn published(bind: IpAddr, port: u16) -> HostConfig {
    let binding = PortBinding { host_ip: Some(bind.to_string()), host_port: Some(port.to_string()) };
    let bindings = HashMap::from([("7050/tcp".to_owned(), Some(vec![binding]))]);
    HostConfig { port_bindings: Some(bindings), ..Default::default() }
}

//! The projects of the scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use common::compose::{
    Condition, ContainerPort, HealthCheck, Logging, MountSpec, NetworkSpec, Project, Protocol, RestartPolicy,
    ServiceSpec, VolumeSpec,
};
use common::model::{NodeName, Slot};
use e2e::pool::PEER_IMAGE;
use engine::{EngineError, UpLimits};
use indexmap::IndexMap;

use crate::place::Place;

/// A fence that lets everything pass.
pub fn free() -> Result<(), EngineError> {
    Ok(())
}

pub fn node(name: &str) -> NodeName {
    NodeName::parse(name).unwrap()
}

/// Another cluster of the pool, which never gets to run.
pub struct Elsewhere<'a> {
    place: &'a Place,
    owner: engine::Ownership,
    pub project: Project,
    slot: u16,
}

impl<'a> Elsewhere<'a> {
    pub fn of(place: &'a Place, slot: u16) -> Self {
        let cluster = common::model::ClusterId::random();
        let owner = engine::Ownership { cluster, slot: Slot(slot), ..place.names.owner() };
        Self { place, owner, project: project_in(place, slot, &format!("{}-{slot}", place.names.prefix)), slot }
    }

    pub fn port(&self, nth: u16) -> u16 {
        self.place.names.layout.ports(Slot(self.slot)).unwrap().first + nth
    }

    pub async fn up(&self, project: &Project) -> Result<BTreeMap<NodeName, String>, EngineError> {
        self.place.engine.up(project, &self.owner, &UpLimits::default(), &free, &|_| {}).await
    }

    pub async fn down(&self) {
        self.place.engine.down(&self.owner.pool, &self.owner.cluster, &[], &free).await.unwrap();
    }
}

pub fn project(place: &Place) -> Project {
    project_in(place, 0, &place.names.prefix)
}

pub fn network_name(place: &Place) -> String {
    format!("{}_net", place.names.prefix)
}

pub fn volume_name(place: &Place) -> String {
    format!("{}_data", place.names.prefix)
}

/// Two peers: vp1 waits until vp0 is healthy.
fn project_in(place: &Place, slot: u16, name: &str) -> Project {
    let first = place.names.layout.ports(Slot(slot)).unwrap().first;
    let mut vp0 = peer(place, name, "vp0", first);
    vp0.mounts = vec![MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: false }];
    vp0.healthcheck = Some(HealthCheck {
        test: ["CMD", "/fabricsim", "healthcheck"].map(str::to_owned).to_vec(),
        interval: Some(Duration::from_millis(500)),
        timeout: Some(Duration::from_secs(10)),
        retries: Some(20),
        start_period: None,
    });
    let mut vp1 = peer(place, name, "vp1", first + 1);
    vp1.environment.insert("CORE_PEER_DISCOVERY_ROOTNODE".to_owned(), "vp0:7051".to_owned());
    vp1.mounts = vec![MountSpec::Anonymous { target: "/scratch".to_owned() }];
    vp1.depends_on = BTreeMap::from([(node("vp0"), Condition::Healthy)]);
    Project {
        networks: vec![NetworkSpec {
            key: "net".to_owned(),
            name: format!("{name}_net"),
            driver: "bridge".to_owned(),
            subnet: place.names.layout.subnet(Slot(slot)),
            internal: false,
            labels: BTreeMap::new(),
        }],
        volumes: vec![VolumeSpec { key: "data".to_owned(), name: format!("{name}_data"), labels: BTreeMap::new() }],
        services: vec![vp0, vp1],
        endpoints: BTreeMap::new(),
        probes: vec![],
        deep_probe: None,
        create_within: Duration::from_secs(60),
        offspring_prefixes: vec![],
        name: name.to_owned(),
    }
}

fn peer(place: &Place, project: &str, name: &str, port: u16) -> ServiceSpec {
    let environment = [
        ("CORE_PEER_ID", name),
        ("CORE_PEER_NETWORKID", place.names.cluster.as_str()),
        ("CORE_PEER_ADDRESSAUTODETECT", "true"),
    ];
    ServiceSpec {
        node: node(name),
        container_name: format!("{project}_{name}"),
        image: PEER_IMAGE.to_owned(),
        command: ["peer", "node", "start"].map(str::to_owned).to_vec(),
        entrypoint: None,
        environment: environment.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        ports: vec![ContainerPort {
            host_ip: place.bind,
            host_port: port,
            container_port: 7050,
            protocol: Protocol::Tcp,
        }],
        networks: IndexMap::from([("net".to_owned(), vec![name.to_owned()])]),
        mounts: vec![],
        depends_on: BTreeMap::new(),
        restart: RestartPolicy::UnlessStopped,
        memory: Some(512 << 20),
        memory_swap: Some(1 << 30),
        nano_cpus: Some(500_000_000),
        pids_limit: Some(128),
        logging: Logging {
            driver: "json-file".to_owned(),
            options: BTreeMap::from([("max-size".to_owned(), "1m".to_owned())]),
        },
        security_opt: vec!["no-new-privileges:true".to_owned()],
        cap_drop: vec!["ALL".to_owned()],
        cap_add: vec![],
        read_only: false,
        tmpfs: IndexMap::from([("/tmp".to_owned(), "size=8m".to_owned())]),
        init: false,
        user: None,
        working_dir: None,
        hostname: None,
        labels: BTreeMap::from([("org.example.kept".to_owned(), "yes".to_owned())]),
        healthcheck: None,
        stop_signal: None,
        stop_grace: Duration::from_secs(5),
        config_hash: format!("hash of {name}"),
    }
}

//! Small projects to bring up.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use common::compose::{
    Condition, ContainerPort, HealthCheck, Logging, MountSpec, NetworkSpec, Project, Protocol, RestartPolicy,
    ServiceSpec, VolumeSpec,
};
use common::model::{NodeName, Slot};
use indexmap::IndexMap;

use crate::bench::Bench;

/// Runs until it is killed.
pub const FOREVER: &str = "while true; do /bin/busybox sleep 1; done";

pub fn node(name: &str) -> NodeName {
    NodeName::parse(name).unwrap()
}

/// A project in a slot with one network, one volume and no service.
pub fn project(bench: &Bench, slot: u16) -> Project {
    let name = bench.project_name(slot);
    Project {
        networks: vec![NetworkSpec {
            key: "net".to_owned(),
            name: format!("{name}_net"),
            driver: "bridge".to_owned(),
            subnet: bench.layout.subnet(Slot(slot)),
            internal: false,
            labels: BTreeMap::new(),
        }],
        volumes: vec![VolumeSpec { key: "data".to_owned(), name: format!("{name}_data"), labels: BTreeMap::new() }],
        services: vec![],
        endpoints: BTreeMap::new(),
        probes: vec![],
        deep_probe: None,
        create_within: Duration::from_secs(60),
        offspring_prefixes: vec![format!("{}-", bench.owner(slot).cluster)],
        name,
    }
}

/// A service that runs a shell script.
pub fn service(bench: &Bench, slot: u16, name: &str, script: &str) -> ServiceSpec {
    ServiceSpec {
        node: node(name),
        container_name: format!("{}_{name}", bench.project_name(slot)),
        image: bench.image.clone(),
        command: ["/bin/busybox", "sh", "-c", script].map(str::to_owned).to_vec(),
        entrypoint: None,
        environment: IndexMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        ports: vec![],
        networks: IndexMap::from([("net".to_owned(), vec![name.to_owned()])]),
        mounts: vec![],
        depends_on: BTreeMap::new(),
        restart: RestartPolicy::UnlessStopped,
        memory: Some(64 << 20),
        memory_swap: None,
        nano_cpus: None,
        pids_limit: Some(32),
        logging: Logging {
            driver: "json-file".to_owned(),
            options: BTreeMap::from([("max-size".to_owned(), "1m".to_owned())]),
        },
        security_opt: vec!["no-new-privileges:true".to_owned()],
        cap_drop: vec!["ALL".to_owned()],
        cap_add: vec![],
        read_only: false,
        tmpfs: IndexMap::new(),
        init: false,
        user: None,
        working_dir: None,
        hostname: None,
        labels: BTreeMap::new(),
        healthcheck: None,
        stop_signal: Some("SIGKILL".to_owned()),
        stop_grace: Duration::from_secs(1),
        config_hash: format!("hash of {name}"),
    }
}

/// A service that answers HTTP on a port of the slot.
pub fn web(bench: &Bench, slot: u16, name: &str, nth_port: u16) -> ServiceSpec {
    let script = "echo fine > /tmp/index.html; exec /bin/busybox httpd -f -p 8080 -h /tmp";
    let mut web = service(bench, slot, name, &format!("/bin/busybox mkdir -p /tmp; {script}"));
    web.ports = vec![ContainerPort {
        host_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        host_port: bench.port(slot, nth_port),
        container_port: 8080,
        protocol: Protocol::Tcp,
    }];
    web
}

/// Three services: `seed` does one job, `db` becomes healthy, `web` waits for both and answers HTTP.
pub fn three(bench: &Bench, slot: u16) -> Project {
    let mut seed = service(bench, slot, "seed", "echo seeded > /data/seed");
    seed.restart = RestartPolicy::No;
    seed.mounts = vec![MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: false }];
    let mut db = service(bench, slot, "db", FOREVER);
    db.mounts = vec![MountSpec::Anonymous { target: "/scratch".to_owned() }];
    db.healthcheck = Some(HealthCheck {
        test: ["CMD", "/bin/busybox", "true"].map(str::to_owned).to_vec(),
        interval: Some(Duration::from_millis(300)),
        timeout: Some(Duration::from_secs(10)),
        retries: Some(20),
        start_period: None,
    });
    let mut web = web(bench, slot, "web", 0);
    web.mounts = vec![MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: true }];
    web.depends_on =
        BTreeMap::from([(node("seed"), Condition::CompletedSuccessfully), (node("db"), Condition::Healthy)]);
    Project { services: vec![seed, db, web], ..project(bench, slot) }
}

/// Two services without conditions, quick to make.
pub fn two(bench: &Bench, slot: u16) -> Project {
    let services = vec![service(bench, slot, "vp0", FOREVER), service(bench, slot, "vp1", FOREVER)];
    let mut project = Project { services, ..project(bench, slot) };
    project.services[1].depends_on = BTreeMap::from([(node("vp0"), Condition::Started)]);
    project.services[0].mounts =
        vec![MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: false }];
    project
}

//! Small values for this package's unit tests.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use common::compose::{Condition, Logging, NetworkSpec, Project, RestartPolicy, ServiceSpec, VolumeSpec};
use common::model::{ClusterId, FlavorId, HostId, NodeName, NodeState, PoolId, Slot};
use indexmap::IndexMap;

use crate::Ownership;
use crate::raw::{RawContainer, RawNetwork, RawVolume};

pub(crate) type Labels = HashMap<String, String>;

pub(crate) fn owner(pool: &PoolId, cluster: &ClusterId) -> Ownership {
    Ownership {
        pool: pool.clone(),
        cluster: cluster.clone(),
        host: HostId::random(),
        slot: Slot(3),
        flavor: FlavorId::parse("fabric-0.6_noops_4").unwrap(),
        flavor_digest: "d1".to_owned(),
    }
}

pub(crate) fn service(node: &str, depends_on: &[&str]) -> ServiceSpec {
    ServiceSpec {
        node: NodeName::parse(node).unwrap(),
        container_name: format!("h_3_{node}"),
        image: "peer:1".to_owned(),
        command: vec![],
        entrypoint: None,
        environment: IndexMap::new(),
        ports: vec![],
        networks: IndexMap::from([("net".to_owned(), vec![node.to_owned()])]),
        mounts: vec![],
        depends_on: depends_on.iter().map(|on| (NodeName::parse(on).unwrap(), Condition::Started)).collect(),
        restart: RestartPolicy::UnlessStopped,
        memory: None,
        memory_swap: None,
        nano_cpus: None,
        pids_limit: None,
        logging: Logging { driver: "json-file".to_owned(), options: BTreeMap::new() },
        security_opt: vec![],
        cap_drop: vec![],
        cap_add: vec![],
        read_only: false,
        tmpfs: IndexMap::new(),
        init: false,
        user: None,
        working_dir: None,
        hostname: None,
        labels: BTreeMap::new(),
        healthcheck: None,
        stop_signal: None,
        stop_grace: Duration::from_secs(2),
        config_hash: "c1".to_owned(),
    }
}

pub(crate) fn project(services: Vec<ServiceSpec>) -> Project {
    Project {
        name: "h_3".to_owned(),
        networks: vec![NetworkSpec {
            key: "net".to_owned(),
            name: "h_3_net".to_owned(),
            driver: "bridge".to_owned(),
            subnet: None,
            internal: false,
            labels: BTreeMap::new(),
        }],
        volumes: vec![VolumeSpec { key: "data".to_owned(), name: "h_3_data".to_owned(), labels: BTreeMap::new() }],
        services,
        endpoints: BTreeMap::new(),
        probes: vec![],
        deep_probe: None,
        create_within: Duration::from_secs(60),
        offspring_prefixes: vec![],
    }
}

/// The labels of the volume of a cluster, say.
pub(crate) fn labelled(pool: &PoolId, cluster: &ClusterId) -> Labels {
    let project = project(vec![]);
    owner(pool, cluster).on_volume(&project, &project.volumes[0])
}

pub(crate) fn container(name: &str, labels: Labels, networks: &[&str]) -> RawContainer {
    RawContainer {
        id: format!("id-of-{name}"),
        name: name.to_owned(),
        image: "peer:1".to_owned(),
        labels,
        state: NodeState::Running,
        health: None,
        exit_code: None,
        ports: vec![],
        networks: networks.iter().map(|name| ((*name).to_owned(), Some(format!("id-of-{name}")))).collect(),
    }
}

pub(crate) fn network(name: &str, labels: Labels) -> RawNetwork {
    RawNetwork { id: format!("id-of-{name}"), name: name.to_owned(), created: None, labels, subnets: vec![] }
}

pub(crate) fn volume(name: &str, labels: Labels) -> RawVolume {
    RawVolume { name: name.to_owned(), labels }
}

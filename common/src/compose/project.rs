//! A resolved compose project: every value chosen, every name final. Plain data.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{DeepProbe, HttpProbe};
use crate::model::NodeName;

/// What to bring up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// The compose project's name: lower case.
    pub name: String,
    /// Its networks; engine-side names are final.
    pub networks: Vec<NetworkSpec>,
    /// Its named volumes; engine-side names are final.
    pub volumes: Vec<VolumeSpec>,
    /// Its services, each after those it depends on.
    pub services: Vec<ServiceSpec>,
    /// What users are told, by the template's names.
    pub endpoints: BTreeMap<String, PlannedEndpoint>,
    /// What proves it well, in order; all must hold. That every node runs is asked before any of these.
    pub probes: Vec<HttpProbe>,
    /// What proves that it does its work, at some cost: only for clusters that nobody holds, and seldom.
    #[serde(default)]
    pub deep_probe: Option<DeepProbe>,
    /// How long its making may take, from first call to proof.
    pub create_within: Duration,
    /// Name prefixes of containers and images that its nodes may start by themselves (chaincode), each unique to this cluster.
    pub offspring_prefixes: Vec<String>,
}

impl Project {
    /// The services that are meant to run on; a one-shot that others wait for to end well is not one.
    pub fn lasting_nodes(&self) -> Vec<NodeName> {
        let ends = |node: &NodeName| {
            self.services.iter().any(|s| s.depends_on.get(node) == Some(&Condition::CompletedSuccessfully))
        };
        self.services.iter().map(|service| service.node.clone()).filter(|node| !ends(node)).collect()
    }
}

/// A network of the project's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// The key in the compose file.
    pub key: String,
    /// The name on the engine.
    pub name: String,
    /// `bridge` or `overlay`.
    pub driver: String,
    /// Its subnet, which follows from the slot. `None`: the engine chooses (only for networks beyond the first).
    pub subnet: Option<Ipv4Net>,
    /// No way out of it.
    pub internal: bool,
    /// Of the compose file; ours are added by the engine.
    pub labels: BTreeMap<String, String>,
}

/// A named volume of the project's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeSpec {
    /// The key in the compose file.
    pub key: String,
    /// The name on the engine.
    pub name: String,
    /// Of the compose file; ours are added by the engine.
    pub labels: BTreeMap<String, String>,
}

/// One service, so one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// The key in the compose file, and the node's name.
    pub node: NodeName,
    /// The container's name on the engine.
    pub container_name: String,
    /// The image's reference.
    pub image: String,
    /// Overrides the image's command; empty: the image's own.
    pub command: Vec<String>,
    /// Overrides the image's entry point; `None`: the image's own.
    pub entrypoint: Option<Vec<String>>,
    /// In the file's order.
    pub environment: IndexMap<String, String>,
    /// Published ports.
    pub ports: Vec<ContainerPort>,
    /// Network key to aliases there (the service's own name is one of them).
    pub networks: IndexMap<String, Vec<String>>,
    /// What is mounted; never a path of the host.
    pub mounts: Vec<MountSpec>,
    /// Services that must be so far before this one starts.
    pub depends_on: BTreeMap<NodeName, Condition>,
    /// What the engine does when it ends.
    pub restart: RestartPolicy,
    /// In bytes.
    pub memory: Option<i64>,
    /// Memory and swap together, in bytes.
    pub memory_swap: Option<i64>,
    /// In billionths of a processor.
    pub nano_cpus: Option<i64>,
    /// Processes at most.
    pub pids_limit: Option<i64>,
    /// Where its output goes.
    pub logging: Logging,
    /// `no-new-privileges:true`, ...
    pub security_opt: Vec<String>,
    /// Capabilities taken away.
    pub cap_drop: Vec<String>,
    /// Capabilities given. The parser allows only harmless ones.
    pub cap_add: Vec<String>,
    /// Whether its root file system is read-only.
    pub read_only: bool,
    /// Path to mount options.
    pub tmpfs: IndexMap<String, String>,
    /// Run an init as process 1.
    pub init: bool,
    /// User in the container.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Host name in the container.
    pub hostname: Option<String>,
    /// Of the compose file; ours and Compose's are added by the engine.
    pub labels: BTreeMap<String, String>,
    /// The container's own check.
    pub healthcheck: Option<HealthCheck>,
    /// Signal that ends it, `SIGTERM` if `None`.
    pub stop_signal: Option<String>,
    /// How long it may take to end.
    pub stop_grace: Duration,
    /// Hash of all above, as Compose's `config-hash` label.
    pub config_hash: String,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerPort {
    /// Where on the host.
    pub host_ip: IpAddr,
    /// Within the slot's block.
    pub host_port: u16,
    /// In the container.
    pub container_port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountSpec {
    /// A named volume of the project's own, by its key.
    Volume {
        /// The key.
        key: String,
        /// Where in the container.
        target: String,
        /// Whether it cannot be written to.
        read_only: bool,
    },
    /// An anonymous volume, which goes with its container.
    Anonymous {
        /// Where in the container.
        target: String,
    },
}

/// How far a service must be before another starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Its container was started.
    Started,
    /// Its own check says healthy.
    Healthy,
    /// It ended with 0.
    CompletedSuccessfully,
}

/// What the engine does when a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartPolicy {
    /// Nothing.
    No,
    /// Starts it again.
    Always,
    /// Starts it again if it failed, at most so many times; 0 is for ever.
    OnFailure(u32),
    /// Starts it again unless somebody stopped it.
    UnlessStopped,
}

/// A log driver and its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// `json-file`, `syslog`, `none`, ...
    pub driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

/// A container's own check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `["CMD", ...]`, `["CMD-SHELL", "..."]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Between two checks.
    pub interval: Option<Duration>,
    /// After which one counts as failed.
    pub timeout: Option<Duration>,
    /// Failures in a row that mean unhealthy.
    pub retries: Option<i64>,
    /// Failures in this time after the start do not count.
    pub start_period: Option<Duration>,
}

/// Where a service of the project will answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEndpoint {
    /// The node behind it.
    pub node: NodeName,
    /// `http`, `grpc` or `tcp`.
    pub scheme: String,
    /// The published port.
    pub port: u16,
}

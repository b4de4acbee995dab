//! What is on an engine, as its lists have it, in types without holes.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::models::{
    ContainerSummary, ContainerSummaryHealthStatusEnum, ContainerSummaryStateEnum, Network, PortSummaryTypeEnum, Volume,
};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptions, ListVolumesOptions};
use common::compose::Protocol;
use common::model::NodeState;
use ipnet::Ipv4Net;

use crate::call::Fenced;
use crate::error_map::Step;
use crate::labels::{self, Mark};
use crate::{ContainerHealth, EngineError, FoundContainer, PublishedPort, deadline};

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) containers: Vec<RawContainer>,
    pub(crate) networks: Vec<RawNetwork>,
    pub(crate) volumes: Vec<RawVolume>,
}

#[derive(Clone, Debug)]
pub(crate) struct RawContainer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) state: NodeState,
    pub(crate) health: Option<ContainerHealth>,
    pub(crate) exit_code: Option<i64>,
    pub(crate) ports: Vec<PublishedPort>,
    /// By what the engine lists them under (a name, or the id that a container was made with), with the id if it says so.
    pub(crate) networks: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct RawNetwork {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `None` if the engine's text for it is none that anybody knows.
    pub(crate) created: Option<jiff::Timestamp>,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) subnets: Vec<Ipv4Net>,
}

#[derive(Clone, Debug)]
pub(crate) struct RawVolume {
    pub(crate) name: String,
    pub(crate) labels: HashMap<String, String>,
}

impl Fenced<'_> {
    /// The three lists, asked at the same time.
    pub(crate) async fn look(self) -> Result<Raw, EngineError> {
        let (containers, networks, volumes) =
            tokio::try_join!(self.containers(HashMap::new()), self.networks(), self.volumes())?;
        Ok(Raw { containers, networks, volumes })
    }

    pub(crate) async fn containers(
        self,
        filters: HashMap<String, Vec<String>>,
    ) -> Result<Vec<RawContainer>, EngineError> {
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let list = self.docker().list_containers(Some(options));
        let list = self.call(Step("listing", "containers"), deadline::LOOK, list).await?;
        Ok(list.into_iter().map(RawContainer::from).collect())
    }

    pub(crate) async fn networks(self) -> Result<Vec<RawNetwork>, EngineError> {
        let list = self.docker().list_networks(None::<ListNetworksOptions>);
        let list = self.call(Step("listing", "networks"), deadline::LOOK, list).await?;
        Ok(list.into_iter().map(RawNetwork::from).collect())
    }

    pub(crate) async fn volumes(self) -> Result<Vec<RawVolume>, EngineError> {
        let list = self.docker().list_volumes(None::<ListVolumesOptions>);
        let list = self.call(Step("listing", "volumes"), deadline::LOOK, list).await?;
        Ok(list.volumes.unwrap_or_default().into_iter().map(RawVolume::from).collect())
    }
}

impl RawContainer {
    pub(crate) fn mark(&self) -> Option<Mark> {
        Mark::read(&self.labels)
    }

    pub(crate) fn is_on(&self, network: &RawNetwork) -> bool {
        self.networks.iter().any(|(key, id)| match id {
            Some(id) => *id == network.id,
            None => *key == network.name || *key == network.id,
        })
    }

    pub(crate) fn found(&self) -> FoundContainer {
        FoundContainer {
            id: self.id.clone(),
            name: self.name.clone(),
            node: self.mark().and_then(|_| labels::node(&self.labels)),
            state: self.state,
            health: self.health,
            exit_code: self.exit_code,
            restarts: None,
            oom_killed: None,
            image: self.image.clone(),
            config_hash: labels::config_hash(&self.labels),
        }
    }
}

impl From<ContainerSummary> for RawContainer {
    fn from(summary: ContainerSummary) -> Self {
        let status = summary.status.unwrap_or_default();
        let health = summary.health.and_then(|health| health.status);
        let networks = summary.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let ports = summary.ports.unwrap_or_default().into_iter().filter_map(|port| {
            Some(PublishedPort {
                ip: port.ip.and_then(|ip| ip.parse().ok()).unwrap_or(IpAddr::from([0, 0, 0, 0])),
                port: port.public_port?,
                protocol: match port.typ {
                    Some(PortSummaryTypeEnum::UDP) => Protocol::Udp,
                    _ => Protocol::Tcp,
                },
            })
        });
        RawContainer {
            // A container that was linked to has other names beside its own, with a slash in the middle.
            name: own_name(&summary.names.unwrap_or_default()),
            id: summary.id.unwrap_or_default(),
            image: summary.image.unwrap_or_default(),
            labels: summary.labels.unwrap_or_default(),
            state: state(summary.state),
            health: health.and_then(health_of).or_else(|| health_in(&status)),
            exit_code: exit_code_in(&status),
            ports: ports.collect(),
            networks: networks
                .into_iter()
                .map(|(name, endpoint)| (name, endpoint.network_id.filter(|id| !id.is_empty())))
                .collect(),
        }
    }
}

impl From<Network> for RawNetwork {
    fn from(network: Network) -> Self {
        let config = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
        RawNetwork {
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            created: network.created.and_then(|created| created.parse().ok()),
            labels: network.labels.unwrap_or_default(),
            subnets: config.into_iter().filter_map(|config| config.subnet?.parse().ok()).collect(),
        }
    }
}

impl From<Volume> for RawVolume {
    fn from(volume: Volume) -> Self {
        RawVolume { name: volume.name, labels: volume.labels }
    }
}

/// Whether an engine chose a volume's name: 64 hexadecimal digits.
pub(crate) fn is_anonymous(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|b| b.is_ascii_hexdigit())
}

fn own_name(names: &[String]) -> String {
    let bare = |name: &String| name.trim_start_matches('/').to_owned();
    names.iter().map(bare).find(|name| !name.contains('/')).unwrap_or_default()
}

fn state(state: Option<ContainerSummaryStateEnum>) -> NodeState {
    use ContainerSummaryStateEnum as S;
    match state {
        Some(S::RUNNING | S::STOPPING) => NodeState::Running,
        Some(S::PAUSED) => NodeState::Paused,
        Some(S::RESTARTING) => NodeState::Restarting,
        Some(S::EXITED) => NodeState::Exited,
        // Its removal began and will not be taken back.
        Some(S::REMOVING | S::DEAD) => NodeState::Dead,
        Some(S::CREATED | S::EMPTY) | None => NodeState::Created,
    }
}

fn health_of(status: ContainerSummaryHealthStatusEnum) -> Option<ContainerHealth> {
    use ContainerSummaryHealthStatusEnum as S;
    match status {
        S::STARTING => Some(ContainerHealth::Starting),
        S::HEALTHY => Some(ContainerHealth::Healthy),
        S::UNHEALTHY => Some(ContainerHealth::Unhealthy),
        S::EMPTY | S::NONE => None,
    }
}

/// Engines before 29 tell it only in `Up 3 seconds (health: starting)`, a text for people.
fn health_in(status: &str) -> Option<ContainerHealth> {
    if status.contains("(healthy)") {
        Some(ContainerHealth::Healthy)
    } else if status.contains("(unhealthy)") {
        Some(ContainerHealth::Unhealthy)
    } else if status.contains("(health: starting)") {
        Some(ContainerHealth::Starting)
    } else {
        None
    }
}

/// From `Exited (137) 2 seconds ago` or `Restarting (1) 3 seconds ago`.
fn exit_code_in(status: &str) -> Option<i64> {
    let rest = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split(')').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_exit_code_are_read_from_the_text_for_people() {
        assert_eq!(health_in("Up 3 seconds (health: starting)"), Some(ContainerHealth::Starting));
        assert_eq!(health_in("Up 2 minutes (healthy)"), Some(ContainerHealth::Healthy));
        assert_eq!(health_in("Up 2 minutes (unhealthy)"), Some(ContainerHealth::Unhealthy));
        assert_eq!(health_in("Up 2 minutes"), None);
        assert_eq!(exit_code_in("Exited (137) 2 seconds ago"), Some(137));
        assert_eq!(exit_code_in("Restarting (1) 3 seconds ago"), Some(1));
        assert_eq!(exit_code_in("Created"), None);
    }

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        assert_eq!(own_name(&["/web/db".to_owned(), "/db".to_owned()]), "db");
    }
}

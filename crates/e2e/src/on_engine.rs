//! What a story's clusters have on an engine, seen from outside: by their labels, past all of our own code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context;
use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions,
};

/// The daemon that `scripts/real-parts.sh` starts.
pub const REAL: &str = "unix:///var/run/docker.sock";

const CLUSTER: &str = "org.poolmanager.cluster";
const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";

/// A container of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The engine's id of it.
    pub id: String,
    /// The node.
    pub node: String,
    /// `running`, `exited`, ...
    pub state: String,
}

/// What one cluster has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Containers, running or not, by node.
    pub containers: Vec<Container>,
    /// Ids of networks.
    pub networks: Vec<String>,
    /// Names of volumes.
    pub volumes: Vec<String>,
}

impl Found {
    /// Whether nothing is there but some of these networks.
    pub fn is_only_of(&self, networks: &BTreeSet<String>) -> bool {
        self.containers.is_empty()
            && self.volumes.is_empty()
            && !self.networks.is_empty()
            && self.networks.iter().all(|network| networks.contains(network))
    }

    /// One node's container.
    pub fn node(&self, name: &str) -> anyhow::Result<&Container> {
        self.containers.iter().find(|c| c.node == name).with_context(|| format!("no container of {name}: {self:?}"))
    }
}

/// A client of the engine at this URL (`unix:///path` or `tcp://host:port`).
pub fn connect(url: &str) -> anyhow::Result<Docker> {
    let docker = match url.strip_prefix("unix://") {
        Some(path) => Docker::connect_with_unix(path, 60, bollard::API_DEFAULT_VERSION),
        None => Docker::connect_with_http(url, 60, bollard::API_DEFAULT_VERSION),
    };
    docker.with_context(|| format!("{url}; see ./scripts/real-parts.sh"))
}

/// Looks at an engine for the clusters of one host.
#[derive(Clone, Debug)]
pub struct OnEngine {
    docker: Docker,
    /// Compose projects of a host's clusters begin with this.
    prefix: String,
}

impl OnEngine {
    /// For the host of this name, on the engine at this URL (`unix:///path` or `tcp://host:port`).
    pub fn new(url: &str, host_name: &str) -> anyhow::Result<OnEngine> {
        Ok(OnEngine { docker: connect(url)?, prefix: format!("{}_", host_name.to_lowercase()) })
    }

    /// All that is there, by cluster id.
    pub async fn look(&self) -> anyhow::Result<BTreeMap<String, Found>> {
        let filter = HashMap::from([("label", vec![CLUSTER])]);
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        let ours = |labels: Option<HashMap<String, String>>| {
            let labels = labels.unwrap_or_default();
            let ours = labels.get(PROJECT).is_some_and(|project| project.starts_with(&self.prefix));
            ours.then(|| (labels[CLUSTER].clone(), labels.get(SERVICE).cloned().unwrap_or_default()))
        };
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
        for container in self.docker.list_containers(Some(options)).await? {
            let Some((cluster, node)) = ours(container.labels) else { continue };
            let state = container.state.map(|state| state.to_string()).unwrap_or_default();
            let id = container.id.unwrap_or_default();
            found.entry(cluster).or_default().containers.push(Container { id, node, state });
        }
        let options = ListNetworksOptionsBuilder::default().filters(&filter).build();
        for network in self.docker.list_networks(Some(options)).await? {
            let Some((cluster, _)) = ours(network.labels) else { continue };
            found.entry(cluster).or_default().networks.push(network.id.unwrap_or_default());
        }
        let options = ListVolumesOptionsBuilder::default().filters(&filter).build();
        for volume in self.docker.list_volumes(Some(options)).await?.volumes.unwrap_or_default() {
            let Some((cluster, _)) = ours(Some(volume.labels)) else { continue };
            found.entry(cluster).or_default().volumes.push(volume.name);
        }
        for found in found.values_mut() {
            found.containers.sort_by(|a, b| (&a.node, &a.id).cmp(&(&b.node, &b.id)));
        }
        Ok(found)
    }

    /// Ids of the clusters that have anything there.
    pub async fn clusters(&self) -> anyhow::Result<BTreeSet<String>> {
        Ok(self.look().await?.into_keys().collect())
    }

    /// When a container was last started, in the engine's words.
    pub async fn started_at(&self, container: &str) -> anyhow::Result<String> {
        let options = None::<bollard::query_parameters::InspectContainerOptions>;
        let state = self.docker.inspect_container(container, options).await?.state;
        state.and_then(|state| state.started_at).context("the engine does not say when it was started")
    }

    /// Stops a container behind everybody's back.
    pub async fn stop(&self, container: &str) -> anyhow::Result<()> {
        let options = bollard::query_parameters::StopContainerOptionsBuilder::default().t(1).build();
        Ok(self.docker.stop_container(container, Some(options)).await?)
    }

    /// Kills a container's process behind everybody's back.
    pub async fn kill(&self, container: &str) -> anyhow::Result<()> {
        Ok(self.docker.kill_container(container, None::<bollard::query_parameters::KillContainerOptions>).await?)
    }

    /// Whether a network on which nothing is cannot be removed by anybody: the engine's own count of what is connected to it is
    /// wrong until its daemon starts anew. Removes the network if that is not so.
    pub async fn keeps(&self, network: &str) -> anyhow::Result<bool> {
        let options = None::<bollard::query_parameters::InspectNetworkOptions>;
        let empty =
            self.docker.inspect_network(network, options).await?.containers.is_none_or(|on_it| on_it.is_empty());
        let refused = self.docker.remove_network(network).await.err().map(|error| error.to_string());
        Ok(empty && refused.is_some_and(|why| why.contains("active endpoints")))
    }

    /// Removes all that is there, twice: what is being made while we look shows at the second look.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        for _ in 0..2 {
            for found in self.look().await?.into_values() {
                for container in found.containers {
                    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                    let _ = self.docker.remove_container(&container.id, Some(options)).await;
                }
                for network in found.networks {
                    let _ = self.docker.remove_network(&network).await;
                }
                for volume in found.volumes {
                    let _ = self.docker.remove_volume(&volume, None::<RemoveVolumeOptions>).await;
                }
            }
        }
        Ok(())
    }
}

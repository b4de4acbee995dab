//! What a pool has left on an engine: by its label, by the names that it gives, and by membership of its networks.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
};

use crate::on_engine::connect;

const POOL: &str = "org.poolmanager.pool";

/// What names tell that something is a pool's.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The pool's id.
    pub pool: String,
    /// Compose projects of the host begin so.
    pub host: String,
    /// Ids of all clusters that there ever were: chaincode containers, their images and networks begin with one.
    pub clusters: BTreeSet<String>,
}

impl Traces {
    /// Whether it has the pool's label, or a name that a pool gives.
    fn of(&self, labels: &HashMap<String, String>, names: &[String]) -> bool {
        labels.get(POOL) == Some(&self.pool) || names.iter().any(|name| self.named(name.trim_start_matches('/')))
    }

    fn named(&self, name: &str) -> bool {
        let by_cluster = name.split_once(['-', '_', ':', '.']).map_or(name, |(first, _)| first);
        name.starts_with(&self.host) || self.clusters.contains(by_cluster)
    }
}

/// All that is there, in words, but these networks.
pub async fn leaks(engine: &str, traces: &Traces, kept: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let docker = connect(engine)?;
    let mut found = Vec::new();
    let networks = docker.list_networks(None::<ListNetworksOptions>).await.context("listing networks")?;
    let mut ours = BTreeSet::new();
    for network in networks {
        if network.id.is_some_and(|id| kept.contains(&id)) {
            continue;
        }
        let name = network.name.unwrap_or_default();
        if traces.of(&network.labels.unwrap_or_default(), std::slice::from_ref(&name)) {
            found.push(format!("network {name}"));
            ours.insert(name);
        }
    }
    let options = ListContainersOptionsBuilder::default().all(true).build();
    for container in docker.list_containers(Some(options)).await.context("listing containers")? {
        let names = container.names.unwrap_or_default();
        let networks = container.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let member = networks.keys().any(|network| ours.contains(network));
        if member || traces.of(&container.labels.unwrap_or_default(), &names) {
            found.push(format!("container {names:?}"));
        }
    }
    let volumes = docker.list_volumes(None::<ListVolumesOptions>).await.context("listing volumes")?;
    for volume in volumes.volumes.unwrap_or_default() {
        if traces.of(&volume.labels, std::slice::from_ref(&volume.name)) {
            found.push(format!("volume {}", volume.name));
        }
    }
    let options = ListImagesOptionsBuilder::default().build();
    for image in docker.list_images(Some(options)).await.context("listing images")? {
        if traces.of(&image.labels, &image.repo_tags) {
            found.push(format!("image {:?}", image.repo_tags));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_known_by_label_and_by_name_and_strangers_are_not() {
        let traces = Traces { pool: "p1".into(), host: "h_".into(), clusters: BTreeSet::from(["c1".to_owned()]) };
        let labels = |pool: &str| HashMap::from([(POOL.to_owned(), pool.to_owned())]);
        assert!(traces.of(&labels("p1"), &[]));
        assert!(!traces.of(&labels("p2"), &["/other".into()]));
        for name in ["/h_0_vp0", "c1-vp0-code", "/c1-vp0-code", "c1_default"] {
            assert!(traces.of(&HashMap::new(), &[name.to_owned()]), "{name}");
        }
        assert!(!traces.of(&HashMap::new(), &["c11-vp0".to_owned(), "/stranger".to_owned()]));
    }
}

//! Where the scenario is told: an engine, and names that both tellings share.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptions, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder, StartContainerOptions,
};
use common::model::{ClusterId, DaemonUrl, FlavorId, HostId, PoolId, Slot, SlotLayout};
use e2e::pool::{PEER_IMAGE, free_layout};
use engine::{Engine, Ownership};

/// Ids, names, ports and subnets. The same for both tellings, so that they need no translation.
#[derive(Clone, Debug)]
pub struct Names {
    pub pool: PoolId,
    pub host: HostId,
    pub cluster: ClusterId,
    pub layout: SlotLayout,
    /// Begins every name that is made.
    pub prefix: String,
}

impl Names {
    pub fn fresh() -> Names {
        let pool = PoolId::random();
        let prefix = format!("c{}", &pool.as_str()[..8]);
        let layout = free_layout(4).unwrap();
        Names { pool, host: HostId::random(), cluster: ClusterId::random(), layout, prefix }
    }

    pub fn owner(&self) -> Ownership {
        Ownership {
            pool: self.pool.clone(),
            cluster: self.cluster.clone(),
            host: self.host.clone(),
            slot: Slot(0),
            flavor: FlavorId::parse("conformance").unwrap(),
            flavor_digest: "digest".to_owned(),
        }
    }
}

/// An engine. What the scenario left there goes when it is dropped.
pub struct Place {
    pub names: Names,
    pub engine: Engine,
    /// For what a stranger would do, and for looking at answers whole.
    pub docker: Docker,
    /// Where ports are published.
    pub bind: IpAddr,
    url: String,
}

impl Place {
    pub async fn new(names: &Names, url: &str, bind: IpAddr) -> Place {
        let daemon = DaemonUrl::parse(url).unwrap();
        let engine = Engine::connect(&daemon).await.unwrap_or_else(|error| {
            panic!("this test needs a Docker engine, and {error}; ./scripts/real-parts.sh installs and starts one")
        });
        let docker = raw(url);
        assert!(
            docker.inspect_image(PEER_IMAGE).await.is_ok(),
            "this test needs the image {PEER_IMAGE} at {url}; ./scripts/real-parts.sh builds it"
        );
        Place { names: names.clone(), engine, docker, bind, url: url.to_owned() }
    }

    /// A container that a stranger makes, and may start.
    pub async fn stranger(&self, name: &str, host: HostConfig) -> String {
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let body = ContainerCreateBody {
            image: Some(PEER_IMAGE.to_owned()),
            env: Some(vec!["CORE_PEER_ID=vp9".to_owned(), format!("CORE_PEER_NETWORKID={name}")]),
            exposed_ports: Some(vec!["7050/tcp".to_owned()]),
            host_config: Some(host),
            ..Default::default()
        };
        self.docker.create_container(Some(options), body).await.unwrap().id
    }

    pub async fn start_stranger(&self, id: &str) {
        self.docker.start_container(id, None::<StartContainerOptions>).await.unwrap();
    }
}

fn raw(url: &str) -> Docker {
    Docker::connect_with_host(url).unwrap()
}

impl Drop for Place {
    /// In a thread and a runtime of its own, for the test's own may be ending. By name prefix and by the cluster's id, and
    /// never mind failures: this only sweeps up what a failed telling left.
    fn drop(&mut self) {
        let place: &Place = self;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(sweep(&place.url, &place.names));
            });
        });
    }
}

async fn sweep(url: &str, names: &Names) {
    let docker = raw(url);
    let ours = |name: &str| name.starts_with(&names.prefix) || name.starts_with(names.cluster.as_str());
    let all = ListContainersOptionsBuilder::default().all(true).build();
    for container in docker.list_containers(Some(all)).await.unwrap_or_default() {
        let named = container.names.unwrap_or_default();
        if named.iter().any(|name| ours(name.trim_start_matches('/'))) {
            let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let _ = docker.remove_container(&container.id.unwrap_or_default(), Some(force)).await;
        }
    }
    for network in docker.list_networks(None::<ListNetworksOptions>).await.unwrap_or_default() {
        if ours(&network.name.unwrap_or_default()) {
            let _ = docker.remove_network(&network.id.unwrap_or_default()).await;
        }
    }
    let volumes = docker.list_volumes(None::<bollard::query_parameters::ListVolumesOptions>).await;
    for volume in volumes.ok().and_then(|list| list.volumes).unwrap_or_default() {
        if ours(&volume.name) {
            let _ = docker.remove_volume(&volume.name, None::<bollard::query_parameters::RemoveVolumeOptions>).await;
        }
    }
    let filters = HashMap::from([("reference", vec![format!("{}*", names.cluster), format!("{}*/*", names.prefix)])]);
    let options = bollard::query_parameters::ListImagesOptionsBuilder::default().filters(&filters).build();
    for image in docker.list_images(Some(options)).await.unwrap_or_default() {
        for tag in image.repo_tags.iter().filter(|tag| ours(tag)) {
            let force = RemoveImageOptionsBuilder::default().force(true).build();
            let _ = docker.remove_image(tag, Some(force), None).await;
        }
    }
}

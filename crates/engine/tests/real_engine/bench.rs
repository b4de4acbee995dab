//! One test's place on the real engine: names, ports and subnets of its own, an image, and a broom.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, NetworkDisconnectRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptions,
    ListVolumesOptions, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
    StartContainerOptions,
};
use common::compose::Project;
use common::model::{ClusterId, DaemonUrl, FlavorId, HostId, PoolId, Slot, SlotLayout, SubnetRange};
use engine::{Engine, EngineError, Ownership, Progress, Survey, UpLimits};
use futures_util::TryStreamExt;
use ipnet::Ipv4Net;

const SOCKET: &str = "unix:///var/run/docker.sock";
const BUSYBOX: &str = "/bin/busybox";
/// Slots of one test.
const SLOTS: u16 = 4;
const PORTS: u16 = 10;

/// Blocks of ports that tests of this process hold.
static TAKEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());

pub struct Bench {
    pub engine: Engine,
    /// For what a stranger would do, and for looking behind the engine's back.
    pub docker: Docker,
    pub pool: PoolId,
    pub image: String,
    pub layout: SlotLayout,
    host: HostId,
    clusters: Vec<ClusterId>,
    /// Begins every name that the test makes.
    pub prefix: String,
    base: u16,
}

impl Bench {
    pub async fn new() -> Bench {
        let url = DaemonUrl::parse(SOCKET).unwrap();
        let engine = Engine::connect(&url).await.unwrap_or_else(|error| {
            panic!("these tests need a Docker engine, and {error}; ./scripts/real-parts.sh installs and starts one")
        });
        let docker = Docker::connect_with_unix(SOCKET, 120, bollard::API_DEFAULT_VERSION).unwrap();
        let pool = PoolId::random();
        let prefix = format!("e{}", &pool.as_str()[..8]);
        let base = free_ports();
        // A /22 for each block of ports, so that what is unique for one is for the other.
        let nth = u32::from(base - 20_000) / u32::from(SLOTS * PORTS);
        let subnets = Ipv4Net::new((0x0A62_0000 + (nth << 10)).into(), 22).unwrap();
        let layout = SlotLayout {
            first_port: base,
            ports_per_slot: PORTS,
            end_port: base + SLOTS * PORTS,
            subnets: SubnetRange(subnets),
        };
        assert_eq!(layout.slots(), SLOTS);
        let image = format!("{prefix}/busybox:1");
        let clusters = (0..SLOTS).map(|_| ClusterId::random()).collect();
        let bench = Bench { engine, docker, pool, image, layout, host: HostId::random(), clusters, prefix, base };
        bench.make_image(&bench.image).await;
        bench
    }

    pub fn port(&self, slot: u16, nth: u16) -> u16 {
        self.base + slot * PORTS + nth
    }

    pub fn project_name(&self, slot: u16) -> String {
        format!("{}_{slot}", self.prefix)
    }

    pub fn owner(&self, slot: u16) -> Ownership {
        Ownership {
            pool: self.pool.clone(),
            cluster: self.clusters[usize::from(slot)].clone(),
            host: self.host.clone(),
            slot: Slot(slot),
            flavor: FlavorId::parse("test_busybox").unwrap(),
            flavor_digest: "digest".to_owned(),
        }
    }

    pub async fn up(
        &self,
        project: &Project,
        slot: u16,
    ) -> Result<std::collections::BTreeMap<common::model::NodeName, String>, EngineError> {
        self.up_fenced(project, slot, &|| Ok(())).await
    }

    pub async fn up_fenced(
        &self,
        project: &Project,
        slot: u16,
        fence: engine::Fence<'_>,
    ) -> Result<std::collections::BTreeMap<common::model::NodeName, String>, EngineError> {
        self.engine.up(project, &self.owner(slot), &UpLimits::default(), fence, &|_: Progress| {}).await
    }

    pub async fn down(&self, slot: u16) -> Result<engine::Removed, EngineError> {
        self.down_fenced(slot, &|| Ok(())).await
    }

    pub async fn down_fenced(&self, slot: u16, fence: engine::Fence<'_>) -> Result<engine::Removed, EngineError> {
        let cluster = self.owner(slot).cluster;
        self.engine.down(&self.pool, &cluster, &[format!("{cluster}-")], fence).await
    }

    pub async fn survey(&self) -> Survey {
        self.engine.survey(&self.pool, &self.layout).await.unwrap()
    }

    /// Fails if anything of ours is left.
    pub async fn assert_clean(&self) {
        assert_eq!(self.survey().await.ours, [], "left behind");
    }

    /// An image with a busybox in it, from this machine's own.
    pub async fn make_image(&self, name: &str) {
        assert!(
            std::path::Path::new(BUSYBOX).exists(),
            "these tests make an image from {BUSYBOX}; ./scripts/real-parts.sh installs it (busybox-static)"
        );
        let tar = Command::new("tar").args(["-c", "-C", "/", "bin/busybox"]).output().unwrap();
        assert!(tar.status.success(), "tar failed");
        let (repo, tag) = name.split_once(':').unwrap();
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(repo).tag(tag).build();
        let body = bollard::body_full(tar.stdout.into());
        self.docker.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>().await.unwrap();
    }

    /// What a stranger starts: a container that runs for ever.
    pub async fn stranger(&self, name: &str, host: HostConfig) -> String {
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let body = ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(["/bin/busybox", "sleep", "1000"].map(str::to_owned).to_vec()),
            exposed_ports: host.port_bindings.as_ref().map(|ports| ports.keys().cloned().collect()),
            host_config: Some(host),
            ..Default::default()
        };
        let made = self.docker.create_container(Some(options), body).await.unwrap();
        self.docker.start_container(&made.id, None::<StartContainerOptions>).await.unwrap();
        made.id
    }

    /// Removes everything of this test: by name, by the pool's label, by cluster ids.
    async fn sweep(&self) -> Result<(), bollard::errors::Error> {
        let docker = Docker::connect_with_unix(SOCKET, 120, bollard::API_DEFAULT_VERSION)?;
        let ours = |name: &str, labels: &HashMap<String, String>| {
            name.starts_with(&self.prefix)
                || labels.get("org.poolmanager.pool").is_some_and(|pool| *pool == *self.pool.as_str())
                || self.clusters.iter().any(|cluster| name.starts_with(cluster.as_str()))
        };
        let all = ListContainersOptionsBuilder::default().all(true).build();
        for container in docker.list_containers(Some(all)).await? {
            let names = container.names.unwrap_or_default();
            let labels = container.labels.unwrap_or_default();
            if names.iter().any(|name| ours(name.trim_start_matches('/'), &labels)) {
                let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                let _ = docker.remove_container(&container.id.unwrap_or_default(), Some(force)).await;
            }
        }
        for network in docker.list_networks(None::<ListNetworksOptions>).await? {
            if ours(&network.name.unwrap_or_default(), &network.labels.unwrap_or_default()) {
                let _ = docker.remove_network(&network.id.unwrap_or_default()).await;
            }
        }
        for volume in docker.list_volumes(None::<ListVolumesOptions>).await?.volumes.unwrap_or_default() {
            if ours(&volume.name, &volume.labels) {
                let _ = docker.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await;
            }
        }
        for image in docker.list_images(None::<bollard::query_parameters::ListImagesOptions>).await? {
            for tag in image.repo_tags.iter().filter(|tag| ours(tag, &HashMap::new())) {
                let force = RemoveImageOptionsBuilder::default().force(true).build();
                let _ = docker.remove_image(tag, Some(force), None).await;
            }
        }
        Ok(())
    }

    /// Takes a stranger off a network, as its owner would.
    pub async fn disconnect(&self, container: &str, network: &str) {
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        self.docker.disconnect_network(network, request).await.unwrap();
    }
}

impl Drop for Bench {
    /// In a thread and a runtime of its own, for the test's own may be ending.
    fn drop(&mut self) {
        let bench: &Bench = self;
        let failed = std::thread::panicking();
        let swept = std::thread::scope(|scope| {
            let sweep = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    bench.sweep().await?;
                    if failed {
                        // What a call in flight at the failure still makes.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        bench.sweep().await?;
                    }
                    Ok::<_, bollard::errors::Error>(())
                })
            });
            sweep.join()
        });
        TAKEN.lock().unwrap().retain(|base| *base != self.base);
        if !failed {
            swept.unwrap().unwrap();
        }
    }
}

/// The first of a block of ports that nobody listens on and no other test of this process has.
fn free_ports() -> u16 {
    let block = SLOTS * PORTS;
    for _ in 0..1000 {
        let base = 20_000 + rand::random_range(0..64u16) * block;
        let mut taken = TAKEN.lock().unwrap();
        let free = |port| TcpListener::bind(("0.0.0.0", port)).is_ok();
        if !taken.contains(&base) && (base..base + block).all(free) {
            taken.push(base);
            return base;
        }
    }
    panic!("no free ports between 20000 and {}", 20_000 + 64 * block);
}

/// Waits until a question is answered with yes; fails with what was seen last.
pub async fn wait_until<T: std::fmt::Debug>(what: &str, mut ask: impl AsyncFnMut() -> (bool, T)) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let (yes, seen) = ask().await;
        if yes {
            return seen;
        }
        assert!(Instant::now() < end, "{what}: not within 30 s; last seen: {seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! Things on the engine that are not the pool's: they must be there afterwards as they were before.

use bollard::Docker;
use bollard::models::{ContainerCreateBody, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions, StartContainerOptions,
};

use crate::on_engine::connect;
use crate::pool::PEER_IMAGE;

/// A running container, a network and a volume. They go with this value.
#[derive(Debug)]
pub struct Strangers {
    docker: Docker,
    /// The container's id.
    pub container: String,
    name: String,
    started_at: Option<String>,
}

impl Strangers {
    /// Makes them, all under this name.
    pub async fn settle(engine: &str, name: &str) -> anyhow::Result<Strangers> {
        let (docker, name) = (connect(engine)?, name.to_owned());
        let mut strangers = Strangers { docker, container: String::new(), name: name.clone(), started_at: None };
        let docker = &strangers.docker;
        docker.create_volume(VolumeCreateRequest { name: Some(name.clone()), ..Default::default() }).await?;
        docker.create_network(NetworkCreateRequest { name: name.clone(), ..Default::default() }).await?;
        let body = ContainerCreateBody { image: Some(PEER_IMAGE.to_owned()), ..Default::default() };
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        strangers.container = strangers.docker.create_container(Some(options), body).await?.id;
        strangers.docker.start_container(&strangers.container, None::<StartContainerOptions>).await?;
        strangers.started_at = strangers.running_since().await?;
        Ok(strangers)
    }

    /// What was done to them, in words.
    pub async fn harm(&self) -> Vec<String> {
        let mut harm = Vec::new();
        match self.running_since().await {
            Ok(since) if since.is_some() && since == self.started_at => {}
            other => {
                harm.push(format!("the container {} ran since {:?} and now {other:?}", self.name, self.started_at))
            }
        }
        if let Err(error) = self.docker.inspect_network(&self.name, None::<InspectNetworkOptions>).await {
            harm.push(format!("the network {}: {error}", self.name));
        }
        if let Err(error) = self.docker.inspect_volume(&self.name).await {
            harm.push(format!("the volume {}: {error}", self.name));
        }
        harm
    }

    /// None if it does not run.
    async fn running_since(&self) -> anyhow::Result<Option<String>> {
        let seen = self.docker.inspect_container(&self.container, None::<InspectContainerOptions>).await?;
        let state = seen.state.filter(|state| state.running == Some(true));
        Ok(state.and_then(|state| state.started_at))
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        let (docker, name) = (self.docker.clone(), self.name.clone());
        let leave = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                let _ = docker.remove_container(&name, Some(options)).await;
                let _ = docker.remove_network(&name).await;
                let _ = docker.remove_volume(&name, None::<RemoveVolumeOptions>).await;
            });
        });
        let _ = leave.join();
    }
}

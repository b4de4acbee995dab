//! What chaos does to containers of the pool, past all of our own code.

use std::collections::HashMap;

use anyhow::Context;
use bollard::Docker;
use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{
    KillContainerOptions, ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::strangers::Strangers;
use crate::on_engine::connect;

const POOL: &str = "org.poolmanager.pool";

/// The containers and networks of one pool on one engine.
#[derive(Clone, Debug)]
pub struct Victims {
    docker: Docker,
    label: String,
}

impl Victims {
    /// Of the pool with this id.
    pub fn of(pool: &str, engine: &str) -> anyhow::Result<Victims> {
        Ok(Victims { docker: connect(engine)?, label: format!("{POOL}={pool}") })
    }

    /// Kills a running node; its name. None if none runs, or it went by itself before the call came.
    pub async fn kill(&self, pick: u64) -> anyhow::Result<Option<String>> {
        let Some((name, id)) = chosen(self.running().await?, pick) else { return Ok(None) };
        let outcome = self.docker.kill_container(&id, None::<KillContainerOptions>).await;
        Ok(outcome.ok().map(|()| name))
    }

    /// Pauses a running node; its name, or none as above.
    pub async fn pause(&self, pick: u64) -> anyhow::Result<Option<String>> {
        let Some((name, id)) = chosen(self.running().await?, pick) else { return Ok(None) };
        let outcome = self.docker.pause_container(&id).await;
        Ok(outcome.ok().map(|()| name))
    }

    /// Removes a running node with its volumes; its name, or none as above.
    pub async fn remove(&self, pick: u64) -> anyhow::Result<Option<String>> {
        let Some((name, id)) = chosen(self.running().await?, pick) else { return Ok(None) };
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let outcome = self.docker.remove_container(&id, Some(options)).await;
        Ok(outcome.ok().map(|()| name))
    }

    /// Connects a stranger to a network of the pool; that network's name, or none as above.
    pub async fn intrude(&self, strangers: &Strangers, pick: u64) -> anyhow::Result<Option<String>> {
        let filter = HashMap::from([("label", vec![self.label.as_str()])]);
        let options = ListNetworksOptionsBuilder::default().filters(&filter).build();
        let networks = self.docker.list_networks(Some(options)).await.context("listing networks")?;
        let networks: Vec<(String, String)> = networks.into_iter().filter_map(|n| Some((n.name?, n.id?))).collect();
        let Some((name, id)) = chosen(networks, pick) else { return Ok(None) };
        let request = NetworkConnectRequest { container: strangers.container.clone(), ..Default::default() };
        let outcome = self.docker.connect_network(&id, request).await;
        Ok(outcome.ok().map(|()| name))
    }

    async fn running(&self) -> anyhow::Result<Vec<(String, String)>> {
        let filter = HashMap::from([("label", vec![self.label.as_str()]), ("status", vec!["running"])]);
        let options = ListContainersOptionsBuilder::default().filters(&filter).build();
        let found = self.docker.list_containers(Some(options)).await.context("listing containers")?;
        Ok(found.into_iter().filter_map(|c| Some((c.names?.into_iter().next()?, c.id?))).collect())
    }
}

fn chosen(mut found: Vec<(String, String)>, pick: u64) -> Option<(String, String)> {
    found.sort();
    let count = u64::try_from(found.len()).ok().filter(|count| *count > 0)?;
    let at = usize::try_from(pick % count).ok()?;
    Some(found.swap_remove(at))
}

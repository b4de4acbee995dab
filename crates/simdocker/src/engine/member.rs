//! Who is on which network: joining, leaving, by call or with a start and an end.

use std::net::IpAddr;

use super::container::{Container, Endpoint, Life, LiveEndpoint};
use super::spec::EndpointRequest;
use super::{Engine, State, ipam};
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};

impl Engine {
    /// Puts a container on a network; a running one joins at once.
    pub(crate) fn connect(&self, wanted: &str, container: &str, request: EndpointRequest) -> ApiResult<()> {
        let mut state = self.state();
        let network = state.find_network_to_join(wanted)?;
        let id = state.find(container)?;
        let name = state.networks.get(&network).map(|network| network.name.clone()).unwrap_or_default();
        let is_predefined = state.networks.get(&network).is_some_and(super::network::Network::is_predefined);
        let target = state.container_mut(&id)?;
        if target.endpoints.contains_key(&name) {
            return Err(ApiError::forbidden(format!(
                "endpoint with name {} already exists in network {name}",
                target.name
            )));
        }
        let mut endpoint = Endpoint { request, pinned: Some(network), ..Endpoint::default() };
        if !is_predefined {
            endpoint.add_alias(ids::short(&id));
        }
        target.endpoints.insert(name.clone(), endpoint);
        if matches!(target.life, Life::Running(_) | Life::Paused(_)) {
            if let Err(error) = join(&mut state, &id, &name) {
                state.container_mut(&id)?.endpoints.shift_remove(&name);
                return Err(error);
            }
            self.tell_joined(&state, &id, &name);
        }
        Ok(())
    }

    /// Takes a container off a network.
    pub(crate) fn disconnect(&self, wanted: &str, container: &str, force: bool) -> ApiResult<()> {
        let mut state = self.state();
        let network = state.find_network_to_join(wanted)?;
        let name = state.networks.get(&network).map(|network| network.name.clone()).unwrap_or_default();
        let id = match state.find(container) {
            Ok(id) => id,
            Err(_) if force => return Err(ApiError::missing(format!("endpoint {container} not found"))),
            Err(error) => return Err(error),
        };
        if !state.container(&id)?.endpoints.contains_key(&name) {
            return Err(ApiError::broken(format!("container {id} is not connected to network {name}")));
        }
        self.leave(&mut state, &id, &name);
        state.container_mut(&id)?.endpoints.shift_remove(&name);
        Ok(())
    }

    /// Says that a container has joined one of its networks.
    pub(super) fn tell_joined(&self, state: &State, id: &Id, name: &str) {
        let endpoint = state.containers.get(id).and_then(|container| container.endpoints.get(name));
        let network = endpoint.and_then(|endpoint| state.networks.get(endpoint.network.as_ref()?));
        if let Some(network) = network {
            self.events.network(network, "connect", Some(id));
        }
    }

    /// Takes a container's place on one of its networks away; it stays the container's network.
    pub(super) fn leave(&self, state: &mut State, id: &Id, name: &str) {
        let State { containers, networks, .. } = state;
        let Some(container) = containers.get_mut(id) else { return };
        let Some(endpoint) = container.endpoints.get_mut(name) else { return };
        let Some(network) = endpoint.network.as_ref().and_then(|network| networks.get_mut(network)) else { return };
        if let Some(live) = endpoint.live.take() {
            network.members.remove(&live.ip);
            network.mesh.detach(IpAddr::V4(live.ip));
            self.events.network(network, "disconnect", Some(id));
        }
    }
}

/// Gives a container its place on one of its networks, and says nothing yet: a start may still fail.
pub(super) fn join(state: &mut State, id: &Id, name: &str) -> ApiResult<()> {
    let pinned = state.container(id)?.endpoints.get(name).and_then(|endpoint| endpoint.pinned.clone());
    let network_id = match pinned.filter(|pinned| state.networks.contains_key(pinned)) {
        Some(pinned) => pinned,
        None => state.find_network_to_join(name)?,
    };
    let State { containers, networks, .. } = state;
    let (Some(network), Some(container)) = (networks.get_mut(&network_id), containers.get_mut(id)) else {
        return Ok(());
    };
    let Some(endpoint) = container.endpoints.get_mut(name) else { return Ok(()) };
    let live = ipam::place(network, endpoint.request.address(), id)?;
    if !network.is_predefined() {
        endpoint.add_alias(ids::short(id));
    }
    endpoint.network = Some(network_id);
    let ip = live.as_ref().map(|live: &LiveEndpoint| live.ip);
    endpoint.live = live;
    if let (Some(ip), Some(peer)) = (ip, container.peer.clone()) {
        network.mesh.attach(IpAddr::V4(ip), &names_on(container, name), peer);
    }
    Ok(())
}

impl Endpoint {
    fn add_alias(&mut self, alias: &str) {
        let aliases = self.request.aliases.get_or_insert_default();
        if !aliases.iter().any(|other| other == alias) {
            aliases.push(alias.to_owned());
        }
    }
}

/// By which names the others on a network find a container.
fn names_on(container: &Container, network: &str) -> Vec<String> {
    let aliases = container.endpoints.get(network).and_then(|endpoint| endpoint.request.aliases.clone());
    std::iter::once(container.name.to_string()).chain(aliases.unwrap_or_default()).collect()
}

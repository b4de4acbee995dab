//! The container that a Fabric peer starts beside itself for chaincode: image and container of one name, no labels.

use serde_json::json;

use super::death::Death;
use super::spec::Spec;
use super::{Engine, State};
use crate::ids::{self, Id};
use crate::image::{Behaviour, SimImage};

impl Engine {
    /// Starts the chaincode of a peer, as `<network id>-<peer id>-<128 hex>`. What goes wrong is the peer's trouble.
    pub(super) fn start_chaincode(&self, state: &mut State, parent: &Id) {
        let Some(container) = state.containers.get(parent) else { return };
        let Some(peer) = &container.peer else { return };
        let digits = format!("{}{}", ids::of(parent), ids::of(&format!("{parent}.")));
        let name = format!("{}-{}-{digits}", peer.config().network_id, peer.config().id);
        let network = container
            .spec
            .env("CORE_VM_DOCKER_HOSTCONFIG_NETWORKMODE")
            .filter(|network| !network.is_empty())
            .or_else(|| container.endpoints.keys().next().map(String::as_str))
            .unwrap_or("bridge")
            .to_owned();
        if let Err(error) = self.run_chaincode(state, parent, &name, &network) {
            tracing::debug!(container = %parent, "chaincode {name} was not started: {}", error.message);
        }
    }

    fn run_chaincode(&self, state: &mut State, parent: &Id, name: &str, network: &str) -> crate::error::ApiResult<()> {
        let mut image = SimImage::other(name, Behaviour::Idle);
        image.command = vec!["/opt/gopath/bin/chaincode".to_owned(), "-peer.address=0.0.0.0:7051".to_owned()];
        self.build_image(&mut state.images, image);
        let id = match state.names.get(name) {
            Some(id) => id.clone(),
            None => {
                let body = json!({"Image": name, "HostConfig": {"NetworkMode": network}});
                self.create_in(state, Some(name), Spec::parse(&body.to_string())?)?
            }
        };
        state.container_mut(&id)?.parent = Some(parent.clone());
        if state.container(&id)?.counts_as_running() { Ok(()) } else { self.launch(state, &id) }
    }

    /// A chaincode container ends with its peer, and stays.
    pub(super) fn end_chaincode_of(&self, state: &mut State, parent: &Id) {
        let children: Vec<Id> = state
            .containers
            .values()
            .filter(|container| container.parent.as_ref() == Some(parent) && container.run().is_some())
            .map(|container| container.id.clone())
            .collect();
        for id in children {
            self.die(state, &id, 0, Death::ByItself);
        }
    }
}

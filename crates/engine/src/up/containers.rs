//! Containers of a project: found by label, else made; not started yet.

use std::collections::HashMap;

use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder,
};
use common::compose::{RestartPolicy, ServiceSpec};
use common::model::{NodeName, NodeState};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::sleep;

use super::images::ImageVolumes;
use super::networks::Networks;
use super::{AT_ONCE, CONFLICT_PAUSES, Up, body};
use crate::error_map::{self, Step};
use crate::raw::RawContainer;
use crate::{EngineError, Progress, deadline, labels};

/// A container that is there.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) node: NodeName,
    pub(super) id: String,
    /// Whether there is anything to start.
    pub(super) state: MadeState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MadeState {
    /// It is to be started.
    Waiting,
    /// It is frozen, and is to go on.
    Paused,
    /// It runs.
    Running,
    /// It had one job, and did it.
    Done,
}

/// Who has the name that a container should get.
enum Holder {
    /// This very cluster.
    Us(Box<RawContainer>),
    /// Another, for people.
    Other(String),
    /// Nobody any more, or nobody yet.
    Nobody,
}

impl Up<'_> {
    /// Sees that every container is there, in the order of the services.
    pub(super) async fn containers(
        self,
        networks: &Networks,
        image_volumes: &ImageVolumes,
    ) -> Result<Vec<Made>, EngineError> {
        let filter = format!("{}={}", labels::CLUSTER, self.owner.cluster);
        let there = self.at.containers(HashMap::from([("label".to_owned(), vec![filter])])).await?;
        let there = &there;
        let each = self.project.services.iter().map(|service| async move {
            let own = there.iter().filter(|container| self.is_own(&container.labels));
            let mut own = own.filter(|container| labels::node(&container.labels).as_ref() == Some(&service.node));
            match own.next() {
                Some(container) => self.keep_or_replace(service, container.clone(), networks, image_volumes).await,
                None => self.make(service, networks, image_volumes).await,
            }
        });
        // Collected before they are polled: a closure over references in the stream would make `up` no `Send` future.
        stream::iter(each.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await
    }

    async fn keep_or_replace(
        self,
        service: &ServiceSpec,
        container: RawContainer,
        networks: &Networks,
        image_volumes: &ImageVolumes,
    ) -> Result<Made, EngineError> {
        let same = labels::config_hash(&container.labels).as_deref() == Some(service.config_hash.as_str());
        if same && container.state != NodeState::Dead && container.name == service.container_name {
            if let Some(made) = self.keep(service, &container, networks).await? {
                return Ok(made);
            }
        } else {
            self.remove_container(&container).await?;
        }
        self.make(service, networks, image_volumes).await
    }

    /// Finishes what a half-made container may still lack. `None` if it is not there, though it was in the list: an
    /// engine lists a container some time before it knows it, when a call whose caller died is still making it.
    async fn keep(
        self,
        service: &ServiceSpec,
        container: &RawContainer,
        networks: &Networks,
    ) -> Result<Option<Made>, EngineError> {
        if container.state == NodeState::Created && !self.is_there(container).await? {
            return Ok(None);
        }
        let absent = |key: &str| networks.get(key).is_some_and(|network| !container.is_on(network));
        for (key, aliases) in service.networks.iter().filter(|(key, _)| absent(key)) {
            self.join(service, &container.id, key, aliases, networks).await?;
        }
        let state = match (container.state, service.restart, container.exit_code) {
            (NodeState::Running | NodeState::Restarting, _, _) => MadeState::Running,
            (NodeState::Paused, _, _) => MadeState::Paused,
            (NodeState::Exited, RestartPolicy::No, Some(0)) => MadeState::Done,
            _ => MadeState::Waiting,
        };
        Ok(Some(Made { node: service.node.clone(), id: container.id.clone(), state }))
    }

    async fn is_there(self, container: &RawContainer) -> Result<bool, EngineError> {
        let thing = format!("container {}", container.name);
        let inspect = self.at.docker().inspect_container(&container.id, None::<InspectContainerOptions>);
        match self.at.call(Step("looking at", &thing), deadline::LOOK, inspect).await {
            Ok(_) => Ok(true),
            Err(EngineError::Gone { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn make(
        self,
        service: &ServiceSpec,
        networks: &Networks,
        image_volumes: &ImageVolumes,
    ) -> Result<Made, EngineError> {
        let name = &service.container_name;
        (self.report)(Progress::Creating { name: name.clone() });
        let body = body::container(self.project, service, self.owner, networks, image_volumes)?;
        let thing = format!("container {name}");
        for pause in CONFLICT_PAUSES {
            let options = CreateContainerOptionsBuilder::default().name(name).build();
            let create = self.at.docker().create_container(Some(options), body.clone());
            let error = match self.at.call(Step("making", &thing), deadline::CREATE, create).await {
                Ok(made) => {
                    for (key, aliases) in service.networks.iter().skip(1) {
                        self.join(service, &made.id, key, aliases, networks).await?;
                    }
                    return Ok(Made { node: service.node.clone(), id: made.id, state: MadeState::Waiting });
                }
                Err(error) => error,
            };
            match error {
                // The image, then: a network would have been named.
                EngineError::Gone { what } if what == thing => {
                    let reason = "it was removed a moment ago".to_owned();
                    return Err(EngineError::ImageMissing { image: service.image.clone(), reason });
                }
                error if !error_map::is_conflict(&error) => return Err(error),
                _ => {}
            }
            match self.holder(name).await? {
                Holder::Us(container) if self.is_as_wanted(&container, service) => {
                    match self.keep(service, &container, networks).await? {
                        Some(made) => return Ok(made),
                        None => sleep(self.at.pause(pause)).await,
                    }
                }
                Holder::Us(container) => self.remove_container(&container).await?,
                Holder::Other(by) => return Err(EngineError::NameTaken { name: name.clone(), by }),
                Holder::Nobody => sleep(self.at.pause(pause)).await,
            }
        }
        let by = "a container that is still being made or removed".to_owned();
        Err(EngineError::NameTaken { name: name.clone(), by })
    }

    fn is_as_wanted(self, container: &RawContainer, service: &ServiceSpec) -> bool {
        container.state != NodeState::Dead
            && labels::node(&container.labels).as_ref() == Some(&service.node)
            && labels::config_hash(&container.labels).as_deref() == Some(service.config_hash.as_str())
    }

    async fn holder(self, name: &str) -> Result<Holder, EngineError> {
        // The filter takes a part of a name, and a name's hyphens and underscores mean nothing special in it.
        let filters = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let holder = self.at.containers(filters).await?.into_iter().find(|container| container.name == name);
        Ok(match holder {
            None => Holder::Nobody,
            Some(container) if self.is_own(&container.labels) => Holder::Us(Box::new(container)),
            Some(container) => Holder::Other(labels::maker("container", &container.labels, self.owner)),
        })
    }

    /// Removes a container of this cluster, with its anonymous volumes, and waits until its name is free.
    async fn remove_container(self, container: &RawContainer) -> Result<(), EngineError> {
        let thing = format!("container {}", container.name);
        for pause in CONFLICT_PAUSES {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let remove = self.at.docker().remove_container(&container.id, Some(options));
            match self.at.call(Step("removing", &thing), deadline::REMOVE, remove).await {
                Ok(()) | Err(EngineError::Gone { .. }) => {}
                Err(error) if error_map::passes_by_itself(&error) => {}
                Err(error) => return Err(error),
            }
            if !self.is_there(container).await? {
                return Ok(());
            }
            sleep(self.at.pause(pause)).await;
        }
        Err(EngineError::NotEmpty { left: vec![thing] })
    }

    async fn join(
        self,
        service: &ServiceSpec,
        container: &str,
        key: &str,
        aliases: &[String],
        networks: &Networks,
    ) -> Result<(), EngineError> {
        let id = body::network_id(service, key, networks)?;
        let request =
            NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(body::endpoint(aliases)) };
        let thing = format!("container {} on network {key}", service.container_name);
        let connect = self.at.docker().connect_network(&id, request);
        match self.at.call(Step("putting", &thing), deadline::CREATE, connect).await {
            // Another's call, whose caller died, came first.
            Err(EngineError::Refused { message, .. }) if message.contains("already exists in network") => Ok(()),
            other => other,
        }
    }
}

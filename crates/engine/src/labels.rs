//! The labels on everything that is ours, and how they are read back.
//!
//! Two sets: ours, by which things are found again, and those that Compose itself would have put there, so that its
//! command line shows and handles our projects. A template's own labels come first, so it cannot forge either.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use common::compose::{Condition, NetworkSpec, Project, ServiceSpec, VolumeSpec};
use common::model::{ClusterId, FlavorId, HostId, NodeName, PoolId, Slot};

pub(crate) const POOL: &str = "org.poolmanager.pool";
pub(crate) const CLUSTER: &str = "org.poolmanager.cluster";
const HOST: &str = "org.poolmanager.host";
const SLOT: &str = "org.poolmanager.slot";
const FLAVOR: &str = "org.poolmanager.flavor";
const FLAVOR_DIGEST: &str = "org.poolmanager.flavor-digest";

const COMPOSE_PROJECT: &str = "com.docker.compose.project";
const COMPOSE_SERVICE: &str = "com.docker.compose.service";
const COMPOSE_NUMBER: &str = "com.docker.compose.container-number";
const COMPOSE_ONEOFF: &str = "com.docker.compose.oneoff";
const COMPOSE_HASH: &str = "com.docker.compose.config-hash";
const COMPOSE_DEPENDS_ON: &str = "com.docker.compose.depends_on";
const COMPOSE_VERSION: &str = "com.docker.compose.version";
const COMPOSE_NETWORK: &str = "com.docker.compose.network";
const COMPOSE_VOLUME: &str = "com.docker.compose.volume";

/// The Compose release whose labels these are; its command line reads it as a version.
const LABELS_AS_OF: &str = "2.26.1";

/// Whose a cluster is and what it is: written on everything it has on an engine, read back by a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The pool; objects of another one are foreign.
    pub pool: PoolId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The host's record.
    pub host: HostId,
    /// Its place there.
    pub slot: Slot,
    /// What it is.
    pub flavor: FlavorId,
    /// Hash of what the flavor meant when this was made.
    pub flavor_digest: String,
}

type Labels = HashMap<String, String>;

impl Ownership {
    pub(crate) fn on_network(&self, project: &Project, network: &NetworkSpec) -> Labels {
        let compose = [(COMPOSE_NETWORK, network.key.clone())];
        self.on(project, &network.labels, compose)
    }

    pub(crate) fn on_volume(&self, project: &Project, volume: &VolumeSpec) -> Labels {
        let compose = [(COMPOSE_VOLUME, volume.key.clone())];
        self.on(project, &volume.labels, compose)
    }

    pub(crate) fn on_anonymous_volume(&self, project: &Project) -> Labels {
        self.on(project, &BTreeMap::new(), [])
    }

    pub(crate) fn on_container(&self, project: &Project, service: &ServiceSpec) -> Labels {
        let compose = [
            (COMPOSE_SERVICE, service.node.to_string()),
            (COMPOSE_NUMBER, "1".to_owned()),
            (COMPOSE_ONEOFF, "False".to_owned()),
            (COMPOSE_HASH, service.config_hash.clone()),
            (COMPOSE_DEPENDS_ON, depends_on(service)),
        ];
        self.on(project, &service.labels, compose)
    }

    fn on<'a>(
        &self,
        project: &Project,
        own: impl IntoIterator<Item = (&'a String, &'a String)>,
        compose: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Labels {
        let ours = [
            (POOL, self.pool.to_string()),
            (CLUSTER, self.cluster.to_string()),
            (HOST, self.host.to_string()),
            (SLOT, self.slot.to_string()),
            (FLAVOR, self.flavor.to_string()),
            (FLAVOR_DIGEST, self.flavor_digest.clone()),
            (COMPOSE_PROJECT, project.name.clone()),
            (COMPOSE_VERSION, LABELS_AS_OF.to_owned()),
        ];
        let own = own.into_iter().map(|(key, value)| (key.clone(), value.clone()));
        own.chain(ours.into_iter().chain(compose).map(|(key, value)| (key.to_owned(), value))).collect()
    }
}

/// `db:service_healthy:false`, as Compose writes it: name, condition, whether a restart of the one restarts the other.
fn depends_on(service: &ServiceSpec) -> String {
    let each = service.depends_on.iter().map(|(node, condition)| {
        let condition = match condition {
            Condition::Started => "service_started",
            Condition::Healthy => "service_healthy",
            Condition::CompletedSuccessfully => "service_completed_successfully",
        };
        format!("{node}:{condition}:false")
    });
    each.collect::<Vec<_>>().join(",")
}

/// Our labels, read back from an object that carries all that a survey needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) pool: PoolId,
    pub(crate) cluster: ClusterId,
    pub(crate) host: HostId,
    pub(crate) slot: Slot,
    pub(crate) flavor_digest: String,
}

impl Mark {
    pub(crate) fn read<S: BuildHasher>(labels: &HashMap<String, String, S>) -> Option<Mark> {
        Some(Mark {
            pool: PoolId::parse(labels.get(POOL)?).ok()?,
            cluster: ClusterId::parse(labels.get(CLUSTER)?).ok()?,
            host: HostId::parse(labels.get(HOST)?).ok()?,
            slot: Slot(labels.get(SLOT)?.parse().ok()?),
            flavor_digest: labels.get(FLAVOR_DIGEST)?.clone(),
        })
    }
}

pub(crate) fn node(labels: &Labels) -> Option<NodeName> {
    NodeName::parse(labels.get(COMPOSE_SERVICE)?).ok()
}

pub(crate) fn config_hash(labels: &Labels) -> Option<String> {
    labels.get(COMPOSE_HASH).cloned()
}

/// Who made something, for people who find it in their way. `kind` is `container`, `network` or `volume`.
pub(crate) fn maker(kind: &str, labels: &Labels, owner: &Ownership) -> String {
    if let Some(mark) = Mark::read(labels) {
        return if mark.pool == owner.pool {
            format!("a {kind} of cluster {} in slot {}", mark.cluster, mark.slot)
        } else {
            format!("a {kind} of another pool, {}", mark.pool)
        };
    }
    match labels.get(COMPOSE_PROJECT) {
        Some(project) => format!("a {kind} of compose project {project}"),
        None => format!("a {kind} that PoolManager did not make"),
    }
}

#[cfg(test)]
#[path = "labels_test.rs"]
mod tests;

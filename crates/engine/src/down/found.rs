//! What a cluster has on an engine, found by label, by network membership and by name.

use std::collections::HashMap;
use std::fmt;

use bollard::query_parameters::ListImagesOptionsBuilder;
use common::model::{ClusterId, PoolId};

use crate::call::Fenced;
use crate::error_map::Step;
use crate::labels::Mark;
use crate::raw::Raw;
use crate::{EngineError, deadline};

/// What is to go, in the order in which it can.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Belongings {
    pub(super) containers: Vec<Thing>,
    /// Foreign containers on the cluster's networks: to be disconnected.
    pub(super) guests: Vec<(Thing, NetworkId)>,
    pub(super) networks: Vec<Thing>,
    pub(super) volumes: Vec<Thing>,
    pub(super) images: Vec<Thing>,
    /// Whether any of it carries no label: what nodes started and built themselves.
    pub(super) offspring: bool,
}

pub(super) type NetworkId = String;

/// One thing on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    /// What the engine is asked by.
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Guest,
    Network,
    Volume,
    Image,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Container => "container",
            Kind::Guest => "the connection of foreign container",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Image => "image",
        };
        write!(f, "{kind} {}", self.name)
    }
}

impl Belongings {
    /// Guests do not count: they hang on a network that is there, too.
    pub(super) fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty() && self.volumes.is_empty() && self.images.is_empty()
    }

    /// The name of a network of which the engine says that it has endpoints, if only that is left and nothing is on it.
    pub(super) fn stuck_network<'a>(&self, refusal: impl Fn(&Thing) -> Option<&'a str>) -> Option<String> {
        let alone = self.containers.is_empty()
            && self.guests.is_empty()
            && self.volumes.is_empty()
            && self.images.is_empty()
            && !self.networks.is_empty();
        let stuck = |network| refusal(network).is_some_and(|reason| reason.contains("active endpoints"));
        (alone && self.networks.iter().all(stuck))
            .then(|| self.networks.iter().map(|network| network.name.as_str()).collect::<Vec<_>>().join(", "))
    }

    pub(super) fn into_things(self) -> impl Iterator<Item = Thing> {
        let guests = self.guests.into_iter().map(|(guest, _)| guest);
        self.containers.into_iter().chain(guests).chain(self.networks).chain(self.volumes).chain(self.images)
    }
}

impl Fenced<'_> {
    /// Looks at everything once.
    pub(super) async fn belongings(
        self,
        pool: &PoolId,
        cluster: &ClusterId,
        prefixes: &[String],
    ) -> Result<Belongings, EngineError> {
        let raw = self.look().await?;
        let mut found = pick(&raw, pool, cluster, prefixes);
        if !prefixes.is_empty() {
            found.images = self.images_named(prefixes).await?;
            found.offspring |= !found.images.is_empty();
        }
        Ok(found)
    }

    async fn images_named(self, prefixes: &[String]) -> Result<Vec<Thing>, EngineError> {
        let patterns = prefixes.iter().map(|prefix| format!("{prefix}*")).collect();
        let filters = HashMap::from([("reference".to_owned(), patterns)]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let list = self.docker().list_images(Some(options));
        let list = self.call(Step("listing", "images"), deadline::LOOK, list).await?;
        let names = list.into_iter().flat_map(|image| image.repo_tags);
        // An image may have other people's names beside ours; the names go one by one, and the image with the last.
        let ours = names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())));
        Ok(ours.map(|name| Thing { kind: Kind::Image, id: name.clone(), name }).collect())
    }
}

/// Tells what is the cluster's.
fn pick(raw: &Raw, pool: &PoolId, cluster: &ClusterId, prefixes: &[String]) -> Belongings {
    let ours = |labels: &HashMap<String, String>| {
        Mark::read(labels).is_some_and(|mark| mark.pool == *pool && mark.cluster == *cluster)
    };
    let thing = |kind, id: &str, name: &str| Thing { kind, id: id.to_owned(), name: name.to_owned() };
    let mut found = Belongings::default();
    let networks: Vec<_> = raw.networks.iter().filter(|network| ours(&network.labels)).collect();
    for container in &raw.containers {
        // A name alone does not make ours what carries another's mark.
        let offspring = container.mark().is_none() && prefixes.iter().any(|prefix| container.name.starts_with(prefix));
        if offspring || ours(&container.labels) {
            found.offspring |= offspring;
            found.containers.push(thing(Kind::Container, &container.id, &container.name));
            continue;
        }
        for network in networks.iter().filter(|network| container.is_on(network)) {
            found.guests.push((thing(Kind::Guest, &container.id, &container.name), network.id.clone()));
        }
    }
    found.networks = networks.into_iter().map(|n| thing(Kind::Network, &n.id, &n.name)).collect();
    let volumes = raw.volumes.iter().filter(|volume| ours(&volume.labels));
    found.volumes = volumes.map(|v| thing(Kind::Volume, &v.name, &v.name)).collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{container, labelled, network, volume};

    #[test]
    fn what_is_the_clusters_goes_and_guests_are_only_disconnected() {
        let (pool, cluster, other) = (PoolId::random(), ClusterId::random(), ClusterId::random());
        let prefix = format!("{cluster}-");
        let raw = Raw {
            containers: vec![
                container("h_0_vp0", labelled(&pool, &cluster), &["h_0_net"]),
                container(&format!("{cluster}-vp0-aa"), HashMap::new(), &["h_0_net"]),
                container(&format!("{cluster}-vp0-bb"), labelled(&pool, &other), &[]),
                container("web", HashMap::new(), &["h_0_net", "bridge"]),
                container("h_1_vp0", labelled(&pool, &other), &["h_1_net"]),
                container("h_0_vp1", labelled(&PoolId::random(), &cluster), &[]),
            ],
            networks: vec![
                network("h_0_net", labelled(&pool, &cluster)),
                network("h_1_net", labelled(&pool, &other)),
                network("bridge", HashMap::new()),
            ],
            volumes: vec![volume("h_0_data", labelled(&pool, &cluster)), volume("other", HashMap::new())],
        };
        let found = pick(&raw, &pool, &cluster, &[prefix]);
        let names = |things: &[Thing]| things.iter().map(|thing| thing.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.containers), ["h_0_vp0".to_owned(), format!("{cluster}-vp0-aa")]);
        assert_eq!(found.guests.iter().map(|(guest, _)| guest.name.as_str()).collect::<Vec<_>>(), ["web"]);
        assert!(found.offspring, "one of the containers has no label");
        assert_eq!(names(&found.networks), ["h_0_net"]);
        assert_eq!(names(&found.volumes), ["h_0_data"]);
    }

    #[test]
    fn a_name_without_a_prefix_of_ours_is_never_enough() {
        let (pool, cluster) = (PoolId::random(), ClusterId::random());
        let raw = Raw { containers: vec![container(&format!("{cluster}-vp0"), HashMap::new(), &[])], ..Raw::default() };
        assert!(pick(&raw, &pool, &cluster, &[]).is_empty());
    }
}

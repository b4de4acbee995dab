//! One round of removals.

use std::collections::BTreeMap;

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions};
use futures_util::stream::{self, StreamExt};

use super::Removed;
use super::found::{Belongings, Kind, NetworkId, Thing};
use crate::call::Fenced;
use crate::error_map::{self, Step};
use crate::raw::is_anonymous;
use crate::up::AT_ONCE;
use crate::{EngineError, deadline};

/// What the engine said to each thing that it would not remove.
pub(super) type Refusals = BTreeMap<String, String>;

impl Fenced<'_> {
    /// Tries to remove each thing once. An error is one that ends the whole work: the engine is away, or we may not act
    /// any more; or it hangs, after everything else was tried.
    pub(super) async fn remove_all(self, found: Belongings, removed: &mut Removed) -> Result<Refusals, EngineError> {
        let mut round = Round { at: self, refusals: Refusals::new(), failed: 0, hung: None };
        // Kind by kind: a network and a volume can go only when no container uses them, an image likewise.
        let plain = |things: Vec<Thing>| things.into_iter().map(|thing| (thing, None)).collect();
        removed.containers.extend(round.remove(plain(found.containers)).await?);
        round.remove(found.guests.into_iter().map(|(guest, network)| (guest, Some(network))).collect()).await?;
        removed.images.extend(round.remove(plain(found.images)).await?);
        // What carries no label (chaincode, its images) is found by the network or a volume alone when the cluster's record is
        // gone, so those stay until a look shows that it went, lest an end in between leave it for ever.
        if round.failed == 0 && !found.offspring {
            removed.networks.extend(round.remove(plain(found.networks)).await?);
            removed.volumes.extend(round.remove(plain(found.volumes)).await?);
        }
        round.hung.map_or(Ok(round.refusals), Err)
    }

    async fn remove_one(self, thing: &Thing, network: Option<&NetworkId>) -> Result<(), EngineError> {
        let (docker, id) = (self.docker(), thing.id.as_str());
        let text = thing.to_string();
        let step = Step("removing", &text);
        match (thing.kind, network) {
            (Kind::Container, _) => {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                self.call(step, deadline::REMOVE, docker.remove_container(id, Some(options))).await
            }
            (Kind::Guest, Some(network)) => {
                let request = NetworkDisconnectRequest { container: id.to_owned(), force: Some(true) };
                self.call(step, deadline::REMOVE, docker.disconnect_network(network, request)).await
            }
            (Kind::Guest, None) => Ok(()),
            (Kind::Network, _) => self.call(step, deadline::REMOVE, docker.remove_network(id)).await,
            (Kind::Volume, _) => {
                self.call(step, deadline::REMOVE, docker.remove_volume(id, None::<RemoveVolumeOptions>)).await
            }
            (Kind::Image, _) => {
                let options = RemoveImageOptionsBuilder::default().force(true).build();
                self.call(step, deadline::REMOVE, docker.remove_image(id, Some(options), None)).await.map(drop)
            }
        }
    }
}

/// One round's state.
struct Round<'a> {
    at: Fenced<'a>,
    refusals: Refusals,
    /// How many calls did not do what they should.
    failed: usize,
    /// The first call that got no answer in time.
    hung: Option<EngineError>,
}

impl Round<'_> {
    /// Gives the names of what was removed.
    async fn remove(&mut self, things: Vec<(Thing, Option<NetworkId>)>) -> Result<Vec<String>, EngineError> {
        let at = self.at;
        let mut answers = stream::iter(things)
            .map(|(thing, network)| async move {
                let answer = at.remove_one(&thing, network.as_ref()).await;
                (thing, answer)
            })
            .buffer_unordered(AT_ONCE);
        let mut gone = Vec::new();
        while let Some((thing, answer)) = answers.next().await {
            match answer {
                Ok(()) => gone.push(thing.name),
                // Another's doing, or an anonymous volume that went with its container.
                Err(EngineError::Gone { .. }) => {}
                Err(error @ (EngineError::Fenced | EngineError::Unreachable { .. })) => return Err(error),
                Err(error @ EngineError::Timeout { .. }) => {
                    self.failed += 1;
                    self.hung = Some(error);
                }
                Err(error) => {
                    if !error_map::passes_by_itself(&error) {
                        tracing::debug!(thing = %thing, error = %error, "{thing} was not removed: {error}");
                    }
                    self.failed += 1;
                    self.refusals.insert(thing.to_string(), reason(error));
                }
            }
        }
        gone.sort_by_key(|name| (is_anonymous(name), name.clone()));
        Ok(gone)
    }
}

/// The engine's own words; what was asked stands beside them.
fn reason(error: EngineError) -> String {
    match error {
        EngineError::Refused { message, .. } => message,
        other => other.to_string(),
    }
}

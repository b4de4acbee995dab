//! What a reset removes beside our own: foreign things that an operator was shown, and no others.

use std::collections::BTreeSet;

use common::model::{ForeignKind, ForeignThing, MAX_FOREIGN, PoolId};
use tokio::time::sleep;

use super::deployment::deployment;
use super::found::{Belongings, Kind, Thing};
use super::remove::Refusals;
use super::{PAUSES, Removed};
use crate::call::{Fenced, open};
use crate::foreign::Foreign;
use crate::raw::{Raw, RawNetwork};
use crate::survey::tell_apart;
use crate::{Engine, EngineError, Fence};

/// Networks that an engine or its swarm makes for itself.
const ENGINES_OWN: [&str; 5] = ["bridge", "host", "none", "ingress", "docker_gwbridge"];

/// Something that is not this pool's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// What it is.
    pub thing: ForeignThing,
    /// It is part of a PoolManager that is deployed on this engine: app, admin, what stands beside them in their Compose
    /// project, and its networks.
    pub poolmanager: bool,
}

impl Engine {
    /// What a reset could remove of others: containers, running or not, and networks that somebody made, other pools'
    /// included; containers first, then by name, at most [`MAX_FOREIGN`]. Chaincode whose cluster has nothing labelled here
    /// any more is among them.
    pub async fn foreign(&self, pool: &PoolId) -> Result<Vec<Stranger>, EngineError> {
        let raw = Fenced { engine: self, fence: &open }.look().await?;
        let own = deployment(&raw);
        let things = things(tell_apart(pool, &raw).1);
        Ok(things.into_iter().map(|thing| Stranger { poolmanager: own.contains(thing.id.as_str()), thing }).collect())
    }

    /// Removes these things, by the engine's ids for them: containers with their anonymous volumes, then networks. What is
    /// gone already is fine. Named volumes and images stay: nobody can make again what is in them.
    ///
    /// What is this pool's by now, is the engine's own, or is a network of containers that are not listed stays, and is
    /// named in [`EngineError::NotEmpty`]; all else of the list is gone then.
    pub async fn remove_foreign(
        &self,
        pool: &PoolId,
        things: &[ForeignThing],
        fence: Fence<'_>,
    ) -> Result<Removed, EngineError> {
        fence()?;
        let at = Fenced { engine: self, fence };
        let mut removed = Removed::default();
        let mut refusals = Refusals::new();
        for (round, pause) in PAUSES.into_iter().enumerate() {
            if round > 1 || !refusals.is_empty() {
                sleep(pause).await;
            }
            let task = Task::of(pool, &at.look().await?, things);
            if task.goes.is_empty() {
                return task.end(&refusals, removed);
            }
            refusals = at.remove_all(task.goes, &mut removed).await?;
        }
        Task::of(pool, &at.look().await?, things).end(&refusals, removed)
    }
}

fn things(foreign: Foreign) -> Vec<ForeignThing> {
    let containers = foreign.containers.into_iter().map(|c| (ForeignKind::Container, c.id, c.name));
    let networks = foreign.networks.into_iter().map(|n| (ForeignKind::Network, n.id, n.name));
    let networks = networks.filter(|(_, _, name)| !ENGINES_OWN.contains(&name.as_str()));
    let things = containers.chain(networks).map(|(kind, id, name)| ForeignThing { kind, id, name });
    let mut things: Vec<_> = things.collect();
    things.sort_by(|a, b| (a.kind, &a.name, &a.id).cmp(&(b.kind, &b.name, &b.id)));
    things.truncate(MAX_FOREIGN);
    things
}

/// What is still there of a list.
#[derive(Debug, Default)]
struct Task {
    goes: Belongings,
    /// What must not be touched, and why.
    stays: Vec<String>,
}

impl Task {
    fn of(pool: &PoolId, raw: &Raw, things: &[ForeignThing]) -> Task {
        let foreign = tell_apart(pool, raw).1;
        let listed = |kind| things.iter().filter(move |thing| thing.kind == kind).map(|thing| thing.id.as_str());
        let containers: BTreeSet<&str> = listed(ForeignKind::Container).collect();
        let networks: BTreeSet<&str> = listed(ForeignKind::Network).collect();
        let mut task = Task::default();
        for container in raw.containers.iter().filter(|container| containers.contains(container.id.as_str())) {
            let thing = Thing { kind: Kind::Container, id: container.id.clone(), name: container.name.clone() };
            if foreign.containers.iter().any(|foreign| foreign.id == container.id) {
                task.goes.containers.push(thing);
            } else {
                task.stays.push(format!("{thing} (it is this pool's)"));
            }
        }
        for network in raw.networks.iter().filter(|network| networks.contains(network.id.as_str())) {
            let thing = Thing { kind: Kind::Network, id: network.id.clone(), name: network.name.clone() };
            let user = raw.containers.iter().find(|c| c.is_on(network) && !containers.contains(c.id.as_str()));
            if let Some(why) = why_kept(network, &foreign) {
                task.stays.push(format!("{thing} ({why})"));
            } else if let Some(user) = user {
                task.stays.push(format!("{thing} (container {} uses it)", user.name));
            } else {
                task.goes.networks.push(thing);
            }
        }
        task
    }

    fn end(self, refusals: &Refusals, removed: Removed) -> Result<Removed, EngineError> {
        let refused = self.goes.into_things().map(|thing| match refusals.get(&thing.to_string()) {
            Some(reason) => format!("{thing} ({reason})"),
            None => thing.to_string(),
        });
        let left: Vec<_> = self.stays.into_iter().chain(refused).collect();
        if left.is_empty() { Ok(removed) } else { Err(EngineError::NotEmpty { left }) }
    }
}

fn why_kept(network: &RawNetwork, foreign: &Foreign) -> Option<&'static str> {
    if !foreign.networks.iter().any(|foreign| foreign.id == network.id) {
        Some("it is this pool's")
    } else if ENGINES_OWN.contains(&network.name.as_str()) {
        Some("it is the engine's own")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use common::model::ClusterId;

    use super::*;
    use crate::testing::{container, labelled, network, volume};

    fn thing(kind: ForeignKind, name: &str) -> ForeignThing {
        ForeignThing { kind, id: format!("id-of-{name}"), name: name.to_owned() }
    }

    fn host(pool: &PoolId, cluster: &ClusterId) -> Raw {
        let theirs = labelled(&PoolId::random(), &ClusterId::random());
        Raw {
            containers: vec![
                container("web", HashMap::new(), &["shop"]),
                container("theirs", theirs.clone(), &["theirs_net"]),
                container("ours", labelled(pool, cluster), &["ours_net"]),
                container(&format!("{cluster}-vp0-aa"), HashMap::new(), &["ours_net"]),
                container(&format!("{}-vp0-aa", ClusterId::random()), HashMap::new(), &[]),
            ],
            networks: ["bridge", "host", "none", "ingress", "docker_gwbridge", "shop"]
                .map(|name| network(name, HashMap::new()))
                .into_iter()
                .chain([network("theirs_net", theirs), network("ours_net", labelled(pool, cluster))])
                .collect(),
            volumes: vec![volume("shop_data", HashMap::new())],
        }
    }

    #[test]
    fn what_is_not_this_pools_is_foreign_but_for_what_engines_make_for_themselves() {
        let (pool, cluster) = (PoolId::random(), ClusterId::random());
        let things = things(tell_apart(&pool, &host(&pool, &cluster)).1);
        let names: Vec<_> = things.iter().map(|thing| (thing.kind, thing.name.as_str())).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names[0].1.ends_with("-vp0-aa"), "chaincode that is left alone: {names:?}");
        assert_eq!(
            names[1..],
            [
                (ForeignKind::Container, "theirs"),
                (ForeignKind::Container, "web"),
                (ForeignKind::Network, "shop"),
                (ForeignKind::Network, "theirs_net"),
            ]
        );
    }

    #[test]
    fn more_than_one_reset_removes_is_cut() {
        let containers = (0..MAX_FOREIGN + 5).map(|n| container(&format!("c{n:05}"), HashMap::new(), &[])).collect();
        let raw = Raw { containers, ..Raw::default() };
        let things = things(tell_apart(&PoolId::random(), &raw).1);
        assert_eq!((things.len(), things[MAX_FOREIGN - 1].name.as_str()), (MAX_FOREIGN, "c00999"));
    }

    #[test]
    fn only_what_is_listed_goes_and_what_is_ours_or_in_use_is_named() {
        use ForeignKind::{Container, Network};
        let (pool, cluster) = (PoolId::random(), ClusterId::random());
        let chaincode = format!("{cluster}-vp0-aa");
        let list = [
            thing(Container, "web"),
            thing(Network, "theirs_net"),
            thing(Container, "ours"),
            thing(Container, &chaincode),
            thing(Network, "bridge"),
            thing(Network, "shop"),
            thing(Container, "gone-since"),
        ];
        let task = Task::of(&pool, &host(&pool, &cluster), &list);
        assert_eq!(task.goes.containers.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["web"]);
        assert_eq!(task.goes.networks.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["shop"]);
        assert!(task.goes.volumes.is_empty() && task.goes.images.is_empty() && task.goes.guests.is_empty());
        let stays = [
            "container ours (it is this pool's)".to_owned(),
            format!("container {chaincode} (it is this pool's)"),
            "network bridge (it is the engine's own)".to_owned(),
            "network theirs_net (container theirs uses it)".to_owned(),
        ];
        assert_eq!(task.stays, stays);
    }
}

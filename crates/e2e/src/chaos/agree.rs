//! Whether the engine has what the store says, container by container. Plain functions.

use std::collections::BTreeMap;

use common::model::{Cluster, Health, NodeState, Phase, Timestamp};

use crate::on_engine::Found;

/// Every difference, in words.
pub fn differences(clusters: &[Cluster], found: &BTreeMap<String, Found>) -> Vec<String> {
    let mut all = Vec::new();
    for cluster in clusters {
        let Some(there) = found.get(cluster.id.as_str()) else {
            all.push(format!("{} ({}) has nothing on the engine", cluster.name, cluster.id));
            continue;
        };
        let mut containers: BTreeMap<&str, _> = there.containers.iter().map(|c| (c.node.as_str(), c)).collect();
        if containers.len() != there.containers.len() {
            all.push(format!("{}: a node has two containers: {there:?}", cluster.name));
        }
        for (name, node) in &cluster.nodes {
            let there = containers.remove(name.as_str());
            let state = there.map_or("none", |c| c.state.as_str());
            if there.map(|c| c.id.as_str()) != node.container.as_deref() || !same(node.state, state) {
                all.push(format!("{} {name}: recorded is {node:?}, on the engine {there:?}", cluster.name));
            }
        }
        all.extend(containers.values().map(|c| format!("{}: {c:?} is no node of it", cluster.name)));
        if there.networks.len() != 1 || !there.volumes.is_empty() {
            all.push(format!("{}: networks {:?}, volumes {:?}", cluster.name, there.networks, there.volumes));
        }
    }
    let strange = found.iter().filter(|(id, _)| !clusters.iter().any(|cluster| cluster.id.as_str() == **id));
    all.extend(strange.map(|(id, there)| format!("{id} is in no record: {there:?}")));
    all
}

fn same(recorded: NodeState, there: &str) -> bool {
    match recorded {
        NodeState::Running => there == "running",
        NodeState::Exited => there == "exited",
        NodeState::Paused => there == "paused",
        NodeState::Restarting => there == "restarting",
        NodeState::Created => there == "created",
        NodeState::Dead => there == "dead",
        NodeState::Missing | NodeState::Gone => there == "none",
    }
}

/// What is not at rest, in words: a pool at rest has as many clusters as its host may have, and each can be given out or
/// is well in somebody's hand. Whose node was removed has it no more: nothing can be done for her but to show it.
pub fn unrest(clusters: &[Cluster], capacity: u16, now: Timestamp) -> Vec<String> {
    let mut all: Vec<String> = clusters
        .iter()
        .filter(|cluster| match &cluster.phase {
            Phase::Free { .. } => cluster.offer.as_ref().is_none_or(|offer| offer.until <= now),
            Phase::InUse { .. } => !lost_a_node(cluster) && (cluster.health != Health::Ok || !cluster.wishes_done()),
            _ => true,
        })
        .map(|cluster| format!("{} is {:?}, {:?}, {:?}", cluster.name, cluster.phase, cluster.health, cluster.nodes))
        .collect();
    let missing = usize::from(capacity).saturating_sub(clusters.len());
    all.extend((0..missing).map(|_| "a cluster is missing".to_owned()));
    all.extend((usize::from(capacity)..clusters.len()).map(|_| "a cluster is too many".to_owned()));
    all
}

fn lost_a_node(cluster: &Cluster) -> bool {
    matches!(cluster.health, Health::Failing { .. }) && cluster.nodes.values().any(|node| node.state == NodeState::Gone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::model::{ClusterId, ClusterName, FlavorId, HostId, HostName, NewCluster, NodeName, Slot};

    use super::*;
    use crate::on_engine::Container;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// Free, with two nodes that run.
    fn free() -> Cluster {
        let host = HostName::parse("h").unwrap();
        let mut cluster = Cluster::begin(NewCluster {
            id: ClusterId::random(),
            name: ClusterName::of(&host, Slot(0)),
            host: HostId::random(),
            host_name: host,
            slot: Slot(0),
            flavor: FlavorId::parse("f").unwrap(),
            flavor_digest: "d".into(),
            size: 2,
            nodes: ["vp0", "vp1"].map(|name| NodeName::parse(name).unwrap()).to_vec(),
            endpoints: BTreeMap::new(),
            now: NOW,
            deadline: NOW + Duration::from_secs(60),
        });
        for (name, node) in &mut cluster.nodes {
            (node.container, node.state) = (Some(format!("c-{name}")), NodeState::Running);
        }
        cluster.offer_out(0.5, NOW + Duration::from_secs(60), NOW).unwrap()
    }

    fn whole() -> Found {
        let container = |node: &str| Container { id: format!("c-{node}"), node: node.into(), state: "running".into() };
        Found { containers: vec![container("vp0"), container("vp1")], networks: vec!["n".into()], volumes: vec![] }
    }

    /// How many differences there are after this was done to what the engine has.
    fn after(change: impl FnOnce(&mut BTreeMap<String, Found>, &str)) -> usize {
        let cluster = free();
        let id = cluster.id.to_string();
        let mut found = BTreeMap::from([(id.clone(), whole())]);
        change(&mut found, &id);
        differences(&[cluster], &found).len()
    }

    #[test]
    fn every_way_to_differ_is_a_difference() {
        let here = |found: &mut BTreeMap<String, Found>, id: &str| std::mem::take(found.get_mut(id).unwrap());
        assert_eq!(after(|_, _| ()), 0);
        assert_eq!(after(|found, id| drop(found.remove(id))), 1, "all is gone");
        assert_eq!(after(|found, _| drop(found.insert("x".into(), whole()))), 1, "one is in no record");
        let with = |change: fn(&mut Found)| {
            after(|found, id| {
                let mut there = here(found, id);
                change(&mut there);
                found.insert(id.to_owned(), there);
            })
        };
        assert_eq!(with(|there| there.containers[0].id = "other".into()), 1, "another container");
        assert_eq!(with(|there| there.containers[0].state = "exited".into()), 1, "another state");
        assert_eq!(with(|there| drop(there.containers.pop())), 1, "a node is gone");
        assert_eq!(
            with(|there| there.containers.push(Container { node: "x".into(), ..whole().containers[0].clone() })),
            1
        );
        assert_eq!(with(|there| there.containers.push(whole().containers[0].clone())), 1, "a node twice");
        assert_eq!(with(|there| there.networks.clear()), 1);
        assert_eq!(with(|there| there.volumes.push("v".into())), 1);
    }

    #[test]
    fn at_rest_are_as_many_as_there_may_be_and_each_can_be_given_out() {
        let cluster = free();
        assert_eq!(unrest(std::slice::from_ref(&cluster), 1, NOW), Vec::<String>::new());
        assert_eq!(unrest(std::slice::from_ref(&cluster), 3, NOW).len(), 2, "two are missing");
        assert_eq!(unrest(&[cluster.clone(), free()], 1, NOW).len(), 1, "one is too many");
        assert_eq!(
            unrest(std::slice::from_ref(&cluster), 1, NOW + Duration::from_secs(61)).len(),
            1,
            "its offer is old"
        );
        let failed = cluster.remove(common::model::Why::PoolShrunk, NOW).unwrap();
        assert_eq!(unrest(&[failed], 1, NOW).len(), 1);
    }
}

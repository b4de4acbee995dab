//! Rules of telling ours from foreign.

use std::net::IpAddr;

use common::compose::Protocol;

use super::*;
use crate::PublishedPort;
use crate::testing::{Labels, container, labelled, network, volume};

fn survey(pool: &PoolId, raw: &Raw) -> Survey {
    sort_out(pool, raw, &SlotLayout::default())
}

#[test]
fn a_cluster_is_all_that_carries_its_label_and_what_its_nodes_started() {
    let (pool, cluster) = (PoolId::random(), ClusterId::random());
    let chaincode = format!("{cluster}-vp0-00ff");
    let raw = Raw {
        // The chaincode first: it must be found whatever the order of the list.
        containers: vec![
            container(&chaincode, Labels::new(), &["h_3_net"]),
            container("h_3_vp0", labelled(&pool, &cluster), &["h_3_net"]),
            container("web", Labels::new(), &["bridge"]),
        ],
        networks: vec![network("h_3_net", labelled(&pool, &cluster)), network("bridge", Labels::new())],
        volumes: vec![volume("h_3_data", labelled(&pool, &cluster)), volume("x", Labels::new())],
    };
    let survey = survey(&pool, &raw);
    assert_eq!(survey.ours.len(), 1);
    let found = &survey.ours[0];
    assert_eq!((&found.cluster, found.slot, found.flavor_digest.as_str()), (&cluster, Slot(3), "d1"));
    assert_eq!(found.containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), [&chaincode, "h_3_vp0"]);
    assert_eq!(found.containers[0].node, None);
    assert_eq!(found.networks[0].name, "h_3_net");
    assert_eq!(found.volumes, ["h_3_data"]);
    assert!(found.guests.is_empty());
    assert_eq!(survey.foreign.containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["web"]);
    assert_eq!(survey.foreign.networks.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["bridge"]);
    assert_eq!(survey.foreign.volumes, ["x"]);
}

#[test]
fn another_pools_objects_are_foreign_and_block_slots() {
    let (pool, other) = (PoolId::random(), PoolId::random());
    let mut theirs = container("h_0_vp0", labelled(&other, &ClusterId::random()), &["h_0_net"]);
    theirs.ports = vec![PublishedPort { ip: IpAddr::from([0, 0, 0, 0]), port: 7050, protocol: Protocol::Tcp }];
    let mut net = network("h_1_net", labelled(&other, &ClusterId::random()));
    net.subnets = vec!["10.212.1.0/24".parse().unwrap()];
    let survey = survey(&pool, &Raw { containers: vec![theirs], networks: vec![net], volumes: vec![] });
    assert!(survey.ours.is_empty());
    assert_eq!(survey.blocked.keys().copied().collect::<Vec<_>>(), [Slot(0), Slot(1)]);
    assert_eq!(survey.blocked[&Slot(0)], "port 7050 is published by container h_0_vp0");
}

#[test]
fn a_stranger_on_our_network_is_a_guest_and_stays_foreign() {
    let (pool, cluster) = (PoolId::random(), ClusterId::random());
    let raw = Raw {
        containers: vec![container("web", Labels::new(), &["h_3_net"])],
        networks: vec![network("h_3_net", labelled(&pool, &cluster))],
        volumes: vec![],
    };
    let survey = survey(&pool, &raw);
    assert_eq!(survey.ours[0].guests, ["web"]);
    assert!(survey.ours[0].containers.is_empty());
    assert_eq!(survey.foreign.containers.len(), 1);
}

#[test]
fn a_volume_alone_still_makes_a_cluster_found() {
    let (pool, cluster) = (PoolId::random(), ClusterId::random());
    let raw = Raw { volumes: vec![volume("h_3_data", labelled(&pool, &cluster))], ..Raw::default() };
    assert_eq!(survey(&pool, &raw).ours[0].cluster, cluster);
}

#[test]
fn a_network_of_the_same_name_does_not_make_a_container_its_guest() {
    let (pool, cluster) = (PoolId::random(), ClusterId::random());
    let mut twin = network("h_3_net", labelled(&pool, &cluster));
    twin.id = "another-id".to_owned();
    let raw =
        Raw { containers: vec![container("web", Labels::new(), &["h_3_net"])], networks: vec![twin], volumes: vec![] };
    assert!(survey(&pool, &raw).ours[0].guests.is_empty());
}

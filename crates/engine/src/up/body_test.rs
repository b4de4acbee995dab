//! Rules of a container's body.

use std::net::IpAddr;

use common::model::{ClusterId, PoolId};

use super::*;
use crate::testing::{self, network, project, service};

fn made(service: &ServiceSpec) -> Result<ContainerCreateBody, EngineError> {
    let owner = testing::owner(&PoolId::random(), &ClusterId::random());
    let networks = Networks::from([
        ("net".to_owned(), network("h_3_net", HashMap::new())),
        ("back".to_owned(), network("h_3_back", HashMap::new())),
    ]);
    let image_volumes = ImageVolumes::from([
        ("peer:1".to_owned(), ["/ledger/", "/scratch", "/data", "/tmp"].map(str::to_owned).to_vec()),
        ("other:1".to_owned(), vec!["/elsewhere".to_owned()]),
    ]);
    container(&project(vec![service.clone()]), service, &owner, &networks, &image_volumes)
}

#[test]
fn a_container_is_made_on_its_first_network_by_id_with_its_aliases() {
    let mut service = service("vp0", &[]);
    service.networks.insert("back".to_owned(), vec!["vp0".to_owned()]);
    let body = made(&service).unwrap();
    assert_eq!(body.host_config.unwrap().network_mode.as_deref(), Some("id-of-h_3_net"));
    let endpoints = body.networking_config.unwrap().endpoints_config.unwrap();
    assert_eq!(endpoints.len(), 1);
    assert_eq!(endpoints["id-of-h_3_net"].aliases.as_deref(), Some(&["vp0".to_owned()][..]));
}

#[test]
fn a_service_without_networks_gets_none() {
    let mut service = service("vp0", &[]);
    service.networks.clear();
    let body = made(&service).unwrap();
    assert_eq!(body.host_config.unwrap().network_mode.as_deref(), Some("none"));
    assert_eq!(body.networking_config, None);
}

#[test]
fn ports_are_published_where_they_were_asked_for() {
    let mut service = service("vp0", &[]);
    let port = |host_port, container_port, protocol| ContainerPort {
        host_ip: IpAddr::from([127, 0, 0, 1]),
        host_port,
        container_port,
        protocol,
    };
    service.ports =
        vec![port(7350, 7050, Protocol::Tcp), port(7351, 7050, Protocol::Tcp), port(7352, 53, Protocol::Udp)];
    let bindings = made(&service).unwrap().host_config.unwrap().port_bindings.unwrap();
    let published = |key: &str| {
        let list = bindings[key].as_ref().unwrap();
        list.iter().map(|b| b.host_port.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(published("7050/tcp"), ["7350", "7351"]);
    assert_eq!(published("53/udp"), ["7352"]);
}

#[test]
fn limits_and_mounts_are_passed_on() {
    let mut service = service("vp0", &[]);
    service.memory = Some(512 << 20);
    service.pids_limit = Some(128);
    service.restart = RestartPolicy::OnFailure(3);
    service.mounts = vec![
        MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: true },
        MountSpec::Anonymous { target: "/scratch".to_owned() },
    ];
    let host = made(&service).unwrap().host_config.unwrap();
    assert_eq!((host.memory, host.pids_limit, host.privileged), (Some(512 << 20), Some(128), Some(false)));
    assert_eq!(host.restart_policy.unwrap().maximum_retry_count, Some(3));
    let mounts = host.mounts.unwrap();
    assert_eq!((mounts[0].source.as_deref(), mounts[0].read_only), (Some("h_3_data"), Some(true)));
    assert_eq!((mounts[1].source.as_deref(), mounts[1].target.as_deref()), (None, Some("/scratch")));
}

#[test]
fn every_anonymous_volume_carries_our_labels_those_of_the_image_too() {
    let mut service = service("vp0", &[]);
    service.mounts = vec![
        MountSpec::Volume { key: "data".to_owned(), target: "/data".to_owned(), read_only: false },
        MountSpec::Anonymous { target: "/scratch/".to_owned() },
    ];
    service.tmpfs.insert("/tmp".to_owned(), String::new());
    let mounts = made(&service).unwrap().host_config.unwrap().mounts.unwrap();
    let targets: Vec<_> = mounts.iter().map(|mount| mount.target.as_deref().unwrap()).collect();
    assert_eq!(targets, ["/data", "/scratch/", "/ledger/"]);
    for mount in &mounts {
        let labels = mount.volume_options.as_ref().unwrap().labels.as_ref().unwrap();
        assert!(crate::labels::Mark::read(labels).is_some(), "{mount:?}");
    }
}

#[test]
fn a_network_or_volume_that_is_not_the_projects_is_refused_by_name() {
    let mut service = service("vp0", &[]);
    service.mounts = vec![MountSpec::Volume { key: "nowhere".to_owned(), target: "/x".to_owned(), read_only: false }];
    let refusal = made(&service).expect_err("an unknown volume").to_string();
    assert!(refusal.contains("vp0") && refusal.contains("volume nowhere"), "{refusal}");
}

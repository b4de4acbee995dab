//! Rules of living beside others: what stands in the way is named, and nothing that is not ours is touched.

use std::collections::HashMap;

use bollard::models::{
    HostConfig, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest, PortBinding, VolumeCreateRequest,
};
use bollard::query_parameters::{InspectContainerOptions, InspectNetworkOptions, TagImageOptionsBuilder};
use common::model::{NodeName, PoolId, Slot};
use engine::EngineError;

use crate::bench::Bench;
use crate::spec::{project, two, web};

async fn runs(bench: &Bench, id: &str) -> bool {
    let seen = bench.docker.inspect_container(id, None::<InspectContainerOptions>).await;
    seen.is_ok_and(|seen| seen.state.and_then(|state| state.running) == Some(true))
}

fn on(network: &str) -> HostConfig {
    HostConfig { network_mode: Some(network.to_owned()), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_is_told_with_its_holder_and_the_holder_stays() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    let name = project.services[1].container_name.clone();
    let stranger = bench.stranger(&name, on("none")).await;
    let error = bench.up(&project, 0).await.expect_err("the name is taken");
    assert_eq!(error, EngineError::NameTaken { name, by: "a container that PoolManager did not make".to_owned() });
    let blocks = bench.survey().await.foreign.blocks_project(&project);
    assert_eq!(blocks, Some(format!("a foreign container is called {}", project.services[1].container_name)));
    bench.down(0).await.unwrap();
    assert!(runs(&bench, &stranger).await);
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_network_and_volume_names_are_told_too() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    let network = NetworkCreateRequest {
        name: project.networks[0].name.clone(),
        ipam: subnet(&bench, 3),
        labels: Some(HashMap::from([("com.docker.compose.project".to_owned(), "shop".to_owned())])),
        ..Default::default()
    };
    let network = bench.docker.create_network(network).await.unwrap();
    let error = bench.up(&project, 0).await.expect_err("the network's name is taken");
    let by = "a network of compose project shop".to_owned();
    assert_eq!(error, EngineError::NameTaken { name: project.networks[0].name.clone(), by });
    bench.down(0).await.unwrap();
    bench.docker.remove_network(&network.id).await.expect("the stranger's network is still there");

    let volume = VolumeCreateRequest { name: Some(project.volumes[0].name.clone()), ..Default::default() };
    bench.docker.create_volume(volume).await.unwrap();
    let error = bench.up(&project, 0).await.expect_err("the volume's name is taken");
    let by = "a volume that PoolManager did not make".to_owned();
    assert_eq!(error, EngineError::NameTaken { name: project.volumes[0].name.clone(), by });
    bench.down(0).await.unwrap();
    bench.docker.inspect_volume(&project.volumes[0].name).await.expect("the stranger's volume is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pools_cluster_in_the_way_is_foreign_and_stays() {
    let (ours, theirs) = (Bench::new().await, Bench::new().await);
    let mut project = two(&theirs, 0);
    let there = theirs.up(&project, 0).await.unwrap();
    project.networks[0].subnet = ours.layout.subnet(Slot(0));
    let error = ours.up(&project, 0).await.expect_err("the names are taken");
    assert!(matches!(&error, EngineError::NameTaken { by, .. } if by.contains("of another pool")), "{error}");
    ours.down(0).await.unwrap();
    for id in there.values() {
        assert!(runs(&theirs, id).await);
    }
    assert!(ours.survey().await.foreign.containers.iter().any(|c| c.name == project.services[0].container_name));
    assert!(ours.engine.nodes(&PoolId::random(), &theirs.owner(0).cluster).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_a_container_publishes_is_told_with_its_name() {
    let bench = Bench::new().await;
    let port = bench.port(0, 0);
    let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port.to_string()) };
    let host = HostConfig {
        port_bindings: Some(HashMap::from([("80/tcp".to_owned(), Some(vec![binding]))])),
        ..Default::default()
    };
    let name = format!("{}-web", bench.prefix);
    let stranger = bench.stranger(&name, host).await;
    let survey = bench.survey().await;
    let reason = format!("port {port} is published by container {name}");
    assert_eq!(survey.foreign.blocks(Slot(0), &bench.layout), Some(reason.clone()));
    assert_eq!(survey.blocked.get(&Slot(0)), Some(&reason));
    assert_eq!(survey.blocked.get(&Slot(1)), None);

    let services = vec![web(&bench, 0, "vp0", 0)];
    let project = common::compose::Project { services, ..project(&bench, 0) };
    let error = bench.up(&project, 0).await.expect_err("the port is taken");
    assert_eq!(error, EngineError::PortTaken { port, by: format!("container {name}") });
    bench.down(0).await.unwrap();
    assert!(runs(&bench, &stranger).await);
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_a_program_holds_is_told_as_outside_docker() {
    let bench = Bench::new().await;
    let port = bench.port(0, 0);
    let _program = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let services = vec![web(&bench, 0, "vp0", 0)];
    let project = common::compose::Project { services, ..project(&bench, 0) };
    let error = bench.up(&project, 0).await.expect_err("the port is taken");
    assert_eq!(error.to_string(), format!("port {port} is taken by a program on the host, outside Docker"));
}

fn subnet(bench: &Bench, slot: u16) -> Option<Ipam> {
    let subnet = bench.layout.subnet(Slot(slot)).map(|subnet| subnet.to_string());
    Some(Ipam { config: Some(vec![IpamConfig { subnet, ..Default::default() }]), ..Default::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_subnet_is_told_with_its_network() {
    let bench = Bench::new().await;
    let project = two(&bench, 1);
    let name = format!("{}-lab", bench.prefix);
    let request = NetworkCreateRequest { name: name.clone(), ipam: subnet(&bench, 1), ..Default::default() };
    let lab = bench.docker.create_network(request).await.unwrap();
    let taken = bench.layout.subnet(Slot(1)).unwrap();
    let blocked = bench.survey().await.blocked;
    assert_eq!(blocked, [(Slot(1), format!("subnet {taken} meets network {name} ({taken})"))].into());
    match bench.up(&project, 1).await.expect_err("the subnet is taken") {
        EngineError::SubnetTaken { subnet, by } => {
            assert_eq!(subnet, taken.to_string());
            assert!(by.starts_with(&format!("network {name} ({taken})")), "{by}");
        }
        other => panic!("{other}"),
    }
    bench.down(1).await.unwrap();
    bench
        .docker
        .inspect_network(&lab.id, None::<InspectNetworkOptions>)
        .await
        .expect("the stranger's network is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_had_is_named_before_anything_is_made() {
    let bench = Bench::new().await;
    let mut project = two(&bench, 0);
    // A registry on a port of the slot, where nobody listens.
    let image = format!("127.0.0.1:{}/no/such:1", bench.port(0, 9));
    project.services[1].image = image.clone();
    match bench.up(&project, 0).await.expect_err("there is no such image") {
        EngineError::ImageMissing { image: named, reason } => {
            assert_eq!(named, image);
            assert!(reason.contains("connection refused"), "{reason}");
        }
        other => panic!("{other}"),
    }
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_started_themselves_goes_and_guests_stay() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    bench.up(&project, 0).await.unwrap();
    let (net, cluster) = (project.networks[0].name.clone(), bench.owner(0).cluster);
    // As Fabric does it: image and container named after the cluster, without a label, one running and one exited.
    let built = format!("{cluster}-vp0-{}", "00ff".repeat(16));
    bench.make_image(&format!("{built}:latest")).await;
    let tag = TagImageOptionsBuilder::default().repo(&format!("{}/kept", bench.prefix)).tag("1").build();
    bench.docker.tag_image(&built, Some(tag)).await.unwrap();
    let chaincode = bench.stranger(&built, on(&net)).await;
    let exited = bench.stranger(&format!("{cluster}-vp1-aa"), on("none")).await;
    bench.engine.stop_node(&exited, std::time::Duration::ZERO, &|| Ok(())).await.unwrap();
    // And a stranger's, on our network and on another.
    let guest = bench.stranger(&format!("{}-guest", bench.prefix), on("bridge")).await;
    let join = NetworkConnectRequest { container: guest.clone(), endpoint_config: None };
    bench.docker.connect_network(&net, join).await.unwrap();

    let found = bench.survey().await.ours.remove(0);
    let own = |id: &String| found.containers.iter().find(|c| c.id == *id).map(|c| c.node.clone());
    assert_eq!((own(&chaincode), own(&exited), own(&guest)), (Some(None), Some(None), None));
    assert_eq!(found.guests, [format!("{}-guest", bench.prefix)]);

    let removed = bench.down(0).await.unwrap();
    assert_eq!(removed.containers.len(), 4);
    assert_eq!(removed.images, [format!("{built}:latest")]);
    bench.assert_clean().await;
    assert!(runs(&bench, &guest).await);
    bench.docker.inspect_image(&format!("{}/kept:1", bench.prefix)).await.expect("another's name of the image is kept");
    for id in [chaincode, exited] {
        assert!(bench.docker.inspect_container(&id, None::<InspectContainerOptions>).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_a_stranger_uses_is_said_to_be_left() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    bench.up(&project, 0).await.unwrap();
    let volume = project.volumes[0].name.clone();
    let host = HostConfig { binds: Some(vec![format!("{volume}:/data")]), ..on("none") };
    let stranger = bench.stranger(&format!("{}-reader", bench.prefix), host).await;
    match bench.down(0).await.expect_err("the volume is in use") {
        EngineError::NotEmpty { left } => {
            assert_eq!(left.len(), 1);
            assert!(left[0].starts_with(&format!("volume {volume} (")) && left[0].contains("in use"), "{left:?}");
        }
        other => panic!("{other}"),
    }
    assert!(runs(&bench, &stranger).await);
    let force = bollard::query_parameters::RemoveContainerOptionsBuilder::default().force(true).build();
    bench.docker.remove_container(&stranger, Some(force)).await.unwrap();
    assert_eq!(bench.down(0).await.unwrap().volumes, [volume]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_prefix_that_strangers_could_match_is_refused() {
    let bench = Bench::new().await;
    let cluster = bench.owner(0).cluster;
    for prefix in ["", "dev-", "peer"] {
        let error = bench.engine.down(&bench.pool, &cluster, &[prefix.to_owned()], &|| Ok(())).await;
        assert!(matches!(error, Err(EngineError::Refused { .. })), "{prefix:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_networks_of_one_name_and_one_owner_the_older_stays() {
    let bench = Bench::new().await;
    let mut project = two(&bench, 0);
    project.networks[0].subnet = None;
    let ids = bench.up(&project, 0).await.unwrap();
    // What late calls of dead callers leave: the same network again. Several, since an id may be the smallest by chance.
    let first = bench.survey().await.ours[0].networks[0].id.clone();
    let there = bench.docker.inspect_network(&first, None::<InspectNetworkOptions>).await.unwrap();
    for slot in 0..4 {
        let twin = NetworkCreateRequest {
            name: project.networks[0].name.clone(),
            labels: there.labels.clone(),
            ipam: subnet(&bench, slot),
            ..Default::default()
        };
        bench.docker.create_network(twin).await.unwrap();
    }
    assert_eq!(bench.survey().await.ours[0].networks.len(), 5);
    assert_eq!(bench.up(&project, 0).await.unwrap(), ids);
    let networks = bench.survey().await.ours[0].networks.clone();
    assert_eq!(networks.iter().map(|network| &network.id).collect::<Vec<_>>(), [&first]);
    assert!(ids.contains_key(&NodeName::parse("vp0").unwrap()));
}

//! Rules of removing what is not ours, after an operator was shown it: that, and nothing else.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions, StartContainerOptions,
};
use common::model::{ForeignKind, ForeignThing};
use engine::{EngineError, Removed};

use crate::bench::Bench;
use crate::spec::two;

async fn network(bench: &Bench, name: &str) -> String {
    let labels = HashMap::from([("test".to_owned(), "yes".to_owned())]);
    let name = format!("{}-{name}", bench.prefix);
    let request = NetworkCreateRequest { name, labels: Some(labels), ..Default::default() };
    bench.docker.create_network(request).await.unwrap().id
}

/// This test's own among all that is foreign: others run beside it.
async fn foreign(bench: &Bench, shown: impl Fn(&ForeignThing) -> bool) -> Vec<ForeignThing> {
    let all = bench.engine.foreign(&bench.pool).await.unwrap().into_iter().map(|found| found.thing);
    all.filter(|thing| shown(thing)).collect()
}

fn on(network: &str) -> HostConfig {
    HostConfig { network_mode: Some(network.to_owned()), ..Default::default() }
}

async fn is_there(bench: &Bench, container: &str) -> bool {
    bench.docker.inspect_container(container, None::<InspectContainerOptions>).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_goes_with_its_anonymous_volumes_and_nothing_else() {
    let (ours, theirs) = (Bench::new().await, Bench::new().await);
    let own = ours.up(&two(&ours, 0), 0).await.unwrap();
    let theirs_ids = theirs.up(&two(&theirs, 0), 0).await.unwrap();
    let shop = network(&ours, "shop").await;
    let kept = network(&ours, "kept").await;
    let named = format!("{}-named", ours.prefix);
    let volume = VolumeCreateRequest { name: Some(named.clone()), ..Default::default() };
    ours.docker.create_volume(volume).await.unwrap();
    let body = ContainerCreateBody {
        image: Some(ours.image.clone()),
        cmd: Some(["/bin/busybox", "sleep", "1000"].map(str::to_owned).to_vec()),
        volumes: Some(vec!["/scratch".to_owned()]),
        host_config: Some(HostConfig { binds: Some(vec![format!("{named}:/data")]), ..on(&shop) }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&format!("{}-web", ours.prefix)).build();
    let web = ours.docker.create_container(Some(options), body).await.unwrap().id;
    ours.docker.start_container(&web, None::<StartContainerOptions>).await.unwrap();
    let seen = ours.docker.inspect_container(&web, None::<InspectContainerOptions>).await.unwrap();
    let mounts = seen.mounts.unwrap();
    let anonymous = mounts.iter().find(|mount| mount.destination.as_deref() == Some("/scratch")).unwrap();
    let anonymous = anonymous.name.clone().unwrap();
    let bystander = ours.stranger(&format!("{}-bystander", ours.prefix), on(&kept)).await;

    let all = foreign(&ours, |_| true).await;
    assert!(all.is_sorted_by_key(|thing| (thing.kind, thing.name.clone())), "{all:?}");
    let engines_own = ["bridge", "host", "none"];
    assert!(all.iter().all(|thing| !engines_own.contains(&thing.name.as_str())), "{all:?}");
    assert!(own.values().all(|id| all.iter().all(|thing| thing.id != *id)), "{all:?}");
    assert!(theirs_ids.values().all(|id| all.iter().any(|thing| thing.id == *id)), "{all:?}");
    let mut list = foreign(&ours, |thing| thing.id == web || thing.id == shop).await;
    assert_eq!(list.iter().map(|thing| thing.kind).collect::<Vec<_>>(), [ForeignKind::Container, ForeignKind::Network]);
    // What is gone by now does not matter.
    list.push(ForeignThing { kind: ForeignKind::Container, id: "0".repeat(64), name: "gone".to_owned() });

    let removed = ours.engine.remove_foreign(&ours.pool, &list, &|| Ok(())).await.unwrap();
    let (web_name, shop_name) = (format!("{}-web", ours.prefix), format!("{}-shop", ours.prefix));
    assert_eq!(removed, Removed { containers: vec![web_name], networks: vec![shop_name], ..Removed::default() });
    assert_eq!(foreign(&ours, |thing| thing.id == web || thing.id == shop).await, []);
    assert!(ours.docker.inspect_volume(&anonymous).await.is_err(), "the anonymous volume is still there");
    ours.docker.inspect_volume(&named).await.expect("the named volume is still there");
    for id in own.values().chain(theirs_ids.values()).chain([&bystander]) {
        assert!(is_there(&ours, id).await);
    }
    assert_eq!(ours.engine.remove_foreign(&ours.pool, &list, &|| Ok(())).await, Ok(Removed::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ours_or_in_use_stays_and_is_named() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    let own = bench.up(&project, 0).await.unwrap();
    let kept = network(&bench, "kept").await;
    let bystander = bench.stranger(&format!("{}-bystander", bench.prefix), on(&kept)).await;
    let ours = ForeignThing {
        kind: ForeignKind::Container,
        id: own.values().next().unwrap().clone(),
        name: "was foreign when it was shown".to_owned(),
    };
    let mut list = foreign(&bench, |thing| thing.id == kept).await;
    list.push(ours);
    match bench.engine.remove_foreign(&bench.pool, &list, &|| Ok(())).await.expect_err("both stay") {
        EngineError::NotEmpty { left } => {
            let ours = format!("container {} (it is this pool's)", project.services[0].container_name);
            let network = format!("network {}-kept (container {}-bystander uses it)", bench.prefix, bench.prefix);
            assert_eq!(left, [ours, network]);
        }
        other => panic!("{other}"),
    }
    assert!(is_there(&bench, &bystander).await && is_there(&bench, &own[&crate::spec::node("vp0")]).await);
    bench.docker.inspect_network(&kept, None::<InspectNetworkOptions>).await.expect("the network is still there");
    let fenced = bench.engine.remove_foreign(&bench.pool, &list, &|| Err(EngineError::Fenced)).await;
    assert_eq!(fenced, Err(EngineError::Fenced));
}

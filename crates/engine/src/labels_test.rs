//! Rules of the labels.

use super::*;
use crate::testing::{owner, project, service};

#[test]
fn what_was_written_is_read_back() {
    let owner = owner(&PoolId::random(), &ClusterId::random());
    let service = service("vp0", &[]);
    let labels = owner.on_container(&project(vec![service.clone()]), &service);
    let mark = Mark::read(&labels).unwrap();
    assert_eq!((mark.pool, mark.cluster, mark.slot), (owner.pool, owner.cluster, owner.slot));
    assert_eq!(node(&labels), Some(service.node));
    assert_eq!(config_hash(&labels).as_deref(), Some("c1"));
}

#[test]
fn a_container_carries_what_compose_would_have_put_there() {
    let owner = owner(&PoolId::random(), &ClusterId::random());
    let service = service("vp1", &["vp0"]);
    let labels = owner.on_container(&project(vec![service.clone()]), &service);
    for (key, value) in [
        ("com.docker.compose.project", "h_3"),
        ("com.docker.compose.service", "vp1"),
        ("com.docker.compose.container-number", "1"),
        ("com.docker.compose.oneoff", "False"),
        ("com.docker.compose.config-hash", "c1"),
        ("com.docker.compose.depends_on", "vp0:service_started:false"),
    ] {
        assert_eq!(labels.get(key).map(String::as_str), Some(value), "{key}");
    }
    let project = project(vec![]);
    assert_eq!(owner.on_network(&project, &project.networks[0])["com.docker.compose.network"], "net");
    assert_eq!(owner.on_volume(&project, &project.volumes[0])["com.docker.compose.volume"], "data");
}

#[test]
fn a_template_cannot_forge_whose_a_container_is() {
    let owner = owner(&PoolId::random(), &ClusterId::random());
    let mut service = service("vp0", &[]);
    service.labels.insert(CLUSTER.to_owned(), ClusterId::random().to_string());
    service.labels.insert("com.docker.compose.project".to_owned(), "another".to_owned());
    service.labels.insert("its.own".to_owned(), "kept".to_owned());
    let labels = owner.on_container(&project(vec![service.clone()]), &service);
    assert_eq!(labels[CLUSTER], owner.cluster.to_string());
    assert_eq!(labels["com.docker.compose.project"], "h_3");
    assert_eq!(labels["its.own"], "kept");
}

#[test]
fn half_a_mark_is_none() {
    let owner = owner(&PoolId::random(), &ClusterId::random());
    let project = project(vec![]);
    let whole = owner.on_volume(&project, &project.volumes[0]);
    for key in [POOL, CLUSTER, HOST, SLOT, FLAVOR_DIGEST] {
        let mut labels = whole.clone();
        labels.remove(key);
        assert_eq!(Mark::read(&labels), None, "without {key}");
    }
}

#[test]
fn who_stands_in_the_way_is_said_for_people() {
    let (mine, other) =
        (owner(&PoolId::random(), &ClusterId::random()), owner(&PoolId::random(), &ClusterId::random()));
    let project = project(vec![]);
    let of = |owner: &Ownership| owner.on_volume(&project, &project.volumes[0]);
    assert!(maker("volume", &of(&mine), &mine).starts_with("a volume of cluster "));
    assert!(maker("volume", &of(&other), &mine).starts_with("a volume of another pool"));
    let compose = Labels::from([("com.docker.compose.project".to_owned(), "shop".to_owned())]);
    assert_eq!(maker("network", &compose, &mine), "a network of compose project shop");
    assert_eq!(maker("container", &Labels::new(), &mine), "a container that PoolManager did not make");
}

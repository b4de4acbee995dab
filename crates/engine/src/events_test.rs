//! Rules of reading events.

use bollard::models::EventActor;

use super::*;
use crate::testing::labelled;

fn event(typ: EventMessageTypeEnum, action: &str, id: &str, attributes: HashMap<String, String>) -> EventMessage {
    EventMessage {
        typ: Some(typ),
        action: Some(action.to_owned()),
        actor: Some(EventActor { id: Some(id.to_owned()), attributes: Some(attributes) }),
        ..Default::default()
    }
}

#[test]
fn a_container_of_ours_is_told_from_others() {
    let (pool, cluster) = (PoolId::random(), ClusterId::random());
    let mut attributes = labelled(&pool, &cluster);
    attributes.insert("name".to_owned(), "h_3_vp0".to_owned());
    attributes.insert("exitCode".to_owned(), "137".to_owned());
    let die = event(EventMessageTypeEnum::CONTAINER, "die", "abc", attributes);
    let kind = EventKind::Die { exit_code: Some(137) };
    let name = "h_3_vp0".to_owned();
    let expected = EngineEvent { cluster: Some(cluster), kind, id: "abc".to_owned(), name };
    assert_eq!(understand(&pool, die.clone()), Some(expected));
    assert_eq!(understand(&PoolId::random(), die), None);
}

#[test]
fn a_health_check_says_only_which_way_it_went() {
    assert_eq!(container_event("health_status: healthy", None), Some(EventKind::Health { healthy: true }));
    assert_eq!(container_event("health_status: unhealthy", None), Some(EventKind::Health { healthy: false }));
    assert_eq!(container_event("exec_create: /bin/sh -c secret", None), None);
}

#[test]
fn networks_and_named_volumes_that_go_are_told_whoevers_they_are() {
    let pool = PoolId::random();
    let gone = |typ, id: &str| understand(&pool, event(typ, "destroy", id, HashMap::new())).map(|event| event.kind);
    assert_eq!(gone(EventMessageTypeEnum::NETWORK, "n1"), Some(EventKind::NetworkDestroy));
    assert_eq!(gone(EventMessageTypeEnum::VOLUME, "h_3_data"), Some(EventKind::VolumeDestroy));
    assert_eq!(gone(EventMessageTypeEnum::VOLUME, &"0f".repeat(32)), None);
}

//! Rules of hosts.

use common::clock;
use common::store::{Page, StoreError};

use crate::home::Home;
use crate::made::{asked, contact, creating, event, host};

pub async fn a_host_is_kept_whole(home: &Home) {
    let store = home.app().await;
    let made = host("h1");
    assert_eq!(store.host(&made.id).await.unwrap(), None);
    store.insert_host(&made, event("added")).await.unwrap();
    assert_eq!(store.host(&made.id).await.unwrap(), Some(made));
}

pub async fn hosts_are_listed_by_name(home: &Home) {
    let store = home.app().await;
    for name in ["b", "c", "a"] {
        store.insert_host(&host(name), event("added")).await.unwrap();
    }
    let names: Vec<String> =
        store.list_hosts().await.unwrap().iter().map(|host| host.settings.name.to_string()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

pub async fn names_and_engines_are_unique(home: &Home) {
    let store = home.app().await;
    let first = host("h1");
    store.insert_host(&first, event("added")).await.unwrap();
    let same_name = host("h1");
    let mut same_engine = host("h2");
    same_engine.engine_id.clone_from(&first.engine_id);
    let mut same_name_other_engine = same_name.clone();
    same_name_other_engine.engine_id = "another".into();
    assert!(matches!(
        store.insert_host(&same_name_other_engine, event("added")).await,
        Err(StoreError::Taken { field: "name" })
    ));
    assert!(matches!(
        store.insert_host(&same_engine, event("added")).await,
        Err(StoreError::Taken { field: "engine_id" })
    ));
    let second = host("h2");
    store.insert_host(&second, event("added")).await.unwrap();
    let renamed = second.configured(first.settings.clone());
    assert!(matches!(store.change_host(&renamed, event("renamed")).await, Err(StoreError::Taken { field: "name" })));
    assert_eq!(store.list_hosts().await.unwrap().len(), 2);
}

pub async fn a_host_changes_only_from_the_version_that_was_seen(home: &Home) {
    let store = home.app().await;
    let made = host("h1");
    store.insert_host(&made, event("added")).await.unwrap();
    let mut settings = made.settings.clone();
    settings.capacity = 3;
    let smaller = made.configured(settings);
    store.change_host(&smaller, event("configured")).await.unwrap();
    assert_eq!(store.host(&made.id).await.unwrap(), Some(smaller.clone()));
    // The answer was lost, say.
    store.change_host(&smaller, event("configured")).await.unwrap();
    let leaving = made.leave(asked(), false);
    assert!(matches!(store.change_host(&leaving, event("leaves")).await, Err(StoreError::Conflict("host"))));
    assert!(matches!(store.change_host(&host("h2"), event("?")).await, Err(StoreError::NotFound("host"))));
    assert_eq!(store.host(&made.id).await.unwrap(), Some(smaller));
}

pub async fn contact_is_apart_from_the_version(home: &Home) {
    let store = home.app().await;
    let made = host("h1");
    store.insert_host(&made, event("added")).await.unwrap();
    let mut seen = contact(clock::now());
    seen.engine_version = "27.0".into();
    store.note_contact(&made.id, &seen).await.unwrap();
    let found = store.host(&made.id).await.unwrap().unwrap();
    assert_eq!((found.version, &found.contact), (1, &seen));
    // A change that was decided on an older contact leaves the newer one.
    let leaving = made.leave(asked(), false);
    store.change_host(&leaving, event("leaves")).await.unwrap();
    let found = store.host(&made.id).await.unwrap().unwrap();
    assert_eq!((found.version, &found.contact, &found.purpose), (2, &seen, &leaving.purpose));
    assert!(matches!(store.note_contact(&host("x").id, &seen).await, Err(StoreError::NotFound("host"))));
}

pub async fn a_host_with_clusters_is_not_deleted(home: &Home) {
    let store = home.app().await;
    let made = host("h1");
    store.insert_host(&made, event("added")).await.unwrap();
    let cluster = creating(&made.id, 0, "a");
    store.insert_cluster(&cluster, event("made")).await.unwrap();
    assert!(matches!(store.delete_host(&made.id, 1, event("gone")).await, Err(StoreError::Conflict("host"))));
    let removing = cluster.remove(common::model::Why::HostLeaves, clock::now()).unwrap();
    store.move_cluster(&cluster, &removing, None).await.unwrap();
    store.vanish(&removing, event("removed")).await.unwrap();
    assert!(matches!(store.delete_host(&made.id, 2, event("gone")).await, Err(StoreError::Conflict("host"))));
    store.delete_host(&made.id, 1, event("gone")).await.unwrap();
    assert_eq!(store.host(&made.id).await.unwrap(), None);
    store.delete_host(&made.id, 1, event("gone again")).await.unwrap();
    let events = store.list_events(&Default::default(), &Page::first(100)).await.unwrap();
    assert!(events.iter().all(|event| event.reason != "gone again"), "{events:?}");
}

//! Rules of placing: a host holds no more than it may, however many want its last place.

use common::model::{Host, HostId};
use common::store::{Page, SharedStore, StoreError};
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::{creating, event, host};

async fn with_room(store: &SharedStore, places: u16) -> Host {
    let mut host = host("h1");
    host.settings.capacity = places;
    store.insert_host(&host, event("added")).await.unwrap();
    host
}

async fn there(store: &SharedStore, host: &HostId) -> u64 {
    store.count_clusters_on(host).await.unwrap().values().sum()
}

pub async fn of_many_placed_at_once_no_more_get_in_than_there_is_room(home: &Home) {
    // Two programs.
    let (one, other) = (home.app().await, home.admin().await);
    let host = with_room(&one, 6).await;
    let clusters: Vec<_> = (0..20).map(|slot| creating(&host.id, slot, "a")).collect();
    let place = |n: usize| [&one, &other][n % 2].place_cluster(&clusters[n], host.version, event("placed"));
    let outcomes = join_all((0..clusters.len()).map(place)).await;
    let placed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((placed, there(&one, &host.id).await), (6, 6), "{outcomes:?}");
    let full = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Full))).count();
    assert_eq!(full, 14, "{outcomes:?}");
    let told = one.list_events(&Default::default(), &Page::first(100)).await.unwrap();
    assert_eq!(told.iter().filter(|event| event.reason == "placed").count(), 6);
    one.close().await;
    other.close().await;
}

pub async fn the_very_same_placed_again_is_one(home: &Home) {
    let store = home.app().await;
    let host = with_room(&store, 1).await;
    let cluster = creating(&host.id, 3, "a");
    let placed = event("placed");
    for _ in 0..2 {
        store.place_cluster(&cluster, host.version, placed.clone()).await.unwrap();
    }
    assert_eq!(store.cluster(&cluster.id).await.unwrap().as_ref(), Some(&cluster));
    let mut alike = creating(&host.id, 4, "a");
    alike.id = cluster.id.clone();
    let taken = store.place_cluster(&alike, host.version, event("placed")).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { field: "id" }), "{taken}");
    let roomy = Host { id: HostId::random(), engine_id: "other".into(), ..crate::made::host("h2") };
    store.insert_host(&roomy, event("added")).await.unwrap();
    store.place_cluster(&creating(&roomy.id, 0, "a"), roomy.version, event("placed")).await.unwrap();
    let taken = store.place_cluster(&creating(&roomy.id, 0, "b"), roomy.version, event("placed")).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { field: "slot" }), "{taken}");
    store.close().await;
}

pub async fn nothing_is_placed_on_a_host_that_changed_or_went(home: &Home) {
    let store = home.app().await;
    let host = with_room(&store, 5).await;
    let place = async |version| store.place_cluster(&creating(&host.id, 0, "a"), version, event("placed")).await;
    let mut smaller = Host { version: host.version + 1, ..host.clone() };
    smaller.settings.capacity = 0;
    store.change_host(&smaller, event("changed")).await.unwrap();
    assert!(matches!(place(host.version).await, Err(StoreError::Conflict("host"))));
    assert!(matches!(place(smaller.version).await, Err(StoreError::Full)));
    assert_eq!(store.host(&host.id).await.unwrap().as_ref(), Some(&smaller), "it is as it was");
    store.delete_host(&host.id, smaller.version, event("gone")).await.unwrap();
    assert!(matches!(place(smaller.version).await, Err(StoreError::Conflict("host"))));
    assert_eq!(there(&store, &host.id).await, 0);
    store.close().await;
}

//! Rules of what is over: ended leases.

use common::clock;
use common::model::Cluster;
use common::store::{Holding, LeaseFilter, Page, SharedStore, StoreError};

use crate::home::Home;
use crate::made::{MINUTE, apply, event, new_one, pool, user};

async fn ended(store: &SharedStore, who: &str, count: u16) -> Vec<Cluster> {
    pool(store, count, "a").await;
    let mut all = Vec::new();
    for n in 0..count {
        let held = new_one(store.apply(apply(who, &["a"], Holding::GiveAnother)).await.unwrap());
        let gone = held.release("test", clock::now() + MINUTE * u32::from(n)).unwrap();
        store.move_cluster(&held, &gone, None).await.unwrap();
        store.vanish(&gone, event("removed")).await.unwrap();
        all.push(gone);
    }
    all
}

pub async fn lease_records_are_listed_newest_end_first(home: &Home) {
    let store = home.app().await;
    let of_ann = ended(&store, "ann", 5).await;
    let of_bob = ended(&store, "bob", 1).await;
    let list = |filter: LeaseFilter, page: Page| {
        let store = store.clone();
        async move { store.list_lease_records(&filter, &page).await }
    };
    let ann = LeaseFilter { user: Some(user("ann")) };
    let expected: Vec<_> = of_ann.iter().rev().map(|cluster| cluster.lease_record().unwrap()).collect();
    assert_eq!(list(ann.clone(), Page::first(10)).await.unwrap(), expected);
    let two = list(ann.clone(), Page::first(2)).await.unwrap();
    assert_eq!(two, expected[..2]);
    let after = Some(two[1].lease.id.to_string());
    assert_eq!(list(ann.clone(), Page { after, limit: 10 }).await.unwrap(), expected[2..]);
    assert_eq!(list(LeaseFilter::default(), Page::first(10)).await.unwrap().len(), 6);
    let nowhere = Page { after: Some("0".repeat(24)), limit: 10 };
    assert!(matches!(list(ann, nowhere).await, Err(StoreError::NotFound(_))));
    let bobs = of_bob[0].lease_record().unwrap();
    assert_eq!(store.lease_record(&bobs.lease.id).await.unwrap(), Some(bobs));
}

pub async fn a_forgotten_record_stays_forgotten(home: &Home) {
    let store = home.app().await;
    let gone = ended(&store, "ann", 1).await.remove(0);
    let id = &gone.lease().unwrap().id;
    store.delete_lease_record(id).await.unwrap();
    store.delete_lease_record(id).await.unwrap();
    assert_eq!(store.lease_record(id).await.unwrap(), None);
    // The answer of the first was lost, say.
    store.vanish(&gone, event("removed")).await.unwrap();
    assert_eq!(store.lease_record(id).await.unwrap(), None);
}

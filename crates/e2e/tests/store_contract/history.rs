//! Rules of what is over: ended leases, and events.

use common::clock;
use common::model::{Actor, Cluster, Event, EventKind, HostId};
use common::store::{EventFilter, Holding, LeaseFilter, Limits, Page, SharedStore, StoreError, StoreUser};

use crate::home::{Home, wait_until};
use crate::made::{MINUTE, apply, creating, event, host, new_one, pool, release, user};

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

pub async fn events_are_listed_newest_first(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let all: Vec<Event> = (0..10_u32)
        .map(|n| {
            // Some of one millisecond: of those the one added last is the newest.
            let at = now + std::time::Duration::from_millis(u64::from(n / 3));
            Event::new(at, EventKind::Swept, Actor::Operator { name: "op".into() }, format!("event {n}"))
        })
        .collect();
    store.append_events(&all[..4]).await.unwrap();
    store.append_events(&all[4..]).await.unwrap();
    store.append_events(&all[2..5]).await.unwrap();
    let newest_first: Vec<Event> = all.into_iter().rev().collect();
    let list = |page: Page| {
        let store = store.clone();
        async move { store.list_events(&EventFilter::default(), &page).await }
    };
    assert_eq!(list(Page::first(100)).await.unwrap(), newest_first);
    let page = list(Page::first(4)).await.unwrap();
    assert_eq!(page, newest_first[..4]);
    let after = Some(page[3].id.to_string());
    assert_eq!(list(Page { after, limit: 100 }).await.unwrap(), newest_first[4..]);
    let nowhere = Page { after: Some("0".repeat(24)), limit: 10 };
    assert!(matches!(list(nowhere).await, Err(StoreError::NotFound(_))));
}

pub async fn events_are_found_by_host_and_cluster(home: &Home) {
    let store = home.app().await;
    let (one, two) = (HostId::random(), HostId::random());
    let (first, second) = (creating(&one, 0, "a"), creating(&two, 0, "a"));
    let of_host = event("host").about_host(&one);
    let of_first = event("first").about(&first);
    let of_second = event("second").about(&second);
    store.append_events(&[of_host.clone(), of_first.clone(), of_second.clone(), event("none")]).await.unwrap();
    let list = |host: Option<&HostId>, cluster: Option<&Cluster>| {
        let filter = EventFilter { host: host.cloned(), cluster: cluster.map(|cluster| cluster.id.clone()) };
        let store = store.clone();
        async move { store.list_events(&filter, &Page::first(10)).await.unwrap() }
    };
    assert_eq!(list(Some(&one), None).await, [of_first.clone(), of_host]);
    assert_eq!(list(None, Some(&second)).await, [of_second]);
    assert_eq!(list(Some(&one), Some(&first)).await, [of_first]);
    assert_eq!(list(Some(&two), Some(&first)).await, []);
}

pub async fn the_oldest_events_go(home: &Home) {
    let store = home.open(StoreUser::App, Limits { events_kept: 100, ..Limits::default() }).await;
    for chunk in 0..25 {
        let events: Vec<Event> = (0..10).map(|n| event(&format!("{}", chunk * 10 + n))).collect();
        store.append_events(&events).await.unwrap();
    }
    wait_until("cut to the limit and one batch", || async {
        let left = store.list_events(&EventFilter::default(), &Page::first(1_000)).await.unwrap();
        let reasons: Vec<&str> = left.iter().map(|event| event.reason.as_str()).collect();
        let newest: Vec<String> = (0..250).rev().take(left.len()).map(|n| n.to_string()).collect();
        assert_eq!(reasons, newest);
        assert!(left.len() >= 100, "{} are left", left.len());
        if left.len() <= 110 { Ok(()) } else { Err(left.len()) }
    })
    .await;
}

pub async fn the_event_comes_with_the_change(home: &Home) {
    let store = home.app().await;
    let made = host("h1");
    store.insert_host(&made, event("host added")).await.unwrap();
    let cluster = creating(&made.id, 0, "a");
    store.insert_cluster(&cluster, event("cluster made")).await.unwrap();
    let free = cluster.offer_out(0.5, clock::now() + MINUTE, clock::now()).unwrap();
    store.move_cluster(&cluster, &free, Some(event("cluster ready"))).await.unwrap();
    // Refused, so nothing happened.
    let failed = cluster.fail(common::model::Why::PoolShrunk, clock::now()).unwrap();
    store.move_cluster(&cluster, &failed, Some(event("cluster failed"))).await.unwrap_err();
    let held = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let gone = release(&store, &held).await;
    store.vanish(&gone, event("cluster gone")).await.unwrap();
    store.vanish(&gone, event("cluster gone again")).await.unwrap();
    let reasons: Vec<String> = store
        .list_events(&EventFilter::default(), &Page::first(10))
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.reason)
        .rev()
        .collect();
    assert_eq!(reasons, ["host added", "cluster made", "cluster ready", "cluster gone"]);
}

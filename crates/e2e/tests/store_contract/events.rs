//! Rules of events: listed, found, bounded.

use std::time::Duration;

use common::clock;
use common::model::{Actor, Cluster, Event, EventKind, HostId, UserId};
use common::store::{EventFilter, Holding, Limits, Page, StoreError, StoreUser};

use crate::following::beginning;
use crate::home::{Home, wait_until};
use crate::made::{MINUTE, apply, creating, event, host, new_one, release};

pub async fn events_are_listed_newest_first(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let all: Vec<Event> = (0..10_u32)
        .map(|n| {
            // Some of one millisecond: of those the one added last is the newest.
            let at = now + Duration::from_millis(u64::from(n / 3));
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
        let filter = EventFilter {
            host: host.cloned(),
            cluster: cluster.map(|cluster| cluster.id.clone()),
            ..EventFilter::default()
        };
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

pub async fn events_are_found_by_kind_actor_and_time(home: &Home) {
    let store = home.app().await;
    let start = clock::now();
    let operator = |name: &str| Actor::Operator { name: name.into() };
    let ann = Actor::User { id: UserId::parse("ann").unwrap() };
    let all: Vec<Event> = [
        (EventKind::Creating, Actor::Reconciler),
        (EventKind::Released, ann.clone()),
        (EventKind::Access, operator("otto")),
        (EventKind::HostChanged, operator("eve \u{e9}\"'")),
        (EventKind::RecordDeleted, operator("otto")),
    ]
    .into_iter()
    .zip(0_u64..)
    .map(|((kind, actor), n)| Event::new(start + Duration::from_millis(n), kind, actor, format!("event {n}")))
    .collect();
    store.append_events(&all).await.unwrap();
    let found = async |filter: EventFilter| -> Vec<usize> {
        let listed = store.list_events(&filter, &Page::first(10)).await.unwrap();
        let (mut tailed, _) = store.tail_events(Some(&beginning(&store).await), &filter, 10).await.unwrap();
        tailed.reverse();
        assert_eq!(tailed, listed, "the same filter finds the same in both");
        listed.iter().map(|event| all.iter().position(|one| one == event).unwrap()).collect()
    };
    let kinds = |kinds: &[EventKind]| EventFilter { kinds: kinds.to_vec(), ..EventFilter::default() };
    let by = |actor: &Actor| EventFilter { actor: Some(actor.clone()), ..EventFilter::default() };
    assert_eq!(found(kinds(&[EventKind::Access, EventKind::Creating])).await, [2, 0]);
    assert_eq!(found(kinds(&[EventKind::Removed])).await, [0_usize; 0]);
    assert_eq!(found(by(&ann)).await, [1]);
    assert_eq!(found(by(&operator("otto"))).await, [4, 2]);
    assert_eq!(found(by(&operator("eve \u{e9}\"'"))).await, [3]);
    assert_eq!(found(by(&Actor::Reconciler)).await, [0]);
    let (since, until) = (Some(start + Duration::from_millis(1)), Some(start + Duration::from_millis(3)));
    assert_eq!(found(EventFilter { since, ..EventFilter::default() }).await, [4, 3, 2, 1]);
    assert_eq!(found(EventFilter { until, ..EventFilter::default() }).await, [2, 1, 0]);
    assert_eq!(found(EventFilter { since, until, ..by(&operator("otto")) }).await, [2]);
    let page = Page { after: Some(all[3].id.to_string()), limit: 1 };
    let next = store.list_events(&EventFilter { since, ..EventFilter::default() }, &page).await.unwrap();
    assert_eq!(next, [all[2].clone()]);
}

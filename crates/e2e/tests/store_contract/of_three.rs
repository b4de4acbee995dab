//! A MongoDB of three: what is promised holds when primaries change, and when there is no majority for a while.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::clock;
use common::model::{Event, HostId};
use common::store::{EventFilter, Limits, SharedStore, StoreError, StoreTarget, StoreUser, open_with};
use e2e::replica_set::{MEMBERS, ReplicaSet};
use futures_util::future::join_all;

use crate::home::{database, wait_until};
use crate::made::{MINUTE, creating, event};

async fn open(set: &ReplicaSet, database: &str, deadline: u64) -> SharedStore {
    let target = StoreTarget::Mongo { url: set.url(), database: database.to_owned() };
    let limits = Limits { deadline: Duration::from_secs(deadline), ..Limits::default() };
    open_with(&target, StoreUser::App, limits).await.unwrap()
}

/// Appends until it is over, each event until it is said to be there.
async fn append_until(over: &AtomicBool, store: &SharedStore, who: usize) -> Vec<Event> {
    let mut said = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let one = event(&format!("{who} {}", said.len()));
        while let Err(error) = store.append_events(std::slice::from_ref(&one)).await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        said.push(one);
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_misses_nothing_while_primaries_change() {
    let (mut set, database) = (ReplicaSet::start().await.unwrap(), database());
    let stores = join_all((0..3).map(|_| open(&set, &database, 10))).await;
    let (_, start) = stores[0].tail_events(None, &EventFilter::default(), 1).await.unwrap();
    let over = AtomicBool::new(false);
    let blows = async {
        for _ in 0..2 {
            set.step_down().await.unwrap();
        }
        let primary = set.primary().await.unwrap();
        set.kill(primary);
        set.primary().await.unwrap();
        set.restart(primary).await.unwrap();
        over.store(true, Ordering::SeqCst);
    };
    let follow = async {
        let (mut place, mut seen) = (start, Vec::<Event>::new());
        loop {
            let last = over.load(Ordering::SeqCst);
            match stores[0].tail_events(Some(&place), &EventFilter::default(), 100).await {
                Ok((events, _)) if events.is_empty() && last => return seen,
                Ok((events, after)) => {
                    seen.extend(events);
                    place = after;
                }
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
            }
        }
    };
    let appends = (0..6).map(|who| append_until(&over, &stores[who % stores.len()], who));
    let (said, mut seen, ()) = tokio::join!(join_all(appends), follow, blows);
    // Some of them may have come after the follower looked last.
    let (all, _) = stores[1]
        .tail_events(Some(&common::store::EventCursor("0".into())), &EventFilter::default(), 1_000_000)
        .await
        .unwrap();
    seen.extend(all.iter().skip(seen.len()).cloned());
    assert_eq!(seen, all, "what was seen on the way is what is there, in its order");
    let ids: BTreeSet<_> = seen.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(ids.len(), seen.len(), "none twice");
    for of_one in said {
        let seen_of_one: Vec<Event> =
            seen.iter().filter(|event| of_one.iter().any(|one| one.id == event.id)).cloned().collect();
        assert!(of_one.len() > 3, "it went on: {}", of_one.len());
        assert_eq!(seen_of_one, of_one, "each that was said to be there, in its order");
    }
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_no_majority_heard_of_is_unavailable_until_it_is_settled() {
    let (set, database) = (ReplicaSet::start().await.unwrap(), database());
    let store = open(&set, &database, 3).await;
    let host = HostId::random();
    let begun = creating(&host, 0, "a");
    store.insert_cluster(&begun, event("made")).await.unwrap();
    let free = begun.offer_out(0.5, clock::now() + MINUTE, clock::now()).unwrap();
    let new = creating(&host, 1, "a");
    let (made, moved, third) = (event("new"), event("moved"), [event("lost or not")]);
    let primary = set.primary().await.unwrap();
    let others: Vec<usize> = (0..MEMBERS).filter(|member| *member != primary).collect();
    others.iter().for_each(|member| set.freeze(*member).unwrap());
    for _ in 0..2 {
        let (inserted, moved, appended) = tokio::join!(
            store.insert_cluster(&new, made.clone()),
            store.move_cluster(&begun, &free, Some(moved.clone())),
            store.append_events(&third),
        );
        for outcome in [inserted, moved, appended] {
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        }
    }
    others.iter().for_each(|member| set.thaw(*member).unwrap());
    wait_until("settled", || store.insert_cluster(&new, made.clone())).await;
    wait_until("settled", || store.move_cluster(&begun, &free, Some(moved.clone()))).await;
    assert_eq!(store.cluster(&begun.id).await.unwrap(), Some(free));
    assert_eq!(store.cluster(&new.id).await.unwrap(), Some(new));
    store.close().await;
}

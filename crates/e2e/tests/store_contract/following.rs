//! Rules of following events: each once, in the order of appending.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::model::{Event, EventKind};
use common::store::{EventCursor, EventFilter, Limits, SharedStore, StoreError, StoreUser};
use futures_util::future::join_all;

use crate::home::{Home, wait_until};
use crate::made::event;

/// A place before all events.
pub async fn beginning(store: &SharedStore) -> EventCursor {
    let (none, place) = store.tail_events(None, &EventFilter::default(), 10).await.unwrap();
    assert_eq!(none, []);
    // What a place looks like is the stores' own affair; on both the first is this one.
    assert!(!place.0.is_empty());
    EventCursor("0".into())
}

async fn next(store: &SharedStore, place: &mut EventCursor, limit: u32) -> Vec<Event> {
    let (events, after) = store.tail_events(Some(place), &EventFilter::default(), limit).await.unwrap();
    assert!(events.len() <= limit as usize);
    *place = after;
    events
}

pub async fn events_are_followed_in_the_order_of_their_appending(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    app.append_events(&[event("before")]).await.unwrap();
    let (none, mut place) = app.tail_events(None, &EventFilter::default(), 10).await.unwrap();
    assert_eq!(none, []);
    assert_eq!(next(&app, &mut place, 10).await, []);
    let all: Vec<Event> = (0..9).map(|n| event(&n.to_string())).collect();
    // By turns, each after the other has answered; some twice, because an answer was lost, say.
    app.append_events(&all[0..3]).await.unwrap();
    admin.append_events(&all[2..5]).await.unwrap();
    app.append_events(&all[1..6]).await.unwrap();
    admin
        .append_events(&[all[6].clone(), all[0].clone(), all[7].clone(), all[6].clone(), all[8].clone()])
        .await
        .unwrap();
    let mut seen = next(&admin, &mut place, 4).await;
    assert_eq!(seen.len(), 4);
    seen.extend(next(&app, &mut place, 1).await);
    seen.extend(next(&app, &mut place, 100).await);
    assert_eq!(seen, all);
    assert_eq!(next(&app, &mut place, 100).await, []);
    // The last is from another store, or from before this one was restored.
    for nowhere in ["", "x", "-1", "1.5", "1000000"] {
        let asked = app.tail_events(Some(&EventCursor(nowhere.into())), &EventFilter::default(), 10).await;
        assert!(matches!(asked, Err(StoreError::NotFound(_))), "{nowhere:?}");
    }
}

pub async fn who_follows_few_of_many_goes_on_after_the_last_she_looked_at(home: &Home) {
    let store = home.app().await;
    let mut place = beginning(&store).await;
    let mut all: Vec<Event> = (0..1_300).map(|n| event(&n.to_string())).collect();
    all[700].kind = EventKind::Swept;
    store.append_events(&all).await.unwrap();
    let swept = EventFilter { kinds: vec![EventKind::Swept], ..EventFilter::default() };
    let (events, after) = store.tail_events(Some(&place), &swept, 10).await.unwrap();
    assert_eq!(events, [all[700].clone()]);
    place = after;
    assert_eq!(next(&store, &mut place, 10).await, [], "the others were looked at");
}

pub async fn who_follows_goes_on_with_the_oldest_that_is_left(home: &Home) {
    let store = home.open(StoreUser::App, Limits { events_kept: 100, ..Limits::default() }).await;
    store.append_events(&[event("first")]).await.unwrap();
    let (_, mut place) = store.tail_events(None, &EventFilter::default(), 10).await.unwrap();
    for chunk in 0..25 {
        let events: Vec<Event> = (0..10).map(|n| event(&format!("{}", chunk * 10 + n))).collect();
        store.append_events(&events).await.unwrap();
    }
    let place_then = place.clone();
    wait_until("the oldest are gone", || async {
        let (seen, _) = store.tail_events(Some(&place_then), &EventFilter::default(), 1_000).await.unwrap();
        if seen.len() <= 110 { Ok(()) } else { Err(seen.len()) }
    })
    .await;
    let seen: Vec<String> = next(&store, &mut place, 1_000).await.into_iter().map(|event| event.reason).collect();
    let newest: Vec<String> = (250 - seen.len()..250).map(|n| n.to_string()).collect();
    assert!(seen.len() >= 100);
    assert_eq!(seen, newest);
    store.append_events(&[event("last")]).await.unwrap();
    assert_eq!(next(&store, &mut place, 10).await.len(), 1);
}

/// Appenders in several processes, as far as the store can tell, and readers who look all the time.
pub async fn of_many_who_append_at_once_none_is_lost_or_doubled_for_who_follows(home: &Home) {
    const EACH: usize = 60;
    let (app, admin) = (home.app().await, home.admin().await);
    let mut stores = vec![app.clone(), admin.clone()];
    if !home.is_file() {
        stores.extend(join_all((0..4).map(|_| home.app())).await);
    }
    let place = beginning(&app).await;
    let (writers, done) = (stores.len() * 2, AtomicUsize::new(0));
    let write = async |who: usize| {
        let store = &stores[who % stores.len()];
        for n in (0..EACH).step_by(2) {
            let pair = [n, n + 1].map(|n| event(&format!("{who} {n}")));
            store.append_events(&pair).await.expect("it is appended");
        }
        done.fetch_add(1, Ordering::SeqCst);
    };
    let follow = async |store: &SharedStore, limit: u32| {
        let (mut place, mut seen) = (place.clone(), Vec::new());
        loop {
            let all_written = done.load(Ordering::SeqCst) == writers;
            let events = next(store, &mut place, limit).await;
            if events.is_empty() && all_written {
                return seen;
            }
            seen.extend(events);
        }
    };
    let (_, one, other) = tokio::join!(join_all((0..writers).map(write)), follow(&app, 7), follow(&admin, 1_000));
    let reasons = |events: &[Event]| events.iter().map(|event| event.reason.clone()).collect::<Vec<_>>();
    let mut by_writer: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for reason in reasons(&one) {
        let (who, n) = reason.split_once(' ').unwrap();
        by_writer.entry(who.to_owned()).or_default().push(n.parse().unwrap());
    }
    assert_eq!(by_writer.len(), writers);
    for (who, seen) in by_writer {
        assert_eq!(seen, (0..EACH).collect::<Vec<_>>(), "of writer {who}, each once, in its order");
    }
    assert_eq!(reasons(&one), reasons(&other), "all see one order");
}

//! Rules of watching.

use std::time::Duration;

use common::clock;
use common::model::{ClusterId, Contact, HostState, Why};
use common::store::{Change, ChangeStream, Holding, Proof, WatchCursor};
use futures_util::StreamExt;
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::{MINUTE, apply, asked, creating, event, host, new_one, pool, release};

async fn next(changes: &mut ChangeStream) -> (Change, WatchCursor) {
    let next = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
    next.expect("a change in time").expect("the stream goes on")
}

async fn expect(changes: &mut ChangeStream, expected: &[Change]) -> WatchCursor {
    let mut last = None;
    for one in expected {
        let (change, cursor) = next(changes).await;
        assert_eq!(change, *one);
        last = Some(cursor);
    }
    last.expect("something was expected")
}

pub async fn every_kind_of_change_is_seen(home: &Home) {
    let store = home.app().await;
    let mut changes = store.watch(None).await.unwrap();
    let made = host("h1");
    let the_host = Change::Host(made.id.clone());
    store.insert_host(&made, event("added")).await.unwrap();
    let left = made.leave(asked(), false);
    store.change_host(&left, event("leaves")).await.unwrap();
    // That it answered once more is no news; that it is another than it was is.
    let now = clock::now();
    let answered = Contact { last_answer: now + MINUTE, ..made.contact.clone() };
    store.note_contact(&made.id, &answered).await.unwrap();
    let state = HostState::Inactive { since: now, why: "no answer".into() };
    store.note_contact(&made.id, &Contact { state, ..answered }).await.unwrap();
    expect(&mut changes, &[the_host.clone(), the_host.clone(), the_host.clone()]).await;

    let new = creating(&made.id, 0, "a");
    let the_cluster = Change::Cluster(new.id.clone());
    store.insert_cluster(&new, event("made")).await.unwrap();
    let free = new.offer_out(0.5, clock::now() + MINUTE, clock::now()).unwrap();
    store.move_cluster(&new, &free, None).await.unwrap();
    // Proofs are no news, nor are offers that go on.
    let at = clock::now() + Duration::from_secs(1);
    store.prove(&[Proof { cluster: new.id.clone(), at, offer_until: at + MINUTE }]).await.unwrap();
    store.extend_offers(&made.id, MINUTE * 5, at + MINUTE * 2).await.unwrap();
    let held = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let gone = release(&store, &held).await;
    store.vanish(&gone, event("gone")).await.unwrap();
    // Made, free, claimed, released, gone.
    expect(&mut changes, &std::array::from_fn::<_, 5, _>(|_| the_cluster.clone())).await;
    store.delete_host(&made.id, 2, event("gone")).await.unwrap();
    expect(&mut changes, &[the_host]).await;
}

pub async fn changes_by_another_process_are_seen(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let mut changes = app.watch(None).await.unwrap();
    let made = host("h1");
    admin.insert_host(&made, event("added")).await.unwrap();
    expect(&mut changes, &[Change::Host(made.id)]).await;
}

pub async fn a_watch_goes_on_from_its_cursor(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let mut changes = app.watch(None).await.unwrap();
    let all = pool(&admin, 3, "a").await;
    let mut cursor = None;
    for _ in 0..2 {
        cursor = Some(next(&mut changes).await.1);
    }
    let mut rest = Vec::new();
    for _ in 0..4 {
        rest.push(next(&mut changes).await);
    }
    drop(changes);
    // In another process, from where the first had got to.
    let mut again = admin.watch(cursor).await.unwrap();
    for expected in &rest {
        assert_eq!(next(&mut again).await.0, expected.0);
    }
    let removed = all[0].remove(Why::PoolShrunk, clock::now()).unwrap();
    app.move_cluster(&all[0], &removed, None).await.unwrap();
    let (change, cursor) = next(&mut again).await;
    assert_eq!(change, Change::Cluster(removed.id.clone()));
    let mut third = app.watch(Some(cursor)).await.unwrap();
    app.vanish(&removed, event("gone")).await.unwrap();
    expect(&mut third, &[Change::Cluster(removed.id)]).await;
}

pub async fn a_cursor_that_means_nothing_is_a_miss(home: &Home) {
    let store = home.app().await;
    for cursor in ["", "nonsense", "99999999", "-1", "00ff"] {
        let mut changes = store.watch(Some(WatchCursor(cursor.into()))).await.unwrap();
        assert_eq!(next(&mut changes).await.0, Change::Missed, "{cursor:?}");
        let new = creating(&common::model::HostId::random(), 0, "a");
        store.insert_cluster(&new, event("made")).await.unwrap();
        expect(&mut changes, &[Change::Cluster(new.id)]).await;
    }
}

/// As when many users wait for their start and stop at once.
pub async fn many_watch_at_once(home: &Home) {
    let store = home.app().await;
    let mut all: Vec<ChangeStream> = Vec::new();
    for _ in 0..100 {
        all.push(store.watch(None).await.unwrap());
    }
    let expected: Vec<ClusterId> = pool(&store, 1, "a").await.into_iter().map(|cluster| cluster.id).collect();
    let seen = join_all(all.iter_mut().map(next)).await;
    assert!(seen.iter().all(|(change, _)| *change == Change::Cluster(expected[0].clone())));
}

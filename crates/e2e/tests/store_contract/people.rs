//! Rules of operators, sessions and the reconciler's lock.

use std::time::Duration;

use common::clock;
use common::model::{Operator, OperatorId, Role, Session, SessionId};
use common::store::StoreError;
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::MINUTE;

pub fn operator(username: &str) -> Operator {
    Operator {
        id: OperatorId::random(),
        username: username.into(),
        password_hash: "$argon2id$...".into(),
        role: Role::Admin,
        created_at: clock::now(),
    }
}

pub async fn operators_are_unique_by_name(home: &Home) {
    let store = home.app().await;
    let (ann, bob) = (operator("ann"), operator("bob"));
    store.insert_operator(&bob).await.unwrap();
    store.insert_operator(&ann).await.unwrap();
    store.insert_operator(&ann).await.unwrap();
    assert!(matches!(store.insert_operator(&operator("ann")).await, Err(StoreError::Taken { field: "username" })));
    assert_eq!(store.list_operators().await.unwrap(), [ann.clone(), bob.clone()]);
    assert_eq!(store.operator_by_name("ann").await.unwrap(), Some(ann.clone()));
    assert_eq!(store.operator_by_name("nobody").await.unwrap(), None);
    assert_eq!(store.operator(&bob.id).await.unwrap(), Some(bob));
    assert_eq!(store.operator(&OperatorId::random()).await.unwrap(), None);
}

pub async fn sessions_are_kept_and_ended(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let session = |ends_at| Session {
        id: SessionId::random(),
        operator: OperatorId::random(),
        csrf: "token".into(),
        created_at: now,
        used_at: now,
        ends_at,
    };
    let (mut used, over) = (session(now + MINUTE), session(now - MINUTE));
    store.put_session(&over).await.unwrap();
    store.put_session(&used).await.unwrap();
    used.used_at = now + Duration::from_secs(1);
    store.put_session(&used).await.unwrap();
    assert_eq!(store.session(&used.id).await.unwrap(), Some(used.clone()));
    assert_eq!(store.session(&over.id).await.unwrap(), None, "what is over is forgotten by the way");
    store.delete_session(&used.id).await.unwrap();
    store.delete_session(&used.id).await.unwrap();
    assert_eq!(store.session(&used.id).await.unwrap(), None);
}

pub async fn a_session_that_was_ended_is_not_brought_back_by_its_use(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let now = clock::now();
    let (id, operator) = (SessionId::random(), OperatorId::random());
    let mut session =
        Session { id, operator, csrf: "token".into(), created_at: now, used_at: now, ends_at: now + MINUTE };
    app.put_session(&session).await.unwrap();
    session.used_at = now + Duration::from_secs(2);
    app.touch_session(&session.id, session.used_at).await.unwrap();
    assert_eq!(app.session(&session.id).await.unwrap().as_ref(), Some(&session));
    app.touch_session(&session.id, now + Duration::from_secs(1)).await.unwrap();
    assert_eq!(app.session(&session.id).await.unwrap().as_ref(), Some(&session), "the later use counts");
    admin.delete_session(&session.id).await.unwrap();
    app.touch_session(&session.id, now + Duration::from_secs(3)).await.unwrap();
    assert_eq!(app.session(&session.id).await.unwrap(), None);
}

pub async fn the_lock_has_one_holder_and_a_growing_term(home: &Home) {
    let store = home.app().await;
    let take = |holder: &'static str, ttl| {
        let store = store.clone();
        async move { store.take_lock(holder, &format!("http://{holder}"), ttl, clock::now()).await.unwrap() }
    };
    assert_eq!(store.lock().await.unwrap(), None);
    let before = clock::now();
    let first = take("$a", MINUTE).await.expect("it is free");
    assert_eq!((first.holder.as_str(), first.address.as_str(), first.term), ("$a", "http://$a", 1));
    assert!(first.until >= before + MINUTE && first.until <= clock::now() + MINUTE, "{first:?}");
    assert_eq!(take("b", MINUTE).await, None);
    let extended = take("$a", MINUTE * 2).await.expect("it is her own");
    assert_eq!(extended.term, 1);
    assert!(extended.until >= before + MINUTE * 2, "{extended:?}");
    assert_eq!(take("b", MINUTE).await, None);
    take("$a", Duration::ZERO).await.expect("it is her own, and void at once");
    let taken_over = take("b", MINUTE).await.expect("it is void");
    assert_eq!((taken_over.holder.as_str(), taken_over.term), ("b", 2));
    assert_eq!(take("$a", MINUTE).await, None);
    store.drop_lock("$a").await.unwrap();
    assert_eq!(store.lock().await.unwrap(), Some(taken_over));
    store.drop_lock("b").await.unwrap();
    assert_eq!(store.lock().await.unwrap(), None);
    assert_eq!(take("$a", MINUTE).await.expect("it was given back").term, 3);
}

/// Where callers are on several machines. One whose clock is an hour fast takes no lock that holds; one whose clock is an
/// hour slow has one that holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mongodb_the_lock_goes_by_the_servers_clock() {
    let store = Home::mongo().await.app().await;
    let hour = Duration::from_secs(3600);
    let take = |holder: &'static str, now| {
        let store = store.clone();
        async move { store.take_lock(holder, "http://x", MINUTE, now).await.unwrap() }
    };
    let now = clock::now();
    let held = take("slow", now - hour).await.expect("it is free");
    assert!(held.until >= now + MINUTE, "{held:?}");
    assert_eq!(take("fast", now + hour).await, None);
}

pub async fn of_many_who_want_the_lock_one_gets_it(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let now = clock::now();
    let takers = (0..16).map(|n| {
        let store = if n % 2 == 0 { app.clone() } else { admin.clone() };
        async move { store.take_lock(&format!("holder {n}"), "http://x", MINUTE, now).await.unwrap() }
    });
    let got: Vec<_> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(app.lock().await.unwrap().as_ref(), got.first());
}

//! Rules of operators, sessions and the reconciler's lock.

use std::time::Duration;

use common::clock;
use common::model::{Event, Operator, OperatorId, Role, Session, SessionId};
use common::store::{EventFilter, Page, SharedStore, StoreError};
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::{MINUTE, event};

pub fn operator(username: &str) -> Operator {
    Operator::new(username.into(), "$argon2id$...".into(), Role::Admin, clock::now())
}

/// One that is a minute from its end.
pub fn session(of: &OperatorId) -> Session {
    let now = clock::now();
    Session {
        id: SessionId::random(),
        operator: of.clone(),
        generation: 0,
        csrf: "token".into(),
        created_at: now,
        used_at: now,
        ends_at: now + MINUTE,
        address: "192.0.2.1".into(),
        browser: "A browser".into(),
    }
}

/// A store with these operators; all of them admins.
async fn admins(store: &SharedStore, names: &[&str]) -> Vec<Operator> {
    let all: Vec<Operator> = names.iter().map(|name| operator(name)).collect();
    for one in &all {
        store.insert_operator(one).await.unwrap();
    }
    all
}

pub async fn an_operator_changes_only_from_the_version_that_was_seen(home: &Home) {
    let store = home.app().await;
    let all = admins(&store, &["ann", "bob"]).await;
    let (viewer, said) = (all[1].with_role(Role::Viewer), event("bob is a viewer"));
    store.change_operator(&viewer, said.clone()).await.unwrap();
    store.change_operator(&viewer, said.clone()).await.unwrap();
    assert_eq!(store.operator(&viewer.id).await.unwrap().as_ref(), Some(&viewer));
    assert_eq!(told(&store, &said).await, 1, "the same again is no second event");
    let late = all[1].with_one_time_password("other".into());
    assert!(matches!(store.change_operator(&late, event("x")).await, Err(StoreError::Conflict("operator"))));
    assert!(matches!(store.delete_operator(&viewer.id, 1, event("x")).await, Err(StoreError::Conflict("operator"))));
    let gone = operator("eve").with_role(Role::Viewer);
    assert!(matches!(store.change_operator(&gone, event("x")).await, Err(StoreError::NotFound("operator"))));
}

pub async fn the_last_admin_stays_one(home: &Home) {
    let store = home.app().await;
    let all = admins(&store, &["ann", "bob"]).await;
    let reset = all[0].with_one_time_password("other".into());
    store.change_operator(&all[1].with_role(Role::Operator), event("bob")).await.unwrap();
    let demoted = all[0].with_role(Role::Operator);
    assert!(matches!(store.change_operator(&demoted, event("ann")).await, Err(StoreError::LastAdmin)));
    assert!(matches!(store.delete_operator(&all[0].id, 1, event("ann")).await, Err(StoreError::LastAdmin)));
    store.change_operator(&reset, event("ann's password")).await.unwrap();
    store.delete_operator(&all[1].id, 2, event("bob goes")).await.unwrap();
    store.delete_operator(&all[1].id, 2, event("bob goes")).await.unwrap();
    assert_eq!(store.list_operators().await.unwrap(), [reset]);
}

/// Each takes the role from another, or deletes her, all at once and in two processes.
pub async fn of_admins_who_remove_each_other_one_stays(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    for round in 0..5 {
        let names: Vec<String> = (0..6).map(|n| format!("r{round}-{n}")).collect();
        let mut all = admins(&app, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        // With those of the rounds before.
        all.extend(app.list_operators().await.unwrap().into_iter().filter(|one| !names.contains(&one.username)));
        let moves = all.iter().enumerate().map(|(n, one)| {
            let store = if n % 2 == 0 { app.clone() } else { admin.clone() };
            async move {
                if n % 3 == 0 {
                    store.delete_operator(&one.id, one.version, event("delete")).await
                } else {
                    store.change_operator(&one.with_role(Role::Viewer), event("demote")).await
                }
            }
        });
        for outcome in join_all(moves).await {
            assert!(matches!(outcome, Ok(()) | Err(StoreError::LastAdmin)), "{outcome:?}");
        }
        let left = app.list_operators().await.unwrap();
        assert_eq!(left.iter().filter(|one| one.role == Role::Admin).count(), 1, "{left:?}");
    }
}

pub async fn an_operators_sessions_are_listed_and_ended_together(home: &Home) {
    let store = home.app().await;
    let (ann, bob) = (operator("ann"), operator("bob"));
    for one in [&ann, &bob] {
        store.insert_operator(one).await.unwrap();
    }
    let mut hers = [session(&ann.id), session(&ann.id), session(&ann.id)];
    hers[1].used_at = hers[1].used_at + Duration::from_secs(2);
    hers[2].used_at = hers[2].used_at + Duration::from_secs(1);
    let his = session(&bob.id);
    for one in hers.iter().chain([&his]) {
        store.put_session(one).await.unwrap();
    }
    let [first, second, third] = hers;
    assert_eq!(store.list_sessions(&ann.id).await.unwrap(), [second, third.clone(), first], "latest used first");
    store.delete_sessions(&ann.id, Some(&third.id)).await.unwrap();
    assert_eq!(store.list_sessions(&ann.id).await.unwrap(), [third]);
    store.delete_operator(&ann.id, 1, event("ann goes")).await.unwrap();
    assert_eq!(store.list_sessions(&ann.id).await.unwrap(), []);
    assert_eq!(store.list_sessions(&bob.id).await.unwrap(), [his]);
    store.delete_sessions(&bob.id, None).await.unwrap();
    assert_eq!(store.list_sessions(&bob.id).await.unwrap(), []);
}

async fn told(store: &SharedStore, event: &Event) -> usize {
    let all = store.list_events(&EventFilter::default(), &Page::first(1_000)).await.unwrap();
    all.iter().filter(|one| one.id == event.id).count()
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
    let session = |ends_at| Session { ends_at, ..session(&OperatorId::random()) };
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
    let mut session = Session { used_at: now, ..session(&OperatorId::random()) };
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

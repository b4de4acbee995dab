//! A host that is removed by force: its leases end as Lost, its records go, and what it still holds is swept should it return.

use common::clock;
use common::model::*;
use e2e::pool::Pool;
use simdocker::{FaultKind, FaultRule};

use super::support::*;

async fn assert_lost(pool: &Pool, cluster: &Cluster) {
    let lease = cluster.lease().unwrap();
    let record = pool.store.lease_record(&lease.id).await.unwrap().expect("the lease's record");
    match &record.ended {
        Ended::Lost { reason, .. } => assert!(reason.ends_with("is removed by force, asked by otto"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let events = events(pool).await;
    let lost = events.iter().find(|event| event.kind == EventKind::Lost).expect("an event");
    assert_eq!(lost.user, Some(lease.user.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn force_on_an_engine_that_answers_ends_leases_and_leaves_nothing() {
    let (sim, pool) = full(2).await;
    let held = take(&pool, "alice").await;
    want(&pool, HostPurpose::Leave { asked: asked(), by_force: true }).await;
    until_gone(&pool, &pool.host).await;
    assert_lost(&pool, &held).await;
    assert_eq!(pool.clusters().await, []);
    assert_eq!((sim.containers().len(), pool.on_engine().await.unwrap()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_goes_by_force_and_what_it_held_is_swept_when_it_is_added_again() {
    let (sim, pool) = full(2).await;
    let held = take(&pool, "alice").await;
    let old = pool.store.host(&pool.host).await.unwrap().unwrap();
    sim.go_down();
    want(&pool, HostPurpose::Leave { asked: asked(), by_force: true }).await;
    until_gone(&pool, &old.id).await;
    assert_lost(&pool, &held).await;
    assert_eq!(pool.clusters().await, []);
    assert_eq!(sim.containers().len(), 8, "nothing could be removed there");
    let left: Vec<String> = sim.containers().into_iter().map(|container| container.id).collect();

    sim.come_up().await.unwrap();
    let now = clock::now();
    let contact = Contact { state: HostState::Active { since: now }, last_answer: now, ..old.contact.clone() };
    let again =
        Host { id: HostId::random(), version: 1, purpose: HostPurpose::Serve, contact, created_at: now, ..old.clone() };
    let actor = Actor::Operator { name: "otto".into() };
    let event = Event::new(now, EventKind::HostChanged, actor, "added").about_host(&again.id);
    pool.store.insert_host(&again, event).await.unwrap();
    pool.reconciler.ring();
    pool.until("2 free").await;
    let there: Vec<String> = sim.containers().into_iter().map(|container| container.id).collect();
    assert!(there.len() == 8 && left.iter().all(|id| !there.contains(id)), "what was left there is swept");
    // What nobody expected is in the record.
    assert!(events(&pool).await.iter().any(|event| event.kind == EventKind::Swept));
    let leave = again.with_purpose(HostPurpose::Leave { asked: asked(), by_force: false });
    change_host_of(&pool, &again.id, leave.purpose).await;
    until_gone(&pool, &again.id).await;
    assert_eq!(sim.containers().len(), 0);
}

async fn change_host_of(pool: &Pool, id: &HostId, purpose: HostPurpose) {
    let host = pool.store.host(id).await.unwrap().unwrap();
    let event = Event::new(clock::now(), EventKind::HostChanged, Actor::Operator { name: "otto".into() }, "asked");
    pool.store.change_host(&host.with_purpose(purpose), event).await.unwrap();
    pool.reconciler.ring();
}

/// It answers, and does not do what it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn force_does_not_wait_for_an_engine_that_cannot_remove() {
    let (sim, pool) = full(1).await;
    let fault = FaultKind::error(500, "driver failed");
    sim.faults().add(FaultRule::next("DELETE", "/containers/*", fault).for_ever());
    want(&pool, HostPurpose::Leave { asked: asked(), by_force: true }).await;
    until_gone(&pool, &pool.host).await;
    let gone = events(&pool).await;
    let last = gone.iter().find(|event| event.kind == EventKind::HostChanged).unwrap();
    assert_eq!(last.reason, "it is removed by force; what could not be removed stays on it");
    sim.faults().clear();
}

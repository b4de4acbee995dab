//! MongoDB that is away, and answers that are lost.

use std::time::{Duration, Instant};

use common::model::{HostId, PhaseKind};
use common::store::{
    Applied, Change, ClusterFilter, Holding, Limits, Page, SharedStore, StoreError, StoreTarget, StoreUser, open_with,
};
use e2e::mongod::Mongod;
use futures_util::StreamExt;

use crate::home::{database, mongod, wait_until};
use crate::made::{apply, creating, event, new_one, pool, release};
use crate::proxy::{Fate, Proxy};

const DEADLINE: Duration = Duration::from_secs(3);

async fn open(url: String) -> SharedStore {
    let target = StoreTarget::Mongo { url: format!("{url}&serverSelectionTimeoutMS=1500"), database: database() };
    open_with(&target, StoreUser::App, Limits { deadline: DEADLINE, ..Limits::default() }).await.expect("it opens")
}

async fn held(store: &SharedStore) -> usize {
    let filter = ClusterFilter { phases: vec![PhaseKind::InUse], ..Default::default() };
    store.list_clusters(&filter, &Page::first(100)).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_unavailable_in_time_and_works_again_afterwards() {
    let mut mongod = Mongod::start().await.unwrap();
    let store = open(mongod.url()).await;
    pool(&store, 3, "a").await;
    let before = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let mut changes = store.watch(None).await.unwrap();
    mongod.kill();
    let new = creating(&HostId::random(), 0, "a");
    let begun = Instant::now();
    let (applied, found, inserted, counted) = tokio::join!(
        store.apply(apply("bob", &["a"], Holding::GiveSame)),
        store.cluster(&before.id),
        store.insert_cluster(&new, event("made")),
        store.count_clusters(),
    );
    let took = begun.elapsed();
    assert!(matches!(applied, Err(StoreError::Unavailable(_))), "{applied:?}");
    assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    assert!(matches!(inserted, Err(StoreError::Unavailable(_))), "{inserted:?}");
    assert!(matches!(counted, Err(StoreError::Unavailable(_))), "{counted:?}");
    assert!(took < DEADLINE * 2, "it took {took:?}");

    mongod.restart().await.unwrap();
    wait_until("back", || async { store.ping().await }).await;
    assert_eq!(store.cluster(&before.id).await.unwrap(), Some(before.clone()), "what was promised is there");
    let again = store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap();
    assert_eq!(again, Applied::Held(before.clone()));
    // Whoever watched either hears of everything, or that it missed something.
    release(&store, &before).await;
    let told = async {
        while let Some((change, _)) = changes.next().await {
            if change == Change::Missed || change == Change::Cluster(before.id.clone()) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("the watch goes on");
    store.close().await;
}

/// The command has come to nothing or has been carried out, and nobody said which.
async fn a_claim_is_settled_whatever_is_lost(fate: Fate) {
    let proxy = Proxy::before(mongod().await).await;
    let store = open(proxy.url()).await;
    pool(&store, 5, "a").await;
    for holding in [Holding::GiveSame, Holding::GiveAnother] {
        let before = held(&store).await;
        proxy.next(&["update"], fate);
        let cluster = new_one(store.apply(apply("ann", &["a"], holding)).await.unwrap());
        proxy.happened().await;
        assert_eq!(held(&store).await, before + 1);
        assert_eq!(store.cluster(&cluster.id).await.unwrap(), Some(cluster));
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_was_lost_is_found_again() {
    a_claim_is_settled_whatever_is_lost(Fate::AnswerLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_request_was_lost_is_made_again() {
    a_claim_is_settled_whatever_is_lost(Fate::RequestLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_and_ends_survive_lost_answers() {
    let proxy = Proxy::before(mongod().await).await;
    let store = open(proxy.url()).await;
    pool(&store, 1, "a").await;
    let cluster = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    // The driver asks again by itself, once, and the server knows the question.
    proxy.next(&["update"], Fate::AnswerLost);
    let gone = release(&store, &cluster).await;
    proxy.happened().await;
    proxy.next(&["delete"], Fate::AnswerLost);
    store.vanish(&gone, event("gone")).await.unwrap();
    proxy.happened().await;
    assert_eq!(store.lease_record(&gone.lease().unwrap().id).await.unwrap(), gone.lease_record());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_gets_no_answer_ends() {
    let proxy = Proxy::before(mongod().await).await;
    let store = open(proxy.url()).await;
    pool(&store, 2, "a").await;
    proxy.next(&["update"], Fate::Held);
    let begun = Instant::now();
    let (applied, others) = tokio::join!(store.apply(apply("ann", &["a"], Holding::GiveSame)), async {
        proxy.happened().await;
        let other = store.apply(apply("bob", &["a"], Holding::GiveSame)).await;
        (other, begun.elapsed())
    });
    assert!(matches!(applied, Err(StoreError::Unavailable(_))), "{applied:?}");
    new_one(others.0.unwrap());
    assert!(others.1 < DEADLINE / 2, "one that stands still holds up no other, and this took {:?}", others.1);
    assert!(begun.elapsed() < DEADLINE * 2);
    new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    assert_eq!(held(&store).await, 2);
    store.close().await;
}

/// A driver that hands connections to callers who are gone serves nobody else meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_gave_up_delay_nobody_after_them() {
    let store = open(mongod().await.url()).await;
    let given_up = futures_util::future::join_all((0..3_000).map(|_| store.ping()));
    assert!(tokio::time::timeout(Duration::from_millis(5), given_up).await.is_err(), "too quick to be given up");
    let begun = Instant::now();
    store.take_lock("somebody", "http://127.0.0.1:1", DEADLINE, common::clock::now()).await.unwrap();
    store.ping().await.unwrap();
    let took = begun.elapsed();
    assert!(took < DEADLINE / 2, "it took {took:?}");
}

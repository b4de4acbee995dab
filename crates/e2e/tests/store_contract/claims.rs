//! Rules of the claim: never one cluster to two, never two to one who asked for one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::clock;
use common::model::{Cluster, ClusterId, HostId, PhaseKind};
use common::store::{Applied, Apply, ClusterFilter, Holding, KEY_KEPT, Page, SharedStore};
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::{MINUTE, apply, event, flavor, free, free_until, key, new_one, pool, release};

const SAME: Holding = Holding::GiveSame;
const ANOTHER: Holding = Holding::GiveAnother;

async fn stored(store: &SharedStore, cluster: &Cluster) -> Cluster {
    store.cluster(&cluster.id).await.unwrap().expect("it is there")
}

/// In app and in admin, by turns: two processes.
async fn stores(home: &Home) -> [SharedStore; 2] {
    [home.app().await, home.admin().await]
}

fn ids<'a>(clusters: impl IntoIterator<Item = &'a Cluster>) -> BTreeSet<ClusterId> {
    clusters.into_iter().map(|cluster| cluster.id.clone()).collect()
}

pub async fn a_claim_is_what_the_model_says_it_is(home: &Home) {
    let store = home.app().await;
    let offered = pool(&store, 1, "a").await.remove(0);
    let mut ask = apply("ann", &["a"], SAME);
    ask.metadata.insert("purpose".into(), "demo".into());
    ask.key = key("key-1");
    let held = new_one(store.apply(ask.clone()).await.unwrap());
    let lease = held.lease().unwrap().clone();
    assert_eq!((&lease.user, lease.nth, &lease.key, lease.applied_at), (&ask.user, 1, &ask.key, ask.now));
    assert_eq!(lease.metadata, ask.metadata);
    assert_eq!(held, offered.claim(lease, ask.now).unwrap());
    assert_eq!(stored(&store, &held).await, held);
}

pub async fn one_who_holds_gets_the_same_unless_she_wants_another(home: &Home) {
    let store = home.app().await;
    pool(&store, 3, "a").await;
    let first = new_one(store.apply(apply("ann", &["a"], SAME)).await.unwrap());
    assert_eq!(store.apply(apply("ann", &["a", "b"], SAME)).await.unwrap(), Applied::Held(first.clone()));
    let second = new_one(store.apply(apply("ann", &["a"], ANOTHER)).await.unwrap());
    assert_ne!(first.id, second.id);
    assert_eq!(second.lease().unwrap().nth, 2);
    let Applied::Held(one) = store.apply(apply("ann", &["a"], SAME)).await.unwrap() else {
        panic!("she holds two");
    };
    assert_eq!(one, first, "the one that she has had longest");
    let bobs = new_one(store.apply(apply("bob", &["a"], SAME)).await.unwrap());
    assert_eq!(bobs.lease().unwrap().nth, 1);
}

pub async fn holding_another_flavor_is_no_reason_to_give_that(home: &Home) {
    let store = home.app().await;
    pool(&store, 1, "a").await;
    pool(&store, 1, "b").await;
    let a = new_one(store.apply(apply("ann", &["a"], SAME)).await.unwrap());
    let b = new_one(store.apply(apply("ann", &["b"], SAME)).await.unwrap());
    assert_eq!((a.flavor, b.flavor), (flavor("a"), flavor("b")));
}

pub async fn any_of_the_flavors_will_do_and_no_other(home: &Home) {
    let store = home.app().await;
    for name in ["a", "b", "c"] {
        pool(&store, 10, name).await;
    }
    let mut given: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..20 {
        let cluster = new_one(store.apply(apply("ann", &["c", "a"], ANOTHER)).await.unwrap());
        *given.entry(cluster.flavor.to_string()).or_default() += 1;
    }
    assert_eq!(given, BTreeMap::from([("a".into(), 10), ("c".into(), 10)]));
    assert_eq!(store.apply(apply("ann", &["c", "a"], ANOTHER)).await.unwrap(), Applied::NoneFree);
}

pub async fn expired_and_withdrawn_offers_are_not_taken(home: &Home) {
    let store = home.app().await;
    let host = HostId::random();
    let now = clock::now();
    free_until(&store, &host, 0, "a", now).await;
    let fresh = free_until(&store, &host, 1, "a", now + Duration::from_millis(1)).await;
    let withdrawn = free(&store, &host, 2, "a").await;
    store.move_cluster(&withdrawn, &withdrawn.withdraw().unwrap(), None).await.unwrap();
    let mut ask = apply("ann", &["a"], ANOTHER);
    ask.now = now;
    assert_eq!(new_one(store.apply(ask.clone()).await.unwrap()).id, fresh.id);
    assert_eq!(store.apply(ask).await.unwrap(), Applied::NoneFree);
}

pub async fn nothing_on_offer_is_said_so(home: &Home) {
    let store = home.app().await;
    assert_eq!(store.apply(apply("ann", &["a"], SAME)).await.unwrap(), Applied::NoneFree);
    pool(&store, 1, "b").await;
    assert_eq!(store.apply(apply("ann", &["a"], ANOTHER)).await.unwrap(), Applied::NoneFree);
}

pub async fn release_then_apply_works_at_once(home: &Home) {
    let store = home.app().await;
    let all = pool(&store, 8, "a").await;
    let mut given = Vec::new();
    for _ in 0..all.len() {
        let held = new_one(store.apply(apply("ann", &["a"], SAME)).await.unwrap());
        release(&store, &held).await;
        given.push(held);
    }
    assert_eq!(ids(&given), ids(&all), "each time another, and none twice");
}

pub async fn a_key_gives_the_same_lease_even_when_it_has_ended(home: &Home) {
    let store = home.app().await;
    pool(&store, 4, "a").await;
    let mut ask = apply("ann", &["a"], ANOTHER);
    ask.key = key("key-1");
    let held = new_one(store.apply(ask.clone()).await.unwrap());
    assert_eq!(store.apply(ask.clone()).await.unwrap(), Applied::Held(held.clone()));
    let mut other = ask.clone();
    other.key = key("key-2");
    assert_ne!(new_one(store.apply(other).await.unwrap()).id, held.id);
    let released = release(&store, &held).await;
    let record = released.lease_record().unwrap();
    assert_eq!(store.apply(ask.clone()).await.unwrap(), Applied::Ended(record.clone()), "while it is removed");
    store.vanish(&released, event("gone")).await.unwrap();
    assert_eq!(store.apply(ask.clone()).await.unwrap(), Applied::Ended(record), "when it is gone");
    ask.holding = SAME;
    ask.key = key("key-2");
    assert!(matches!(store.apply(ask).await.unwrap(), Applied::Held(_)));
}

pub async fn a_key_is_forgotten_after_a_day(home: &Home) {
    let store = home.app().await;
    let later = clock::now() + KEY_KEPT + MINUTE;
    free_until(&store, &HostId::random(), 0, "a", later + MINUTE).await;
    free_until(&store, &HostId::random(), 0, "a", later + MINUTE).await;
    let mut ask = apply("ann", &["a"], SAME);
    ask.key = key("key-1");
    let held = new_one(store.apply(ask.clone()).await.unwrap());
    let gone = release(&store, &held).await;
    store.vanish(&gone, event("gone")).await.unwrap();
    ask.now = clock::now() + KEY_KEPT - MINUTE;
    assert!(matches!(store.apply(ask.clone()).await.unwrap(), Applied::Ended(_)));
    ask.now = later;
    new_one(store.apply(ask).await.unwrap());
}

pub async fn keys_are_each_users_own(home: &Home) {
    let store = home.app().await;
    pool(&store, 2, "a").await;
    for who in ["ann", "bob"] {
        let mut ask = apply(who, &["a"], SAME);
        ask.key = key("1");
        new_one(store.apply(ask).await.unwrap());
    }
}

async fn claim_all(stores: &[SharedStore; 2], claimers: usize) -> Vec<Applied> {
    let tasks = (0..claimers).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move { store.apply(apply(&format!("user {n}"), &["a"], SAME)).await.unwrap() })
    });
    join_all(tasks).await.into_iter().map(|joined| joined.unwrap()).collect()
}

pub async fn many_claimers_get_each_cluster_once(home: &Home) {
    let stores = stores(home).await;
    let all = pool(&stores[0], 64, "a").await;
    let given: Vec<Cluster> = claim_all(&stores, 64).await.into_iter().map(new_one).collect();
    assert_eq!(ids(&given), ids(&all), "each once, none over");
    let everything = stores[0].list_clusters(&ClusterFilter::default(), &Page::first(100)).await.unwrap();
    let by_id: BTreeMap<_, _> = given.iter().map(|cluster| (cluster.id.clone(), cluster)).collect();
    for found in &everything {
        assert_eq!(by_id.get(&found.id), Some(&found), "what they heard is what is stored");
    }
}

pub async fn more_claimers_than_clusters_leave_none_over(home: &Home) {
    let stores = stores(home).await;
    let all = pool(&stores[0], 20, "a").await;
    let applied = claim_all(&stores, 64).await;
    let given: Vec<Cluster> =
        applied.into_iter().filter(|applied| *applied != Applied::NoneFree).map(new_one).collect();
    assert_eq!((given.len(), ids(&given)), (20, ids(&all)));
}

pub async fn one_who_applies_many_times_at_once_gets_one(home: &Home) {
    let stores = stores(home).await;
    pool(&stores[0], 40, "a").await;
    let tasks = (0..32).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move { store.apply(apply("ann", &["a"], SAME)).await.unwrap() })
    });
    let mut got = BTreeSet::new();
    let mut new = 0;
    for joined in join_all(tasks).await {
        match joined.unwrap() {
            Applied::New(cluster) => {
                new += 1;
                got.insert(cluster.id);
            }
            Applied::Held(cluster) => {
                got.insert(cluster.id);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((got.len(), new), (1, 1));
    let held = ClusterFilter { phases: vec![PhaseKind::InUse], ..Default::default() };
    assert_eq!(stores[0].list_clusters(&held, &Page::first(100)).await.unwrap().len(), 1);
}

pub async fn one_who_wants_many_at_once_gets_as_many(home: &Home) {
    let stores = stores(home).await;
    pool(&stores[0], 40, "a").await;
    let tasks = (0..32).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move { new_one(store.apply(apply("ann", &["a"], ANOTHER)).await.unwrap()) })
    });
    let given: Vec<Cluster> = join_all(tasks).await.into_iter().map(|joined| joined.unwrap()).collect();
    assert_eq!(ids(&given).len(), 32);
    let nths: BTreeSet<u32> = given.iter().map(|cluster| cluster.lease().unwrap().nth).collect();
    assert_eq!(nths, (1..=32).collect());
}

pub async fn one_key_many_times_at_once_gives_one(home: &Home) {
    let stores = stores(home).await;
    pool(&stores[0], 40, "a").await;
    let tasks = (0..32).map(|n| {
        let store = stores[n % 2].clone();
        let mut ask = apply("ann", &["a"], ANOTHER);
        ask.key = key(if n < 16 { "one" } else { "two" });
        tokio::spawn(async move { store.apply(ask).await.unwrap() })
    });
    let mut got = BTreeSet::new();
    for joined in join_all(tasks).await {
        match joined.unwrap() {
            Applied::New(cluster) | Applied::Held(cluster) => got.insert(cluster.id),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(got.len(), 2);
}

/// What is taken out of the pool in the same moment is either hers or out, never both.
pub async fn claims_and_withdrawals_do_not_both_win(home: &Home) {
    let stores = stores(home).await;
    let all = pool(&stores[0], 30, "a").await;
    let withdrawals = join_all(all.iter().map(|cluster| {
        let (store, from) = (stores[1].clone(), cluster.clone());
        async move { store.move_cluster(&from, &from.withdraw().unwrap(), None).await }
    }));
    let (applied, withdrawn) = tokio::join!(claim_all(&stores, 30), withdrawals);
    let given = applied.iter().filter(|applied| matches!(applied, Applied::New(_))).count();
    let out = withdrawn.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(given + out, 30);
    let held = ClusterFilter { phases: vec![PhaseKind::InUse], ..Default::default() };
    assert_eq!(stores[0].list_clusters(&held, &Page::first(100)).await.unwrap().len(), given);
}

pub async fn metadata_may_have_any_key(home: &Home) {
    let store = home.app().await;
    pool(&store, 1, "a").await;
    let mut ask = apply("ann", &["a"], SAME);
    for odd in ["", "$set", "a.b", "a\0b", "%2e", "ключ"] {
        ask.metadata.insert(odd.into(), "value\0".into());
    }
    let held = new_one(store.apply(ask.clone()).await.unwrap());
    assert_eq!(stored(&store, &held).await.lease().unwrap().metadata, ask.metadata);
    let gone = release(&store, &held).await;
    store.vanish(&gone, event("gone")).await.unwrap();
    let record = store.lease_record(&gone.lease().unwrap().id).await.unwrap().unwrap();
    assert_eq!(record.lease.metadata, ask.metadata);
}

/// The same, by one who may hold so many.
fn limited(who: &str, holding: Holding, most: u32) -> Apply {
    Apply { most: Some(most), ..apply(who, &["a"], holding) }
}

pub async fn nobody_holds_more_than_she_may(home: &Home) {
    let store = home.app().await;
    pool(&store, 6, "a").await;
    for _ in 0..2 {
        new_one(store.apply(limited("ann", ANOTHER, 2)).await.unwrap());
    }
    assert_eq!(store.apply(limited("ann", ANOTHER, 2)).await.unwrap(), Applied::TooMany(2));
    new_one(store.apply(limited("bob", ANOTHER, 2)).await.unwrap());
    new_one(store.apply(limited("ann", ANOTHER, 3)).await.unwrap());
    assert_eq!(store.apply(limited("ann", ANOTHER, 1)).await.unwrap(), Applied::TooMany(3), "a limit that was lowered");
    assert_eq!(store.apply(limited("eve", SAME, 0)).await.unwrap(), Applied::TooMany(0));
    new_one(store.apply(apply("ann", &["a"], ANOTHER)).await.unwrap());
}

pub async fn who_is_at_her_limit_gets_what_she_holds_and_another_after_a_release(home: &Home) {
    let store = home.app().await;
    pool(&store, 4, "a").await;
    let mut first = limited("ann", SAME, 1);
    first.key = key("key-1");
    let held = new_one(store.apply(first.clone()).await.unwrap());
    assert_eq!(store.apply(first.clone()).await.unwrap(), Applied::Held(held.clone()), "by her key");
    assert_eq!(store.apply(limited("ann", SAME, 1)).await.unwrap(), Applied::Held(held.clone()));
    assert_eq!(store.apply(limited("ann", ANOTHER, 1)).await.unwrap(), Applied::TooMany(1));
    // While it is removed it is not hers any more.
    release(&store, &held).await;
    let next = new_one(store.apply(limited("ann", ANOTHER, 1)).await.unwrap());
    assert_ne!(next.id, held.id);
    assert!(matches!(store.apply(first).await.unwrap(), Applied::Ended(_)));
}

pub async fn many_at_once_hold_no_more_than_they_may(home: &Home) {
    let stores = stores(home).await;
    let free = pool(&stores[0], 60, "a").await;
    let most = 3;
    let asks = (0..48).map(|n| {
        let store = stores[n % 2].clone();
        let who = ["ann", "bob", "eve"][n % 3];
        async move { (who, store.apply(limited(who, ANOTHER, most)).await.unwrap()) }
    });
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    for (who, outcome) in join_all(asks).await {
        match outcome {
            Applied::New(_) => *given.entry(who).or_default() += 1,
            Applied::TooMany(held) => assert_eq!(held, most, "{who}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given, BTreeMap::from([("ann", 3), ("bob", 3), ("eve", 3)]));
    let held = ClusterFilter { phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
    let held = stores[0].list_clusters(&held, &Page::first(100)).await.unwrap();
    assert_eq!((held.len(), free.len()), (9, 60));
}

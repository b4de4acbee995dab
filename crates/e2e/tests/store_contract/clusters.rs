//! Rules of clusters: what is kept, who may move them, what proofs may change.

use std::collections::BTreeSet;
use std::time::Duration;

use common::clock;
use common::model::{
    Cluster, ClusterId, Health, HostId, Node, NodeName, NodeScope, NodeState, PhaseKind, Why, WishChange,
};
use common::store::{ClusterFilter, Holding, Page, Proof, SharedStore, StoreError};

use crate::home::Home;
use crate::made::{MINUTE, apply, creating, event, flavor, free, new_one, pool, release, user};

async fn moved(store: &SharedStore, from: &Cluster, to: Cluster) -> Cluster {
    store.move_cluster(from, &to, Some(event("moved"))).await.unwrap();
    assert_eq!(store.cluster(&from.id).await.unwrap().as_ref(), Some(&to));
    to
}

pub async fn a_cluster_is_kept_whole_through_its_life(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let made = creating(&HostId::random(), 7, "a");
    store.insert_cluster(&made, event("made")).await.unwrap();
    assert_eq!(store.cluster(&made.id).await.unwrap().as_ref(), Some(&made));
    let node = Node { container: Some("c0ffee".into()), state: NodeState::Running, restarted_seq: 1 };
    let vp1 = NodeName::parse("vp1").unwrap();
    let seen = moved(&store, &made, made.seen(vec![(vp1.clone(), node)], Health::Unknown)).await;
    let free = moved(&store, &seen, seen.offer_out(0.123_456_789_012_345_67, now + MINUTE, now).unwrap()).await;
    let bare = moved(&store, &free, free.withdraw().unwrap()).await;
    moved(&store, &bare, bare.offer_again(0.25, now + MINUTE, now).unwrap()).await;
    let held = new_one(store.apply(apply("Ann O'Neil", &["a"], Holding::GiveSame)).await.unwrap());
    let wish = held.wish(&NodeScope::One(vp1), WishChange::Restart).unwrap().unwrap();
    let wished = moved(&store, &held, wish).await;
    let ill = wished.seen(vec![], wished.worse("vp1 exited".into(), now));
    let ill = moved(&store, &wished, ill).await;
    let released = moved(&store, &ill, ill.release("ann", now).unwrap()).await;
    let lost = moved(&store, &released, released.lose("host gone".into(), now).unwrap()).await;
    store.vanish(&lost, event("gone")).await.unwrap();
    assert_eq!(store.cluster(&lost.id).await.unwrap(), None);

    let other = creating(&HostId::random(), 7, "a");
    store.insert_cluster(&other, event("made")).await.unwrap();
    let why = Why::CreateFailed { error: "no such image".into() };
    let failed = moved(&store, &other, other.fail(why.clone(), now).unwrap()).await;
    let removing = moved(&store, &failed, failed.remove(why, now).unwrap()).await;
    store.vanish(&removing, event("gone")).await.unwrap();
    assert_eq!(store.list_clusters(&ClusterFilter::default(), &Page::first(10)).await.unwrap(), []);
}

pub async fn a_slot_holds_one_cluster(home: &Home) {
    let store = home.app().await;
    let (here, there) = (HostId::random(), HostId::random());
    let first = creating(&here, 1, "a");
    store.insert_cluster(&first, event("made")).await.unwrap();
    store.insert_cluster(&creating(&here, 2, "a"), event("made")).await.unwrap();
    store.insert_cluster(&creating(&there, 1, "a"), event("made")).await.unwrap();
    let second = creating(&here, 1, "a");
    assert!(matches!(store.insert_cluster(&second, event("made")).await, Err(StoreError::Taken { field: "slot" })));
    let removing = moved(&store, &first, first.remove(Why::PoolShrunk, clock::now()).unwrap()).await;
    assert!(store.insert_cluster(&second, event("made")).await.is_err(), "it is there until it is gone");
    store.vanish(&removing, event("gone")).await.unwrap();
    store.insert_cluster(&second, event("made")).await.unwrap();
}

pub async fn a_move_from_an_old_version_or_phase_is_a_conflict(home: &Home) {
    let store = home.app().await;
    let old = free(&store, &HostId::random(), 0, "a").await;
    let now = clock::now();
    let bare = moved(&store, &old, old.withdraw().unwrap()).await;
    let removed = old.remove(Why::PoolShrunk, now).unwrap();
    assert!(matches!(store.move_cluster(&old, &removed, None).await, Err(StoreError::Conflict("cluster"))));
    let other_phase = Cluster { phase: removed.phase.clone(), ..bare.clone() };
    let from_there = Cluster { version: bare.version + 1, ..other_phase.clone() };
    assert!(matches!(store.move_cluster(&other_phase, &from_there, None).await, Err(StoreError::Conflict("cluster"))));
    assert_eq!(store.cluster(&old.id).await.unwrap(), Some(bare));
    let unknown = creating(&HostId::random(), 0, "a");
    let failed = unknown.fail(Why::PoolShrunk, now).unwrap();
    assert!(matches!(store.move_cluster(&unknown, &failed, None).await, Err(StoreError::NotFound("cluster"))));
}

/// Whoever did not hear the answer asks again.
pub async fn the_same_write_again_is_no_conflict(home: &Home) {
    let store = home.app().await;
    let made = creating(&HostId::random(), 0, "a");
    store.insert_cluster(&made, event("made")).await.unwrap();
    store.insert_cluster(&made, event("made")).await.unwrap();
    let failed = made.fail(Why::PoolShrunk, clock::now()).unwrap();
    store.move_cluster(&made, &failed, Some(event("failed"))).await.unwrap();
    store.move_cluster(&made, &failed, Some(event("failed"))).await.unwrap();
    assert!(matches!(store.insert_cluster(&made, event("made")).await, Err(StoreError::Taken { field: "id" })));
    assert_eq!(store.cluster(&made.id).await.unwrap(), Some(failed));
}

pub async fn of_two_moves_at_once_one_wins(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    for slot in 0..10 {
        let from = free(&app, &HostId::random(), slot, "a").await;
        let now = clock::now();
        let (removed, failed) =
            (from.remove(Why::PoolShrunk, now).unwrap(), from.fail(Why::FlavorChanged, now).unwrap());
        let (one, other) =
            tokio::join!(app.move_cluster(&from, &removed, None), admin.move_cluster(&from, &failed, None));
        let found = app.cluster(&from.id).await.unwrap().unwrap();
        match (one, other) {
            (Ok(()), Err(StoreError::Conflict(_))) => assert_eq!(found, removed),
            (Err(StoreError::Conflict(_)), Ok(())) => assert_eq!(found, failed),
            both => panic!("{both:?}"),
        }
    }
}

pub async fn clusters_are_found_by_host_phase_user_and_flavor(home: &Home) {
    let store = home.app().await;
    let host = HostId::random();
    let on_host = [free(&store, &host, 0, "a").await, free(&store, &host, 1, "b").await];
    let making = creating(&host, 2, "c");
    store.insert_cluster(&making, event("made")).await.unwrap();
    let elsewhere = free(&store, &HostId::random(), 0, "b").await;
    let held = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let list = |filter: ClusterFilter| {
        let store = store.clone();
        async move {
            let found = store.list_clusters(&filter, &Page::first(100)).await.unwrap();
            found.into_iter().map(|cluster| cluster.id).collect::<BTreeSet<_>>()
        }
    };
    let ids = |all: &[&Cluster]| all.iter().map(|cluster| cluster.id.clone()).collect::<BTreeSet<ClusterId>>();
    let filter = ClusterFilter { host: Some(host.clone()), ..Default::default() };
    assert_eq!(list(filter).await, ids(&[&on_host[0], &on_host[1], &making]));
    let filter = ClusterFilter { phases: vec![PhaseKind::Free, PhaseKind::Creating], ..Default::default() };
    assert_eq!(list(filter.clone()).await, ids(&[&on_host[1], &making, &elsewhere]));
    let both = ClusterFilter { flavors: vec![flavor("b"), flavor("a")], ..filter };
    assert_eq!(list(both).await, ids(&[&on_host[1], &elsewhere]));
    let hers = ClusterFilter { user: Some(user("ann")), ..Default::default() };
    assert_eq!(list(hers.clone()).await, ids(&[&held]));
    assert_eq!(list(ClusterFilter { user: Some(user("bob")), ..Default::default() }).await, ids(&[]));
    let not_free = ClusterFilter { phases: vec![PhaseKind::Free], ..hers.clone() };
    assert_eq!(list(not_free).await, ids(&[]));
    release(&store, &held).await;
    assert_eq!(list(hers).await, ids(&[]), "what she gave back is not hers");
}

pub async fn lists_go_on_after_an_id(home: &Home) {
    let store = home.app().await;
    let mut all: Vec<ClusterId> = pool(&store, 25, "a").await.into_iter().map(|cluster| cluster.id).collect();
    all.sort();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = Page { after: after.clone(), limit: 10 };
        let some = store.list_clusters(&ClusterFilter::default(), &page).await.unwrap();
        assert!(some.len() <= 10);
        let Some(last) = some.last() else {
            break;
        };
        after = Some(last.id.to_string());
        found.extend(some.into_iter().map(|cluster| cluster.id));
    }
    assert_eq!(found, all);
}

pub async fn clusters_are_counted(home: &Home) {
    let store = home.app().await;
    assert!(store.count_clusters().await.unwrap().is_empty());
    let host = HostId::random();
    for slot in 0..5 {
        free(&store, &host, slot, if slot < 3 { "a" } else { "b" }).await;
    }
    new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let counts = store.count_clusters().await.unwrap();
    for host in counts.keys().map(|(host, ..)| host) {
        let there: Vec<_> =
            counts.iter().filter(|((at, ..), _)| at == host).map(|(kind, n)| (kind.clone(), *n)).collect();
        assert_eq!(store.count_clusters_on(host).await.unwrap().into_iter().collect::<Vec<_>>(), there);
    }
    let of = |name: &str, phase| counts.get(&(host.clone(), flavor(name), phase)).copied().unwrap_or(0);
    assert_eq!((of("a", PhaseKind::Free), of("a", PhaseKind::InUse), of("b", PhaseKind::Free)), (2, 1, 2));
    assert_eq!(counts.len(), 3);
}

pub async fn proofs_change_no_version(home: &Home) {
    let store = home.app().await;
    let host = HostId::random();
    let offered = free(&store, &host, 0, "a").await;
    let bare = free(&store, &host, 1, "b").await;
    let bare = moved(&store, &bare, bare.withdraw().unwrap()).await;
    let making = creating(&host, 2, "a");
    store.insert_cluster(&making, event("made")).await.unwrap();
    let at = clock::now() + Duration::from_secs(5);
    let proof = |cluster: &ClusterId| Proof { cluster: cluster.clone(), at, offer_until: at + MINUTE };
    let ids = [&offered.id, &bare.id, &making.id, &ClusterId::random()];
    store.prove(&ids.map(proof)).await.unwrap();
    store.prove(&[]).await.unwrap();
    let found = store.cluster(&offered.id).await.unwrap().unwrap();
    let mut expected = offered.clone();
    expected.proven_at = Some(at);
    expected.offer.as_mut().unwrap().until = at + MINUTE;
    assert_eq!(found, expected);
    let found = store.cluster(&bare.id).await.unwrap().unwrap();
    assert_eq!(found, Cluster { proven_at: Some(at), ..bare.clone() }, "no offer comes of a proof");
    assert_eq!(store.cluster(&making.id).await.unwrap(), Some(making));
    // One that comes late says nothing new.
    let early = Proof { cluster: offered.id.clone(), at: at - MINUTE, offer_until: at };
    store.prove(&[early]).await.unwrap();
    assert_eq!(store.cluster(&offered.id).await.unwrap(), Some(expected));
}

pub async fn offers_are_extended_within_their_proofs_and_never_shortened(home: &Home) {
    let store = home.app().await;
    let (host, now) = (HostId::random(), clock::now());
    let (near, far) = (now + MINUTE * 2, now + MINUTE * 9);
    let offered = free(&store, &host, 0, "a").await;
    let long = free(&store, &host, 1, "a").await;
    let at = long.proven_at.unwrap();
    store.prove(&[Proof { cluster: long.id.clone(), at, offer_until: far }]).await.unwrap();
    let bare = free(&store, &host, 2, "b").await;
    let bare = moved(&store, &bare, bare.withdraw().unwrap()).await;
    let elsewhere = free(&store, &HostId::random(), 0, "a").await;
    let until = async |cluster: &Cluster| {
        let found = store.cluster(&cluster.id).await.unwrap().unwrap();
        assert_eq!(found.version, cluster.version);
        found.offer.map(|offer| offer.until)
    };
    let before = until(&elsewhere).await;
    store.extend_offers(&host, MINUTE * 5, near).await.unwrap();
    assert_eq!(until(&offered).await, Some(near));
    assert_eq!(until(&long).await, Some(far), "it holds longer already");
    assert_eq!(until(&bare).await, None, "no offer comes of it");
    assert_eq!(until(&elsewhere).await, before);
    // Not beyond what the proof is good for.
    store.extend_offers(&host, MINUTE * 5, far).await.unwrap();
    assert_eq!(until(&offered).await, offered.proven_at.map(|at| at + MINUTE * 5));
}

pub async fn a_move_keeps_later_proofs(home: &Home) {
    let store = home.app().await;
    let before = free(&store, &HostId::random(), 0, "a").await;
    let at = clock::now() + Duration::from_secs(5);
    let proof = Proof { cluster: before.id.clone(), at, offer_until: at + MINUTE };
    store.prove(&[proof]).await.unwrap();
    // Decided on what was read before the proof.
    let seen = before.seen(vec![], Health::Ok);
    store.move_cluster(&before, &seen, None).await.unwrap();
    let found = store.cluster(&before.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.proven_at), (seen.version, Some(at)));
    assert_eq!(found.offer.map(|offer| offer.until), Some(at + MINUTE));
    let bare = seen.withdraw().unwrap();
    store.move_cluster(&seen, &bare, None).await.unwrap();
    let found = store.cluster(&before.id).await.unwrap().unwrap();
    assert_eq!((found.offer, found.proven_at), (None, Some(at)));
}

pub async fn an_ended_lease_is_in_the_history_before_its_cluster_goes(home: &Home) {
    let store = home.app().await;
    pool(&store, 1, "a").await;
    let held = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    assert!(matches!(store.vanish(&held, event("gone")).await, Err(StoreError::Broken(_))), "she holds it");
    let lease = held.lease().unwrap().id.clone();
    let gone = release(&store, &held).await;
    assert_eq!(store.lease_record(&lease).await.unwrap(), None);
    let (watcher, vanished) = tokio::join!(
        async {
            // At no moment are both missing.
            loop {
                let there = store.cluster(&gone.id).await.unwrap().is_some();
                if !there {
                    break store.lease_record(&lease).await.unwrap();
                }
            }
        },
        store.vanish(&gone, event("gone"))
    );
    vanished.unwrap();
    assert_eq!(watcher, gone.lease_record());
}

pub async fn only_the_version_that_was_seen_vanishes(home: &Home) {
    let store = home.app().await;
    pool(&store, 1, "a").await;
    let held = new_one(store.apply(apply("ann", &["a"], Holding::GiveSame)).await.unwrap());
    let released = release(&store, &held).await;
    let lost = moved(&store, &released, released.lose("host gone".into(), clock::now()).unwrap()).await;
    assert!(matches!(store.vanish(&released, event("gone")).await, Err(StoreError::Conflict("cluster"))));
    assert_eq!(store.cluster(&lost.id).await.unwrap(), Some(lost.clone()));
    store.vanish(&lost, event("gone")).await.unwrap();
    store.vanish(&lost, event("gone")).await.unwrap();
    let record = store.lease_record(&lost.lease().unwrap().id).await.unwrap();
    assert_eq!(record, lost.lease_record());
}

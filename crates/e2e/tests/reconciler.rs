//! The reconciler on an engine: fills, repairs, replaces and removes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::Duration;

use common::model::*;
use common::store::Applied;
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;
use engine::Engine;

/// The daemon that `scripts/real-parts.sh` starts.
const REAL: &str = "unix:///var/run/docker.sock";

fn taken(applied: Applied) -> Cluster {
    match applied {
        Applied::New(cluster) => cluster,
        other => panic!("a new lease was expected: {other:?}"),
    }
}

async fn a_pool_fills_leases_replaces_and_leaves(url: &str, address: &str) {
    let pool = Pool::start(url, address, 2, &["fabric-0.6-noops-4"]).await.unwrap();
    pool.until("2 free").await;
    let cluster = taken(pool.apply("alice").await.unwrap());
    pool.until("1 free, 1 in_use").await;
    // She releases it: its place is taken by a new one with another id, in the same slot.
    pool.change(&cluster.id, |c| c.release("alice", common::clock::now()).ok()).await.unwrap();
    pool.until("2 free").await;
    let after = pool.clusters().await;
    assert!(after.iter().all(|c| c.id != cluster.id), "the released cluster is not handed out again");
    assert!(after.iter().any(|c| c.name == cluster.name), "its slot and name are used again");
    // The record of its lease stays.
    let lease = cluster.lease().unwrap().id.clone();
    assert!(pool.store.lease_record(&lease).await.unwrap().is_some());
    pool.end().await.unwrap();
}

async fn a_broken_free_cluster_is_replaced(url: &str, address: &str) {
    let pool = Pool::start(url, address, 1, &["fabric-0.6-noops-4"]).await.unwrap();
    pool.until("1 free").await;
    let broken = pool.clusters().await.remove(0);
    let vp1 = broken.nodes[&NodeName::parse("vp1").unwrap()].container.clone().unwrap();
    let engine = Engine::connect(&pool.url).await.unwrap();
    engine.stop_node(&vp1, Duration::from_secs(1), &|| Ok(())).await.unwrap();
    wait_until("the broken one to be replaced", PATIENCE, || async {
        let now = pool.clusters().await;
        let replaced = now.iter().any(|c| c.id != broken.id && c.phase.kind() == PhaseKind::Free && c.offer.is_some());
        if replaced { Ok(()) } else { Err(format!("{:?}", pool.reconciler.outlook())) }
    })
    .await;
    pool.end().await.unwrap();
}

async fn a_users_wishes_are_carried_out_and_her_dead_node_comes_back(url: &str, address: &str) {
    let pool = Pool::start(url, address, 1, &["fabric-0.6-noops-4"]).await.unwrap();
    pool.until("1 free").await;
    let cluster = taken(pool.apply("alice").await.unwrap());
    let vp1 = NodeName::parse("vp1").unwrap();
    let done = |what: &'static str, test: fn(&Cluster) -> bool| {
        let (pool, id) = (&pool, cluster.id.clone());
        async move {
            wait_until(what, PATIENCE, || async {
                let now = pool.store.cluster(&id).await.unwrap().unwrap();
                if test(&now) { Ok(()) } else { Err(format!("{:?} {:?} {:?}", now.wishes, now.nodes, now.health)) }
            })
            .await;
        }
    };
    for change in [WishChange::Stop, WishChange::Start, WishChange::Restart] {
        let scope = NodeScope::One(vp1.clone());
        pool.change(&cluster.id, |c| c.wish(&scope, change).ok().flatten()).await.unwrap();
        done("the wish to be carried out", Cluster::wishes_done).await;
    }
    done("it to be well again", |c| c.health == Health::Ok).await;
    // A node that dies by itself is started again; nothing is taken from her.
    let container = pool.store.cluster(&cluster.id).await.unwrap().unwrap().nodes[&vp1].container.clone().unwrap();
    let engine = Engine::connect(&pool.url).await.unwrap();
    engine.stop_node(&container, Duration::from_secs(1), &|| Ok(())).await.unwrap();
    done("its death to be seen", |c| matches!(c.health, Health::Failing { .. })).await;
    done("it to be well again", |c| c.health == Health::Ok && c.wishes_done()).await;
    assert_eq!(pool.store.cluster(&cluster.id).await.unwrap().unwrap().phase.kind(), PhaseKind::InUse);
    pool.change(&cluster.id, |c| c.release("alice", common::clock::now()).ok()).await.unwrap();
    pool.end().await.unwrap();
}

async fn a_reconciler_that_stops_anywhere_is_resumed_by_the_next(url: &str, address: &str) {
    let mut pool = Pool::start(url, address, 2, &["fabric-0.6-noops-4"]).await.unwrap();
    // Each time a little further into the making.
    for pause in [0, 50, 150, 300, 600] {
        tokio::time::timeout(Duration::from_millis(pause), std::future::pending::<()>()).await.unwrap_err();
        pool.stop_reconciler().await;
        pool.start_reconciler();
    }
    pool.until("2 free").await;
    pool.end().await.unwrap();
}

mod on_the_real_engine {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pool_fills_leases_replaces_and_leaves() {
        super::a_pool_fills_leases_replaces_and_leaves(REAL, "127.0.0.1").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broken_free_cluster_is_replaced() {
        super::a_broken_free_cluster_is_replaced(REAL, "127.0.0.1").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_users_wishes_are_carried_out_and_her_dead_node_comes_back() {
        super::a_users_wishes_are_carried_out_and_her_dead_node_comes_back(REAL, "127.0.0.1").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reconciler_that_stops_anywhere_is_resumed_by_the_next() {
        super::a_reconciler_that_stops_anywhere_is_resumed_by_the_next(REAL, "127.0.0.1").await;
    }
}

mod on_a_simulated_engine {
    use simdocker::{SimHost, SimOptions};

    use super::*;

    async fn host() -> SimHost {
        SimHost::start(SimOptions::fresh()).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pool_fills_leases_replaces_and_leaves() {
        let sim = host().await;
        super::a_pool_fills_leases_replaces_and_leaves(&sim.url(), &sim.address().to_string()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broken_free_cluster_is_replaced() {
        let sim = host().await;
        super::a_broken_free_cluster_is_replaced(&sim.url(), &sim.address().to_string()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_users_wishes_are_carried_out_and_her_dead_node_comes_back() {
        let sim = host().await;
        super::a_users_wishes_are_carried_out_and_her_dead_node_comes_back(&sim.url(), &sim.address().to_string())
            .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reconciler_that_stops_anywhere_is_resumed_by_the_next() {
        let sim = host().await;
        super::a_reconciler_that_stops_anywhere_is_resumed_by_the_next(&sim.url(), &sim.address().to_string()).await;
    }

    /// A host that goes away gives nothing out; when it is back, what was there is looked at, not made anew.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_host_that_goes_away_and_returns_keeps_its_clusters() {
        let sim = host().await;
        let pool = Pool::start(&sim.url(), &sim.address().to_string(), 2, &["fabric-0.6-noops-4"]).await.unwrap();
        pool.until("2 free").await;
        let before: Vec<ClusterId> = pool.clusters().await.into_iter().map(|c| c.id).collect();
        sim.go_down();
        wait_until("its offers to be withdrawn", PATIENCE, || async {
            let offered = pool.clusters().await.iter().filter(|c| c.offer.is_some()).count();
            if offered == 0 { Ok(()) } else { Err(format!("{offered} are offered")) }
        })
        .await;
        assert_eq!(pool.apply("alice").await.unwrap(), Applied::NoneFree);
        sim.come_up().await.unwrap();
        wait_until("them to be offered again", PATIENCE, || async {
            let offered = pool.clusters().await.iter().filter(|c| c.offer.is_some()).count();
            if offered == 2 { Ok(()) } else { Err(format!("{offered}; {:?}", pool.reconciler.outlook())) }
        })
        .await;
        let after: Vec<ClusterId> = pool.clusters().await.into_iter().map(|c| c.id).collect();
        assert_eq!(before, after);
        pool.end().await.unwrap();
    }
}

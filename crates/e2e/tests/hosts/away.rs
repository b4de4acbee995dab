//! How soon a host that does not answer gives nothing out any more, and how it comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::clock::Pace;
use common::compose::{Catalog, CatalogSettings};
use common::model::*;
use e2e::pool::{PATIENCE, PEER_IMAGE, Pool, Setup};
use e2e::wait::wait_until;
use simdocker::{FaultKind, FaultRule, SimHost};

use super::support::*;

/// Offers run out a minute after the engine's last answer; a host that counts as away before has them withdrawn.
const SILENCE: Duration = Duration::from_secs(60);

async fn full_at(pace: u32) -> (SimHost, Pool) {
    let sim = sim().await;
    let variables = BTreeMap::from([("FABRIC_PEER_IMAGE".to_owned(), PEER_IMAGE.to_owned())]);
    let setup = Setup {
        url: sim.url(),
        address: sim.address().to_string(),
        capacity: 2,
        catalog: Catalog::shipped(&CatalogSettings { variables }).unwrap(),
        flavors: vec![FLAVOR.to_owned()],
        below: std::env::temp_dir(),
        pace: Pace::faster(pace),
    };
    let mut pool = Pool::set_up(setup).await.unwrap();
    pool.start_reconciler();
    pool.until("2 free").await;
    (sim, pool)
}

/// Until all offers are withdrawn.
async fn withdrawn(pool: &Pool) {
    wait_until("its offers to be withdrawn", PATIENCE, || async {
        let offered = pool.clusters().await.iter().filter(|c| c.offer.is_some()).count();
        if offered == 0 { Ok(()) } else { Err(format!("{offered} are offered; {}", words(pool))) }
    })
    .await;
    let host = pool.store.host(&pool.host).await.unwrap().unwrap();
    assert!(!host.contact.state.is_active(), "{:?}", host.contact);
}

/// Until all are offered again, and are the same as before.
async fn back(pool: &Pool, before: &[ClusterId]) {
    wait_until("them to be offered again", PATIENCE, || async {
        let offered = pool.clusters().await.iter().filter(|c| c.offer.is_some()).count();
        if offered == 2 { Ok(()) } else { Err(format!("{offered}; {}", words(pool))) }
    })
    .await;
    let after: Vec<ClusterId> = pool.clusters().await.into_iter().map(|c| c.id).collect();
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_refuses_is_away_after_three_tries() {
    let (sim, pool) = full_at(1).await;
    let before: Vec<ClusterId> = pool.clusters().await.into_iter().map(|c| c.id).collect();
    let begun = Instant::now();
    sim.go_down();
    withdrawn(&pool).await;
    println!("refused: nothing given out after {} ms", begun.elapsed().as_millis());
    assert!(begun.elapsed() < SILENCE / 2);
    sim.come_up().await.unwrap();
    back(&pool, &before).await;
    pool.end().await.unwrap();
}

/// Nothing is refused and nothing is answered, as when a machine froze or a cable was pulled: five times as fast as life.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_is_away_long_before_its_offers_run_out() {
    const PACE: u32 = 5;
    let (sim, pool) = full_at(PACE).await;
    let before: Vec<ClusterId> = pool.clusters().await.into_iter().map(|c| c.id).collect();
    let begun = Instant::now();
    sim.faults().add(FaultRule { method: None, ..FaultRule::next("GET", "*", FaultKind::Hang).for_ever() });
    withdrawn(&pool).await;
    println!("hanging: nothing given out after {} ms at the ordinary pace", (begun.elapsed() * PACE).as_millis());
    assert!(begun.elapsed() * PACE < SILENCE);
    sim.faults().clear();
    back(&pool, &before).await;
    pool.end().await.unwrap();
}

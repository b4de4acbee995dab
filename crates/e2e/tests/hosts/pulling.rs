//! A making that waits for its image may wait for twenty minutes. What operators want of its host does not wait for it.

use common::model::*;
use e2e::pool::{PATIENCE, PEER_IMAGE, Pool};
use e2e::wait::wait_until;
use simdocker::{FaultKind, FaultRule, SimHost, SimImage, SimOptions};

use super::support::*;

const PULL: (&str, &str) = ("POST", "/images/create");

/// Waits until the engine was asked to pull an image so many times.
async fn until_pulled(sim: &SimHost, times: usize) {
    wait_until("an image to be pulled", PATIENCE, || async {
        let calls = sim.journal().calls();
        let pulls = calls.iter().filter(|call| (call.method.as_str(), call.path.as_str()) == PULL).count();
        if pulls >= times { Ok(()) } else { Err(format!("{pulls} pulls, not {times}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_reset_and_force_stop_a_making_that_waits_for_its_image() {
    let images = vec![SimImage::peer(PEER_IMAGE).pullable()];
    let sim = SimHost::start(SimOptions { images, ..SimOptions::fresh() }).await.unwrap();
    sim.faults().add(FaultRule::next(PULL.0, PULL.1, FaultKind::Hang).for_ever());
    let pool = Pool::start(&sim.url(), &sim.address().to_string(), 1, &[FLAVOR]).await.unwrap();

    until_pulled(&sim, 1).await;
    want(&pool, HostPurpose::Drain(asked())).await;
    pool.until("none").await;

    want(&pool, HostPurpose::Serve).await;
    until_pulled(&sim, 2).await;
    want(&pool, HostPurpose::Reset { asked: asked(), foreign: Vec::new() }).await;
    assert_eq!(until_done(&pool).await, "reset as otto asked: nothing of ours is left");

    until_pulled(&sim, 3).await;
    want(&pool, HostPurpose::Leave { asked: asked(), by_force: true }).await;
    until_gone(&pool, &pool.host).await;
    assert_eq!(pool.clusters().await, []);
    assert_eq!((sim.containers().len(), sim.networks().len()), (0, 0));
}

//! A network that the engine does not let go of, though nothing is on it.

use common::model::*;
use e2e::pool::PATIENCE;
use e2e::wait::wait_until;
use simdocker::{FaultKind, FaultRule};

use super::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_the_engine_keeps_holds_up_neither_the_cluster_nor_the_pool() {
    let (sim, pool) = full(1).await;
    let held = take(&pool, "alice").await;
    let network = sim.networks().into_iter().find(|network| network.contains(held.name.as_str())).unwrap();
    let refusal = format!("error while removing network: network {network} id 1f2e has active endpoints");
    sim.faults().add(FaultRule::next("DELETE", "/networks/*", FaultKind::error(403, &refusal)).for_ever());
    release(&pool, &held, "alice").await;
    wait_until("another one to be free in another slot", PATIENCE, || async {
        let now = pool.clusters().await;
        let other = |cluster: &Cluster| cluster.slot != held.slot && cluster.phase.kind() == PhaseKind::Free;
        if now.len() == 1 && now.iter().all(other) { Ok(()) } else { Err(words(&pool)) }
    })
    .await;
    let events = events(&pool).await;
    let removed = events.iter().rfind(|event| event.kind == EventKind::Removed).unwrap();
    assert!(
        removed.reason.contains(&network) && removed.reason.contains("restarting the Docker daemon"),
        "{removed:?}"
    );
    until_said(&pool, "restarting the Docker daemon").await;
    sim.faults().clear();
    pool.reconciler.ring();
    wait_until("the network to be swept", PATIENCE, || async {
        if sim.networks().contains(&network) { Err(words(&pool)) } else { Ok(()) }
    })
    .await;
    pool.end().await.unwrap();
}

//! Free clusters that are asked to commit a transaction now and then.

use std::collections::BTreeMap;

use common::clock::Pace;
use common::compose::{Catalog, CatalogSettings, Template};
use common::model::*;
use e2e::pool::{PATIENCE, PEER_IMAGE, Pool, Setup};
use e2e::wait::wait_until;
use simdocker::SimHost;

use super::support::*;

const TEMPLATE: &str = include_str!("../../../../common/templates/fabric-0.6.yml");

/// A pool of two, five times as fast as life, whose template probes deeply every ten seconds.
async fn probed_deeply(expected: &str) -> (SimHost, Pool) {
    let sim = sim().await;
    let variables = BTreeMap::from([("FABRIC_PEER_IMAGE".to_owned(), PEER_IMAGE.to_owned())]);
    let text = TEMPLATE.replace("every: 30m", "every: 10s");
    let text = text.replace("equals: OK}", expected);
    assert!(text.contains("every: 10s") && text.contains(expected));
    let template = Template::parse(TemplateId::parse("fabric-0.6").unwrap(), &text).unwrap();
    let setup = Setup {
        url: sim.url(),
        address: sim.address().to_string(),
        capacity: 2,
        catalog: Catalog::of(vec![template], &CatalogSettings { variables }).unwrap(),
        flavors: vec![FLAVOR.to_owned()],
        below: std::env::temp_dir(),
        pace: Pace::faster(5),
    };
    let mut pool = Pool::set_up(setup).await.unwrap();
    pool.deep_probes = true;
    pool.start_reconciler();
    pool.until("2 free").await;
    (sim, pool)
}

async fn height(cluster: &Cluster) -> u64 {
    let rest = &cluster.endpoints["rest"];
    let answer = reqwest::get(format!("http://{}/chain", rest.authority())).await.unwrap();
    answer.json::<serde_json::Value>().await.unwrap()["height"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_free_cluster_commits_a_transaction_and_is_given_out_again() {
    let (_sim, pool) = probed_deeply("equals: OK}").await;
    let before = pool.clusters().await;
    wait_until("each to have committed one", PATIENCE, || async {
        let now = pool.clusters().await;
        let same = before.iter().all(|old| now.iter().any(|new| new.id == old.id));
        assert!(same, "none is replaced: {}", words(&pool));
        let heights = [height(&before[0]).await, height(&before[1]).await];
        let offered = now.iter().all(|cluster| cluster.offer.is_some());
        if heights.iter().all(|height| *height > 1) && offered { Ok(()) } else { Err(format!("{heights:?}")) }
    })
    .await;
    pool.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_answer_as_it_must_is_withdrawn_and_replaced_with_the_reason() {
    let (_sim, pool) = probed_deeply("equals: DONE}").await;
    let why = wait_until("one to be replaced", PATIENCE, || async {
        let events = events(&pool).await;
        let failed = events.iter().find(|event| event.kind == EventKind::Failed);
        failed.map(|event| event.reason.clone()).ok_or_else(|| format!("{}; {events:?}", words(&pool)))
    })
    .await;
    assert!(why.starts_with("unhealthy: deep probe: /chaincode of rest: /result/status is \"OK\""), "{why}");
    pool.end().await.unwrap();
}

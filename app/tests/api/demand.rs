//! What users apply for is counted, and the counts come into the store.

use common::model::{ApplyCount, Timestamp};

use super::house::{House, NOOPS, PBFT, wait_until};

/// By flavor, over all minutes.
async fn counted(house: &House) -> Vec<(String, u64, u64)> {
    let mut counts: std::collections::BTreeMap<String, (u64, u64)> = Default::default();
    for ApplyCount { flavor, given, missed, .. } in house.store.applies(Timestamp::from_millis(0)).await.unwrap() {
        let count = counts.entry(flavor.to_string()).or_default();
        *count = (count.0 + given, count.1 + missed);
    }
    counts.into_iter().map(|(flavor, (given, missed))| (flavor, given, missed)).collect()
}

async fn apply(house: &House, user: &str, plugin: &str) {
    let wanted = [("user_id", user), ("consensus_plugin", plugin), ("consensus_mode", "batch"), ("size", "4")];
    house.form("/v2/cluster_op", &[&[("action", "apply")], &wanted[..]].concat()).await;
}

#[tokio::test]
async fn what_was_given_and_what_was_missed_is_written_down_by_flavor() {
    let house = House::open().await;
    house.free(PBFT).await;
    apply(&house, "ann", "pbft").await;
    // She has it already: nothing new was asked for.
    apply(&house, "ann", "pbft").await;
    apply(&house, "bob", "pbft").await;
    apply(&house, "bob", "noops").await;
    let expected = [(NOOPS.to_owned(), 0, 1), (PBFT.to_owned(), 1, 1)];
    wait_until("the counts are written", async || counted(&house).await == expected).await;
}

#[tokio::test]
async fn a_server_that_stops_in_order_writes_down_what_is_left() {
    let house = House::open().await;
    house.free(PBFT).await;
    apply(&house, "ann", "pbft").await;
    house.stop().await;
    let expected = [(PBFT.to_owned(), 1, 0)];
    wait_until("the counts are written", async || counted(&house).await == expected).await;
}

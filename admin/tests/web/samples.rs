//! Samples and what pages and programs make of them: curves, statistics.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::clock::now;
use common::model::{ApplyCount, ClusterId, Metadata, SAMPLE_EVERY, Sample, Subject, beginning};
use serde_json::json;

use crate::on_sim::OnSim;
use crate::support::House;

async fn put(house: &House, subject: Subject, minutes_ago: u32, values: &[(&str, u64)]) {
    let minute = beginning(now(), SAMPLE_EVERY) - SAMPLE_EVERY * minutes_ago;
    let values: BTreeMap<String, u64> = values.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    house.store.put_samples(&[Sample { subject, minute, values }]).await.unwrap();
}

#[tokio::test]
async fn a_curve_has_a_point_for_each_step_and_a_gap_where_nothing_was_measured() {
    let house = House::new().await;
    let id = ClusterId::random();
    put(&house, Subject::Cluster(id.clone()), 2, &[("vp0/cpu", 150), ("vp0/memory", 4096)]).await;
    put(&house, Subject::Cluster(id.clone()), 4, &[("vp0/cpu", 50), ("vp1/cpu", 25)]).await;
    let mut vera = house.browser_of("vera").await;
    let curve = vera.get(&format!("/api/v1/samples?cluster={id}")).await.is(200).json();
    assert_eq!((curve["measure"].as_str(), curve["unit"].as_str()), (Some("processor"), Some("%")));
    assert_eq!((curve["times"].as_array().unwrap().len(), &curve["step_seconds"]), (60, &json!(60)));
    let values: Vec<f64> = curve["series"][0]["avg"].as_array().unwrap().iter().filter_map(|v| v.as_f64()).collect();
    assert_eq!((curve["series"][0]["name"].as_str(), values), (Some("vp0"), vec![0.5, 1.5]));
    let day = vera.get(&format!("/api/v1/samples?cluster={id}&measure=memory&range=24h&node=vp0")).await.json();
    assert_eq!(day["times"].as_array().unwrap().len(), 480);
    assert!(day["series"][0]["max"].as_array().unwrap().contains(&json!(4.0)));
    for (query, field) in [
        (format!("cluster={id}&range=7d"), "range"),
        (format!("cluster={id}&range=2h"), "range"),
        (format!("cluster={id}&measure=hosts"), "measure"),
        ("measure=memory".to_owned(), "measure"),
        ("cluster=x".to_owned(), "cluster"),
        (format!("cluster={id}&host={id}"), "host"),
        ("step=1".to_owned(), "step"),
    ] {
        assert_eq!(vera.get(&format!("/api/v1/samples?{query}")).await.is(422).json()["field"], field, "{query}");
    }
    house.end().await;
}

#[tokio::test]
async fn what_a_page_has_open_is_measured_soon() {
    let house = House::new().await;
    let there = OnSim::new(&house).await;
    let mut vera = house.browser_of("vera").await;
    let page = vera.get(&format!("/clusters/{}", there.cluster.id)).await;
    page.is(200).has("The first sample comes within a minute");
    let (subject, begun) = (Subject::Cluster(there.cluster.id.clone()), Instant::now());
    let values = loop {
        let samples = house.store.samples(&subject, now() - SAMPLE_EVERY * 2).await.unwrap();
        if let Some(sample) = samples.into_iter().find(|sample| sample.values.contains_key("vp1/cpu")) {
            break sample.values;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it is not measured");
        tokio::task::yield_now().await;
    };
    assert_eq!(values.keys().collect::<Vec<_>>(), ["vp0/cpu", "vp0/memory", "vp1/cpu", "vp1/memory"]);
    // As simdocker's model has it: some 5 MiB, up to a hundredth of a processor.
    assert!((5000..8000).contains(&values["vp0/memory"]) && values["vp0/cpu"] <= 150, "{values:?}");
    let page = vera.get(&format!("/clusters/{}?range=24h", there.cluster.id)).await;
    page.is(200).has("<polyline points=\"").has("vp1</span>").has("measure=memory&amp;range=24h");
    house.end().await;
}

#[tokio::test]
async fn statistics_say_what_users_were_told() {
    let house = House::new().await;
    let host = house.add_host("h1").await;
    house.add_held(&host, 0, "ann", Metadata::new()).await;
    house.add_free(&host, 1).await;
    let flavor = house.catalog.flavors()[0].id.clone();
    let minute = beginning(now(), SAMPLE_EVERY);
    let count = |ago: u32, given, missed| ApplyCount {
        minute: minute - SAMPLE_EVERY * ago,
        flavor: flavor.clone(),
        given,
        missed,
    };
    let counts = [count(60 * 30, 4, 0), count(5, 2, 0), count(4, 0, 1), count(2, 1, 0)];
    house.store.count_applies(&counts).await.unwrap();
    put(&house, Subject::Pool, 3, &[("made", 2), ("make_ms", 1500), ("make_ms_longest", 2000), ("free", 1)]).await;
    let mut vera = house.browser_of("vera").await;
    let counted = r#"{"name":"in use","count":1}"#;
    let stats = vera.get_counted("/api/v1/stats", counted).await.is(200).json();
    let hour = &stats["ranges"]["1h"];
    assert_eq!((&hour["given"], &hour["missed"], &hour["hit_rate"]), (&json!(3), &json!(1), &json!(75.0)));
    assert_eq!(
        (&hour["made"], &hour["make_seconds"], &hour["longest_wait_minutes"]),
        (&json!(2), &json!(1.5), &json!(1))
    );
    assert_eq!(stats["ranges"]["7d"]["given"], 7);
    let page = vera.get("/stat").await;
    page.is(200).has("Host type").has("Chain status").has("75.0 %").has("1.5 s").has("2 made, the slowest in 2.0 s");
    page.has("aria-current=\"true\">The last hour").has("data-src=\"/api/v1/samples?measure=waits&amp;range=1h\"");
    vera.get("/").await.is(200).has("<strong>75.0 %</strong>").has("of 4 applies in the last hour");
    vera.get("/stat?range=7d").await.is(200).has("87.5 %");
    vera.get("/stat?range=never").await.is(422);
    let curve = vera.get("/api/v1/samples?measure=applies&range=1h").await.is(200).json();
    let missed = curve["series"][1]["max"].as_array().unwrap().iter().filter(|v| **v == json!(1.0)).count();
    assert_eq!((curve["series"][1]["name"].as_str(), missed), (Some("missed"), 1));
    house.end().await;
}

#[tokio::test]
async fn an_empty_pool_has_statistics_too() {
    let house = House::new().await;
    let mut vera = house.browser_of("vera").await;
    vera.get("/stat").await.is(200).has("nobody asked").has("none was made").has("There is none yet");
    assert_eq!(vera.get("/api/v1/stats").await.is(200).json()["ranges"]["1h"]["hit_rate"], json!(null));
    house.end().await;
}

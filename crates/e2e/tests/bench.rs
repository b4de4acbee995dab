//! The benches themselves, on small pools for a moment, so that they cannot rot. Their numbers are not looked at.

use std::time::Duration;

use e2e::bench::{Settings, run};
use e2e::program::binary;
use e2e::{heal, live, pages, scale};
use serde_json::Value;
use simdocker::{SimHost, SimOptions};

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_of_applies_gives_every_number_and_no_cluster_twice() {
    let settings = Settings {
        app: binary("poolmanager-app").unwrap(),
        clusters: 300,
        rounds: 1,
        round_limit: Duration::from_secs(1),
    };
    let report = run(&settings, &|_| {}).await.unwrap();
    assert_eq!(report.double_leases, 0);
    let json = serde_json::to_value(&report).unwrap();
    let expected = "rps_1 rps_16 rps_64 p50_ms_64 p99_ms_64 open_rps_64 open_p99_ms_64 raw_rps_64 raw_p99_ms_64 ratio_64 rss_mib sqlite_rps_64 \
                    sqlite_raw_rps_64 double_leases";
    assert_eq!(keys(&json), expected);
    for key in expected.split_whitespace().filter(|key| *key != "double_leases") {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_of_healing_gives_every_number() {
    let sim = SimHost::start(SimOptions::fresh()).await.unwrap();
    let engine = Some((sim.url(), sim.address().to_string()));
    let settings = heal::Settings { rounds: 1, clusters: 1, engine };
    let json = serde_json::to_value(heal::run(&settings, &|_| {}).await.unwrap()).unwrap();
    assert_eq!(keys(&json), "make_s detect_s heal_s extra_s takeover_s");
    for key in ["make_s", "detect_s", "heal_s", "takeover_s"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
    assert!(json["detect_s"].as_f64() <= json["heal_s"].as_f64(), "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_of_scale_gives_every_number() {
    let second = Duration::from_secs(1);
    let settings = scale::Settings { hosts: 20, clusters_per_host: 3, settle: second, settle_share: 0.0, rest: second };
    let json = serde_json::to_value(scale::run(&settings, &|_| {}).await.unwrap()).unwrap();
    let expected = "hosts clusters rest_cpu_percent rss_mib probes_per_s store_writes_per_s pass_ms pass_ms_100_hosts \
                    growth stages";
    assert_eq!(keys(&json), expected);
    assert_eq!((json["hosts"].as_u64(), json["clusters"].as_u64()), (Some(20), Some(60)));
    assert_eq!(json["stages"].as_array().unwrap().len(), 3, "1, 2 and 20 hosts");
    assert!(json["rss_mib"].as_f64().unwrap() > 1.0, "{json}");
    assert!(json["pass_ms"].as_f64().unwrap() > 0.0, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_of_live_pages_gives_every_number() {
    let settings = live::Settings { streams: 8, hosts: 2, clusters_per_host: 2, rounds: 1, changes: 3 };
    let json = serde_json::to_value(live::run(&settings, &|_| {}).await.unwrap()).unwrap();
    let expected = "streams fill_s_0 fill_s cpu_percent_0 cpu_percent pass_ms_0 pass_ms latency_p50_ms latency_p99_ms \
                    parts_per_s rss_mib";
    assert_eq!(keys(&json), expected);
    for key in ["fill_s_0", "fill_s", "latency_p50_ms", "latency_p99_ms", "parts_per_s", "rss_mib"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
}

#[tokio::test]
async fn the_bench_of_pages_gives_every_number() {
    let settings = pages::Settings { few: 200, many: 400, requests: 2 };
    let json = serde_json::to_value(pages::run(&settings, &|_| {}).await.unwrap()).unwrap();
    assert_eq!(keys(&json), "p50_ms_1k p99_ms_1k p50_ms_100k p99_ms_100k slowest worst_p99_ms_100k pages");
    for key in ["p50_ms_1k", "p99_ms_1k", "p50_ms_100k", "p99_ms_100k"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
    let stores = json["pages"].as_array().unwrap().iter().map(|page| page["store"].as_str().unwrap());
    assert_eq!(stores.clone().filter(|store| *store == "sqlite").count(), stores.filter(|s| *s == "mongodb").count());
}

fn keys(json: &Value) -> String {
    json.as_object().expect("an object").keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

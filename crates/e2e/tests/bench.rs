//! The bench itself, on a small pool for a moment, so that it cannot rot. Its numbers are not looked at.

use std::time::Duration;

use e2e::bench::{Settings, run};
use e2e::program::binary;

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_gives_every_number_and_no_cluster_twice() {
    let settings = Settings {
        app: binary("poolmanager-app").unwrap(),
        clusters: 300,
        rounds: 1,
        round_limit: Duration::from_secs(1),
    };
    let report = run(&settings, &|_| {}).await.unwrap();
    assert_eq!(report.double_leases, 0);
    let json = serde_json::to_value(&report).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "rps_1 rps_16 rps_64 p50_ms_64 p99_ms_64 raw_rps_64 raw_p99_ms_64 ratio_64 rss_mib sqlite_rps_64 \
                    sqlite_raw_rps_64 double_leases";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    for key in keys.iter().filter(|key| **key != "double_leases") {
        assert!(json[*key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
}

//! What `/metrics` shows.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::process::Process;
use super::{Http, StoreCalls};

/// What the text is: OpenMetrics, which every Prometheus since 2.5 reads.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All families of a process. Each process has one; there is none behind the scenes.
#[derive(Debug)]
pub struct Page(Registry);

impl Page {
    /// What both programs tell; `add` registers what is this program's own, whose names get `poolmanager_` before them.
    pub fn new(program: &'static str, http: &Http, store: &StoreCalls, add: impl FnOnce(&mut Registry)) -> Page {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let ours = registry.sub_registry_with_prefix("poolmanager");
        let build = Family::<[(&'static str, &'static str); 2], Gauge>::default();
        build.get_or_create(&[("program", program), ("version", env!("CARGO_PKG_VERSION"))]).set(1);
        ours.register("build_info", "Which program of which version this is; always 1", build);
        http.register(ours);
        store.register(ours);
        add(ours);
        Page(registry)
    }

    /// As it is now.
    pub fn text(&self) -> String {
        // A page of admin, with some thirty routes asked for, has a few hundred lines.
        let mut text = String::with_capacity(64 << 10);
        // Writing to a text fails only if something that is written does, and nothing does.
        if encode(&mut text, &self.0).is_err() {
            tracing::error!("the metrics could not be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::metrics::InFlight;

    fn page() -> (Page, Http, StoreCalls) {
        let (http, store) = (Http::default(), StoreCalls::default());
        (Page::new("app", &http, &store, |_| {}), http, store)
    }

    #[test]
    fn each_family_says_once_what_it_is() {
        let (page, http, store) = page();
        http.begin("GET").answered(Some("/healthz".into()), 200);
        store.ended("ping", Duration::from_millis(1), "ok");
        let text = page.text();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut known = BTreeSet::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap();
            assert!(known.insert(name), "{name} is there twice");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let of_known = ["", "_total", "_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| name.strip_suffix(suffix).is_some_and(|name| known.contains(name)));
            assert!(of_known, "{line}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
        let build = format!("poolmanager_build_info{{program=\"app\",version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&build), "{text}");
    }

    #[test]
    fn the_process_tells_of_itself() {
        let text = page().0.text();
        for name in
            ["resident_memory_bytes", "virtual_memory_bytes", "open_fds", "max_fds", "start_time_seconds", "threads"]
        {
            let line = text.lines().find(|line| line.starts_with(&format!("process_{name} "))).unwrap();
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 0.0, "{line}");
        }
        assert!(text.contains("\nprocess_cpu_seconds_total "), "{text}");
    }

    #[test]
    fn what_callers_choose_is_no_label() {
        let (page, http, _) = page();
        let requests = [("BREW", None, 404), ("GET", Some("/clusters/{id}".to_owned()), 200)];
        let begun: Vec<InFlight> = requests.iter().map(|(method, _, _)| http.begin(method)).collect();
        assert!(page.text().contains("\npoolmanager_http_requests_in_flight 2\n"), "{}", page.text());
        for (one, (_, route, status)) in begun.into_iter().zip(requests) {
            one.answered(route, status);
        }
        let text = page.text();
        for line in [
            "http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1",
            "http_requests_total{route=\"/clusters/{id}\",method=\"GET\",status=\"2xx\"} 1",
            "http_requests_in_flight 0",
        ] {
            assert!(text.contains(&format!("\npoolmanager_{line}\n")), "{line}: {text}");
        }
    }

    #[test]
    fn a_request_that_nobody_waits_for_any_more_is_not_under_way() {
        let (page, http, _) = page();
        drop(http.begin("GET"));
        assert!(page.text().contains("\npoolmanager_http_requests_in_flight 0\n"), "{}", page.text());
    }
}

//! Requests: how many, how they ended, how long their answers took to begin.

use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Histograms, observe, of_calls};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    method: &'static str,
}

/// Counts requests. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Http {
    answered: Family<Answered, Counter>,
    took: Histograms<Route>,
    in_flight: Gauge,
}

/// A request that is under way, until it is answered or dropped.
#[derive(Debug)]
pub struct InFlight {
    http: Http,
    began: Instant,
    method: &'static str,
}

impl Default for Http {
    fn default() -> Self {
        Http { answered: Family::default(), took: Family::new_with_constructor(of_calls), in_flight: Gauge::default() }
    }
}

impl Http {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests answered, by route as the table of routes has it, method, and class of status";
        registry.register("http_requests", help, self.answered.clone());
        let help = "From a request's head to its answer's head; what is streamed after that is not in it";
        registry.register("http_request_duration_seconds", help, self.took.clone());
        registry.register("http_requests_in_flight", "Requests without an answer so far", self.in_flight.clone());
    }

    /// A request has come.
    pub fn begin(&self, method: &str) -> InFlight {
        self.in_flight.inc();
        InFlight { http: self.clone(), began: Instant::now(), method: known(method) }
    }
}

impl InFlight {
    /// Its answer's head is there. `route` is the pattern that it met, if any.
    pub fn answered(self, route: Option<String>, status: u16) {
        let route = route.unwrap_or_else(|| "none".to_owned());
        let method = self.method;
        let answered = Answered { route: route.clone(), method, status: class(status) };
        self.http.answered.get_or_create(&answered).inc();
        observe(&self.http.took.get_or_create(&Route { route, method }), self.began.elapsed());
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.http.in_flight.dec();
    }
}

/// Whoever calls may invent a method: not a label for each.
fn known(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

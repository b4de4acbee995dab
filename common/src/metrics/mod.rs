//! What both programs tell a Prometheus that asks: requests, calls of the store, the process itself. What is one
//! program's own is registered by it.
//!
//! Every label has few values by its making: the paths of routes are told as the table of routes has them, and
//! nobody's name or id is told at all. docs/monitoring.md lists every family.

mod http;
mod labels;
mod page;
mod process;
mod store_calls;

pub use http::{Http, InFlight};
pub use labels::{FlavorLabel, Kind, KindAndOutcome, Outcome};
pub use page::{CONTENT_TYPE, Page};
pub use store_calls::StoreCalls;

use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// Histograms by label; the buckets are given where one is made.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// From a tenth of a millisecond to ten seconds: calls and requests.
pub fn of_calls() -> Histogram {
    Histogram::new([0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

/// From a second to twenty minutes: making a cluster, which may pull an image.
pub fn of_makings() -> Histogram {
    Histogram::new([1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0])
}

/// Adds a time to a histogram.
pub fn observe(histogram: &Histogram, took: Duration) {
    histogram.observe(took.as_secs_f64());
}

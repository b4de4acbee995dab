//! Calls of the store: how many, how they ended, how long they took.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Histograms, Kind, KindAndOutcome, observe, of_calls};

/// Counts calls of the store. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct StoreCalls {
    ended: Family<KindAndOutcome, Counter>,
    took: Histograms<Kind>,
}

impl Default for StoreCalls {
    fn default() -> Self {
        StoreCalls { ended: Family::default(), took: Family::new_with_constructor(of_calls) }
    }
}

impl StoreCalls {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Calls of the store that ended, by kind and outcome; unavailable: it is away, slow or full";
        registry.register("store_calls", help, self.ended.clone());
        registry.register("store_call_duration_seconds", "How long calls of the store took", self.took.clone());
    }

    /// A call ended.
    pub fn ended(&self, kind: &'static str, took: Duration, outcome: &'static str) {
        self.ended.get_or_create(&KindAndOutcome { kind, outcome }).inc();
        observe(&self.took.get_or_create(&Kind { kind }), took);
    }
}

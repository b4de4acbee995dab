//! `GET /metrics`, for a Prometheus inside; nginx keeps it from the outside.
//!
//! What is counted as it happens is beside what does it. What stands now is told from what is known already: asking costs no call
//! of the store, and a walk over the hosts' outlooks where this process leads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use actix_web::HttpResponse;
use actix_web::web::Data;
use common::metrics::CONTENT_TYPE;
use common::model::{FlavorId, PhaseKind};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::reconciler::{DoingKind, Reconciler, RetryOf};
use crate::server::State;
use crate::tally::Tally;

/// What was counted since the start, and how it stands now.
pub async fn show(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(state.metrics.text())
}

/// How the pool stands, as this process knows it.
pub struct PoolNow {
    /// Counts of clusters.
    pub tally: Tally,
    /// The flavors that there are: one of which there is no cluster has zeros.
    pub flavors: Vec<FlavorId>,
    /// What is done and held back.
    pub reconciler: Reconciler,
}

impl fmt::Debug for PoolNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PoolNow")
    }
}

/// A label and its value.
type Label<'a> = (&'static str, &'a str);

impl Collector for PoolNow {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let leads = u64::from(self.reconciler.leads());
        let help = "Whether this process has the reconciler's lock and looks after the hosts.";
        one(&mut encoder, "leader", help, leads)?;
        self.clusters(&mut encoder)?;
        if leads == 1 { self.outlook(&mut encoder) } else { Ok(()) }
    }
}

impl PoolNow {
    fn clusters(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let Some(counts) = self.tally.latest() else { return Ok(()) };
        let flavors: BTreeSet<&FlavorId> = self.flavors.iter().chain(counts.by_flavor.keys()).collect();
        let numbers = flavors.into_iter().flat_map(|flavor| {
            let counts = &counts;
            PhaseKind::ALL.into_iter().map(move |phase| {
                let labels: [Label; 2] = [("flavor", flavor.as_str()), ("phase", phase.as_str())];
                (labels, counts.number(&[phase], Some(flavor), None))
            })
        });
        let help = "Clusters by flavor and phase. Every admin tells this: take the highest, not the sum.";
        gauge(encoder, "clusters", help, numbers)?;
        let help =
            "When these were counted, in seconds since 1970: seconds to minutes ago while nobody looks at pages.";
        let at = u64::try_from(counts.at.as_millis() / 1000).unwrap_or_default();
        one(encoder, "clusters_counted_timestamp_seconds", help, at)
    }

    fn outlook(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let hosts = self.reconciler.outlook();
        let mut doing: BTreeMap<&str, u64> = DOING.into_iter().map(|kind| (doing_word(kind), 0)).collect();
        let mut breakers: BTreeMap<&str, u64> = BREAKERS.into_iter().map(|kind| (kind, 0)).collect();
        let (mut held, mut silent, mut blind) = (0, 0, 0);
        for host in &hosts {
            host.doing.iter().for_each(|one| *doing.entry(doing_word(one.kind)).or_default() += 1);
            host.retries.iter().for_each(|one| *breakers.entry(breaker_word(&one.of)).or_default() += 1);
            held += host.held.len() as u64;
            silent += u64::from(host.link.failed > 0);
            blind += u64::from(host.blind.is_some());
        }
        let labelled = |key: &'static str, map: BTreeMap<&'static str, u64>| {
            map.into_iter().map(move |(word, count)| ([(key, word)], count)).collect::<Vec<([Label; 1], u64)>>()
        };
        gauge(encoder, "under_way", "Steps under way, by kind.", labelled("kind", doing))?;
        let help = "Failures that are waited for, by what they are about, one for each host and flavor or slot.";
        gauge(encoder, "breakers_open", help, labelled("kind", breakers))?;
        one(encoder, "held_back", "Things that are wanted and not done now; pages say why.", held)?;
        one(encoder, "hosts_silent", "Hosts whose engine did not answer its last call.", silent)?;
        let help = "Hosts for which nothing is done because the store does not answer.";
        one(encoder, "hosts_blind", help, blind)
    }
}

const DOING: [DoingKind; 6] =
    [DoingKind::Begin, DoingKind::BringUp, DoingKind::TakeDown, DoingKind::Node, DoingKind::Write, DoingKind::Probe];

fn doing_word(kind: DoingKind) -> &'static str {
    match kind {
        DoingKind::Begin => "begin",
        DoingKind::BringUp => "bring_up",
        DoingKind::TakeDown => "take_down",
        DoingKind::Node => "node",
        DoingKind::Write => "write",
        DoingKind::Probe => "probe",
    }
}

const BREAKERS: [&str; 5] = ["flavor", "slot", "host", "purpose", "writes"];

fn breaker_word(of: &RetryOf) -> &'static str {
    match of {
        RetryOf::Flavor { .. } => "flavor",
        RetryOf::Slot { .. } => "slot",
        RetryOf::Host => "host",
        RetryOf::Purpose => "purpose",
        RetryOf::Writes => "writes",
    }
}

/// A gauge without labels.
fn one(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// One family of gauges.
fn gauge<'a, const N: usize>(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use common::metrics::{Http, Page, StoreCalls};
    use common::model::HostId;
    use common::store::{StoreTarget, StoreUser, open};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::reconciler::HostOutlook;
    use crate::reconciler::case::told::told;

    #[tokio::test]
    async fn what_hosts_tell_is_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
        let store = open(&target, StoreUser::Admin).await.unwrap();
        let of = |text: &str| HostOutlook { host: HostId::random(), ..told(text).1 };
        let hosts =
            vec![of("creating failing-once; want 2; flavor-fails 30"), of("inactive; free"), of("creating; want 1")];
        let now = PoolNow {
            tally: Tally::start(store, CancellationToken::new()),
            flavors: vec![FlavorId::parse("a").unwrap()],
            reconciler: Reconciler::telling(hosts),
        };
        now.tally.counts().await.unwrap();
        let page = Page::new("admin", &Http::default(), &StoreCalls::default(), |registry| {
            registry.register_collector(Box::new(now));
        });
        let text = page.text();
        for line in [
            "leader 1",
            "clusters{flavor=\"a\",phase=\"free\"} 0",
            "held_back 3",
            "breakers_open{kind=\"flavor\"} 1",
            "breakers_open{kind=\"host\"} 0",
            "under_way{kind=\"bring_up\"} 1",
            "hosts_silent 1",
            "hosts_blind 0",
        ] {
            assert!(text.contains(&format!("\npoolmanager_{line}\n")), "{line}: {text}");
        }
    }
}

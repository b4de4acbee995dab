//! The pool in numbers: how hosts and clusters divide, and what users were told over a stretch of time.

use std::collections::BTreeMap;

use common::model::{Host, HostKind, PhaseKind, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Operations, Refusal};
use crate::curves::{Noted, Of, Range, Told, told};

/// How hosts and clusters divide, each as names and numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shares {
    /// Hosts by what they are.
    pub host_types: Vec<Share>,
    /// Hosts by whether they answer.
    pub host_states: Vec<Share>,
    /// Clusters by flavor.
    pub cluster_types: Vec<Share>,
    /// Clusters by phase.
    pub cluster_states: Vec<Share>,
}

/// One part of a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Share {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// What happened over a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Stats {
    /// What users were told.
    #[serde(flatten)]
    pub told: Told,
    /// Clusters that became free.
    pub made: u64,
    /// How long that took in the mean; `null` when none was made.
    pub make_seconds: Option<f64>,
    /// And at most.
    pub make_seconds_longest: Option<f64>,
}

impl Operations {
    /// How hosts and clusters divide now.
    pub async fn shares(&self) -> Result<Shares, Refusal> {
        let (counts, hosts) = (self.tally.counts().await?, self.tally.hosts().await?);
        let of_hosts = |is: &dyn Fn(&Host) -> bool| hosts.iter().filter(|host| is(host)).count() as u64;
        let share = |name: &str, count: u64| Share { name: name.to_owned(), count };
        let mut flavors: BTreeMap<String, u64> = BTreeMap::new();
        for (flavor, phases) in &counts.by_flavor {
            let title = self.catalog.flavor(flavor).map_or_else(|| flavor.to_string(), |flavor| flavor.title.clone());
            *flavors.entry(title).or_default() += phases.values().sum::<u64>();
        }
        let state = |phase: PhaseKind| counts.by_phase.get(&phase).copied().unwrap_or(0);
        Ok(Shares {
            host_types: vec![
                share("single", of_hosts(&|host| host.kind == HostKind::Single)),
                share("swarm", of_hosts(&|host| host.kind == HostKind::Swarm)),
            ],
            host_states: vec![
                share("active", of_hosts(&|host| host.contact.state.is_active())),
                share("inactive", of_hosts(&|host| !host.contact.state.is_active())),
            ],
            cluster_types: flavors.iter().map(|(name, n)| share(name, *n)).collect(),
            cluster_states: PhaseKind::ALL
                .into_iter()
                .map(|phase| share(&phase.as_str().replace('_', " "), state(phase)))
                .collect(),
        })
    }

    /// What users were told over a range; on every page that says so.
    pub async fn told_over(&self, range: Range, now: Timestamp) -> Result<Told, Refusal> {
        Ok(told(&self.store.applies(range.begins(now)).await?))
    }

    /// What happened over a range.
    pub async fn stats_over(&self, range: Range, now: Timestamp) -> Result<Stats, Refusal> {
        Ok(Stats::of(&Noted::read(self.store.as_ref(), &Of::Pool, Of::Pool.measures(), range, now).await?))
    }
}

impl Stats {
    /// From what was noted of the pool.
    pub fn of(noted: &Noted) -> Stats {
        let (mut made, mut took, mut longest) = (0_u64, 0_u64, None);
        for values in noted.samples.iter().map(|sample| &sample.values) {
            let of = |name: &str| values.get(name).copied();
            let (Some(count), Some(mean)) = (of("made"), of("make_ms")) else { continue };
            made += count;
            took += count * mean;
            longest = longest.max(of("make_ms_longest"));
        }
        let seconds = |ms: u64| (ms as f64 / 100.0).round() / 10.0;
        Stats {
            told: told(&noted.applies),
            made,
            make_seconds: (made > 0).then(|| seconds(took / made)),
            make_seconds_longest: longest.map(seconds),
        }
    }
}

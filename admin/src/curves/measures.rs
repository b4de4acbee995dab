//! What curves there are, and how samples become them.

use std::collections::BTreeSet;

use common::model::{Sample, Timestamp};

use super::fold::fold;
use super::{Range, Series};
use crate::operations::Refusal;
use crate::sampling::{CPU_PARTS, MEMORY_PARTS};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Processor use of a cluster's nodes or of a host's clusters.
    Processor,
    /// Their memory.
    Memory,
    /// The pool's clusters by what they are.
    Clusters,
    /// Its hosts.
    Hosts,
    /// Applies, given and missed.
    Applies,
    /// Of all applies, how many were given one.
    HitRate,
    /// How long users were told that none is free.
    Waits,
    /// How long it took to make a cluster.
    Making,
}

impl Measure {
    /// Of clusters and hosts.
    pub const OF_ONE: [Measure; 2] = [Measure::Processor, Measure::Memory];

    /// Of the pool.
    pub const OF_POOL: [Measure; 6] =
        [Measure::Applies, Measure::HitRate, Measure::Waits, Measure::Making, Measure::Clusters, Measure::Hosts];

    /// Takes the word of the URL; `among` are those that there are of the subject.
    pub fn parse(text: &str, among: &[Measure]) -> Result<Measure, Refusal> {
        among.iter().copied().find(|measure| measure.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = among.iter().map(|measure| measure.as_str()).collect();
            Refusal::field("measure", format!("must be one of {}", all.join(", ")))
        })
    }

    /// The word of the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Processor => "processor",
            Measure::Memory => "memory",
            Measure::Clusters => "clusters",
            Measure::Hosts => "hosts",
            Measure::Applies => "applies",
            Measure::HitRate => "hit_rate",
            Measure::Waits => "waits",
            Measure::Making => "making",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Measure::Processor => "Processor",
            Measure::Memory => "Memory",
            Measure::Clusters => "Clusters",
            Measure::Hosts => "Hosts",
            Measure::Applies => "Applies a minute",
            Measure::HitRate => "Hit rate",
            Measure::Waits => "Longest wait",
            Measure::Making => "Time to make one",
        }
    }

    /// Whether it is made of what users asked for; the others are made of samples.
    pub fn is_of_applies(self) -> bool {
        match self {
            Measure::Applies | Measure::HitRate | Measure::Waits => true,
            Measure::Processor | Measure::Memory | Measure::Clusters | Measure::Hosts | Measure::Making => false,
        }
    }

    /// In what its numbers are.
    pub fn unit(self) -> &'static str {
        match self {
            // Of one processor: two wholly used ones are 200 %.
            Measure::Processor | Measure::HitRate => "%",
            Measure::Memory => "MiB",
            Measure::Waits => "min",
            Measure::Making => "s",
            Measure::Clusters | Measure::Hosts | Measure::Applies => "",
        }
    }
}

const MIB: f64 = (1 << 20) as f64;

fn percent(parts: u64) -> f64 {
    parts as f64 * 100.0 / CPU_PARTS as f64
}

fn mebibytes(parts: u64) -> f64 {
    parts as f64 * MEMORY_PARTS as f64 / MIB
}

/// Curves of a cluster: one for each node that was measured.
pub fn of_cluster(measure: Measure, samples: &[Sample], range: Range, now: Timestamp) -> Vec<Series> {
    let (suffix, scale): (&str, fn(u64) -> f64) = match measure {
        Measure::Memory => ("/memory", mebibytes),
        _ => ("/cpu", percent),
    };
    let nodes: BTreeSet<&str> =
        samples.iter().flat_map(|sample| sample.values.keys()).filter_map(|name| name.strip_suffix(suffix)).collect();
    nodes.into_iter().map(|node| named(node, &format!("{node}{suffix}"), samples, scale, range, now)).collect()
}

/// The curve of a host: all its clusters together.
pub fn of_host(measure: Measure, samples: &[Sample], range: Range, now: Timestamp) -> Vec<Series> {
    vec![match measure {
        Measure::Memory => named("its clusters", "memory", samples, mebibytes, range, now),
        _ => named("its clusters", "cpu", samples, percent, range, now),
    }]
}

/// Curves of the pool that come from its samples.
pub fn of_pool(measure: Measure, samples: &[Sample], range: Range, now: Timestamp) -> Vec<Series> {
    let whole = |n: u64| n as f64;
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let parts: &[(&str, &str)] = match measure {
        Measure::Hosts => &[("active", "hosts_active"), ("inactive", "hosts_inactive")],
        Measure::Making => {
            return vec![
                named("mean", "make_ms", samples, seconds, range, now),
                named("longest", "make_ms_longest", samples, seconds, range, now),
            ];
        }
        _ => &[("free", "free"), ("in use", "in_use"), ("being made", "creating"), ("failed", "failed")],
    };
    parts.iter().map(|(title, name)| named(title, name, samples, whole, range, now)).collect()
}

fn named(title: &str, name: &str, samples: &[Sample], scale: fn(u64) -> f64, range: Range, now: Timestamp) -> Series {
    let minutes = samples.iter().filter_map(|sample| Some((sample.minute, scale(*sample.values.get(name)?))));
    fold(title, range, now, minutes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use common::model::{ClusterId, Subject};

    use super::*;

    #[test]
    fn a_clusters_curves_are_its_nodes_in_numbers_for_people() {
        let now = Timestamp::from_millis(60_000_000);
        let values = [("vp0/cpu", 150), ("vp0/memory", 2048), ("vp1/memory", 1536)];
        let values: BTreeMap<String, u64> = values.map(|(name, value)| (name.to_owned(), value)).into();
        let sample = Sample { subject: Subject::Cluster(ClusterId::random()), minute: now, values };
        let memory = of_cluster(Measure::Memory, std::slice::from_ref(&sample), Range::Hour, now);
        let last: Vec<_> = memory.iter().map(|series| (series.name.as_str(), series.last(1))).collect();
        assert_eq!(last, [("vp0", Some(2.0)), ("vp1", Some(1.5))]);
        let cpu = of_cluster(Measure::Processor, &[sample], Range::Hour, now);
        assert_eq!((cpu.len(), cpu[0].last(1)), (1, Some(1.5)), "percent of one processor");
    }
}

//! What measurements come to: the use of a container since its last measurement, of a cluster, of a host.
//!
//! Held in memory, by the time given as a value; another leader begins anew, and its first minute has no processor use.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use common::model::{ClusterId, HostId, NodeName, Timestamp};
use engine::Stats;

/// The unit of processor use in samples: a ten-thousandth of one processor.
pub const CPU_PARTS: u64 = 10_000;

/// The unit of memory in samples, in bytes.
pub const MEMORY_PARTS: u64 = 1024;

/// Whoever was not measured for so long is gone, or nothing to add up.
const OLDEST: Duration = Duration::from_secs(15 * 60);

/// What a container uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Of processors, in parts; `None` until there are two measurements of one run.
    pub cpu: Option<u64>,
    /// Memory, in parts.
    pub memory: u64,
}

/// One measurement of a node.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Which.
    pub node: NodeName,
    /// The engine's id of its container.
    pub container: String,
    /// What the engine said.
    pub stats: Stats,
}

/// The last measurements.
#[derive(Debug, Default)]
pub struct Sheet {
    containers: HashMap<String, (Stats, Timestamp)>,
    clusters: HashMap<ClusterId, OfCluster>,
}

#[derive(Debug)]
struct OfCluster {
    host: HostId,
    used: Use,
    at: Timestamp,
}

impl Sheet {
    /// Whether there is an earlier measurement of a container, so that the next one tells its processor use.
    pub fn knows(&self, container: &str) -> bool {
        self.containers.contains_key(container)
    }

    /// Takes the measurements of a cluster; its numbers as samples have them.
    pub fn note(
        &mut self,
        cluster: &ClusterId,
        host: &HostId,
        readings: &[Reading],
        now: Timestamp,
    ) -> BTreeMap<String, u64> {
        let (mut values, mut whole) = (BTreeMap::new(), Use { cpu: Some(0), memory: 0 });
        for Reading { node, container, stats } in readings {
            let cpu = self.containers.get(container).and_then(|(earlier, _)| cpu(stats, earlier));
            self.containers.insert(container.clone(), (stats.clone(), now));
            let memory = stats.memory / MEMORY_PARTS;
            values.insert(format!("{node}/memory"), memory);
            whole.memory += memory;
            whole.cpu = whole.cpu.zip(cpu).map(|(sum, cpu)| sum + cpu);
            values.extend(cpu.map(|cpu| (format!("{node}/cpu"), cpu)));
        }
        self.clusters.insert(cluster.clone(), OfCluster { host: host.clone(), used: whole, at: now });
        values
    }

    /// What the clusters of each host use that were measured: their sum, and how many they are.
    pub fn of_hosts(&self) -> BTreeMap<HostId, (Use, u64)> {
        let mut hosts: BTreeMap<HostId, (Use, u64)> = BTreeMap::new();
        for OfCluster { host, used, .. } in self.clusters.values() {
            let (sum, measured) = hosts.entry(host.clone()).or_insert((Use { cpu: Some(0), memory: 0 }, 0));
            sum.memory += used.memory;
            // A sum over some of them would look as if the others used nothing.
            sum.cpu = sum.cpu.zip(used.cpu).map(|(sum, cpu)| sum + cpu);
            *measured += 1;
        }
        hosts
    }

    /// Forgets clusters that were not measured since then: all had their turn, so these are gone. And what is very old.
    pub fn forget(&mut self, turn_began: Option<Timestamp>, now: Timestamp) {
        let since = turn_began.unwrap_or(now - OLDEST).max(now - OLDEST);
        self.clusters.retain(|_, cluster| cluster.at >= since);
        self.containers.retain(|_, (_, at)| *at >= now - OLDEST);
    }
}

/// `None` for one that was started anew in between: its counter began again.
fn cpu(now: &Stats, earlier: &Stats) -> Option<u64> {
    if now.cpu_used < earlier.cpu_used || now.cpu_of_host <= earlier.cpu_of_host {
        return None;
    }
    let share = now.cpu_since(earlier) * CPU_PARTS as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred processors at most")]
    Some(share.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(container: &str, used_ms: u64, at_s: u64) -> Reading {
        let stats = Stats {
            cpu_used: Duration::from_millis(used_ms),
            cpu_of_host: Duration::from_secs(2 * at_s),
            cpus: 2,
            memory: 3 << 20,
            ..Stats::default()
        };
        Reading { node: NodeName::parse("vp0").unwrap(), container: container.into(), stats }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn processor_use_needs_two_measurements_of_one_run() {
        let (mut sheet, cluster, host) = (Sheet::default(), ClusterId::random(), HostId::random());
        let mut note = |reading, s| sheet.note(&cluster, &host, &[reading], at(s));
        assert_eq!(note(reading("a", 100, 100), 100), BTreeMap::from([("vp0/memory".into(), 3072)]));
        // 1.2 s of processor time in a minute are 2 % of one processor.
        assert_eq!(note(reading("a", 1300, 160), 160)["vp0/cpu"], 200);
        assert!(!note(reading("a", 10, 220), 220).contains_key("vp0/cpu"), "it was started anew");
        assert!(!note(reading("b", 5000, 280), 280).contains_key("vp0/cpu"), "another container");
    }

    #[test]
    fn a_host_uses_what_its_measured_clusters_use_and_the_gone_are_forgotten() {
        let (mut sheet, host) = (Sheet::default(), HostId::random());
        let clusters = [ClusterId::random(), ClusterId::random()];
        for s in [100, 160] {
            for (cluster, container) in clusters.iter().zip(["a", "b"]) {
                sheet.note(cluster, &host, &[reading(container, s * 10, s)], at(s as i64));
            }
        }
        assert_eq!(sheet.of_hosts()[&host], (Use { cpu: Some(200), memory: 6144 }, 2));
        sheet.note(&ClusterId::random(), &host, &[reading("c", 1, 160)], at(160));
        assert_eq!(sheet.of_hosts()[&host], (Use { cpu: None, memory: 9216 }, 3), "no sum of some of them");
        sheet.note(&clusters[0], &host, &[reading("a", 2200, 220)], at(220));
        sheet.forget(Some(at(200)), at(220));
        assert_eq!(sheet.of_hosts()[&host].1, 1);
        sheet.forget(None, at(220) + OLDEST + OLDEST);
        assert!(sheet.of_hosts().is_empty() && !sheet.knows("a"));
    }
}

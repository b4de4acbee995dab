//! What a container uses, one sample at a time.

use std::time::Duration;

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;

use crate::error_map::Step;
use crate::{Engine, EngineError, deadline};

/// What a container uses. Counters grow from its start; two samples make a rate. All zero for one that does not run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processor time used so far.
    pub cpu_used: Duration,
    /// Processor time of the whole machine so far, over all its processors, idle or not.
    pub cpu_of_host: Duration,
    /// Processors of the machine.
    pub cpus: u32,
    /// Memory in use, without what the kernel could give back at once; bytes.
    pub memory: u64,
    /// The most it may use; bytes.
    pub memory_limit: u64,
    /// Bytes received over all its networks.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Stats {
    /// Processor use since an earlier sample of the same run: 1.0 is one processor wholly used. 0 if no time went by.
    pub fn cpu_since(&self, earlier: &Stats) -> f64 {
        let used = self.cpu_used.saturating_sub(earlier.cpu_used).as_secs_f64();
        let of = self.cpu_of_host.saturating_sub(earlier.cpu_of_host).as_secs_f64();
        if of > 0.0 { used / of * f64::from(self.cpus.max(1)) } else { 0.0 }
    }
}

impl Engine {
    /// One sample of a container, in some milliseconds: the engine is not asked for an earlier one, for which it would wait
    /// a second or two, so keep your own.
    pub async fn stats(&self, container: &str) -> Result<Stats, EngineError> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let thing = format!("the statistics of container {container}");
        let first = async { self.docker.stats(container, Some(options)).next().await.transpose() };
        let sample = self.call(Step("reading", &thing), deadline::PEEK, first).await?;
        sample.map(Stats::from).ok_or(EngineError::Gone { what: thing })
    }
}

impl From<ContainerStatsResponse> for Stats {
    fn from(sample: ContainerStatsResponse) -> Self {
        let cpu = sample.cpu_stats.unwrap_or_default();
        let memory = sample.memory_stats.unwrap_or_default();
        let details = memory.stats.unwrap_or_default();
        // Page cache that is not in use: named differently by the two versions of cgroups.
        let idle = details.get("total_inactive_file").or_else(|| details.get("inactive_file")).copied().unwrap_or(0);
        let networks = sample.networks.unwrap_or_default();
        Stats {
            cpu_used: nanos(cpu.cpu_usage.and_then(|usage| usage.total_usage)),
            cpu_of_host: nanos(cpu.system_cpu_usage),
            cpus: cpu.online_cpus.unwrap_or(0),
            memory: memory.usage.unwrap_or(0).saturating_sub(idle),
            memory_limit: memory.limit.unwrap_or(0),
            received: networks.values().filter_map(|network| network.rx_bytes).sum(),
            sent: networks.values().filter_map(|network| network.tx_bytes).sum(),
            pids: sample.pids_stats.and_then(|pids| pids.current).unwrap_or(0),
        }
    }
}

fn nanos(nanos: Option<u64>) -> Duration {
    Duration::from_nanos(nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_processor_wholly_used_is_one() {
        let at = |used, host| Stats {
            cpu_used: Duration::from_secs(used),
            cpu_of_host: Duration::from_secs(host),
            cpus: 2,
            ..Stats::default()
        };
        assert!((at(15, 120).cpu_since(&at(5, 100)) - 1.0).abs() < 1e-9);
        assert!(at(5, 100).cpu_since(&at(5, 100)).abs() < 1e-9);
    }
}

//! What a container uses, one sample at a time.

use std::time::Duration;

use crate::{Engine, EngineError};

/// What a container uses. Counters grow from its start; two samples make a rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processor time used so far.
    pub cpu_used: Duration,
    /// Processor time of the whole machine so far, over all its processors.
    pub cpu_of_host: Duration,
    /// Processors of the machine.
    pub cpus: u32,
    /// Memory in use, without what the kernel could give back at once; bytes.
    pub memory: u64,
    /// The most it may use; bytes.
    pub memory_limit: u64,
    /// Bytes received over the network.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Stats {
    /// Processor use since an earlier sample: 1.0 is one processor wholly used.
    pub fn cpu_since(&self, _earlier: &Stats) -> f64 {
        0.0
    }
}

impl Engine {
    /// One sample of a container, in some milliseconds.
    pub async fn stats(&self, _container: &str) -> Result<Stats, EngineError> {
        Err(EngineError::Fenced)
    }
}

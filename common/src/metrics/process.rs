//! What the process uses, by the names that all exporters use. Read from `/proc` when it is asked for.

use std::fmt;

use procfs::WithCurrentSystemInfo;
use procfs::process::{LimitValue, Process as Proc};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Tells of this process.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        // Where there is no /proc, the rest of the page still says what it can.
        let Ok(process) = Proc::myself() else { return Ok(()) };
        let Ok(stat) = process.stat() else { return Ok(()) };
        let ticks = procfs::ticks_per_second().max(1) as f64;
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        let help = "Time that processors worked for it, in its own code and in the system's.";
        let counter = ConstCounter::new(cpu);
        counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)?;
        let mut gauge = |name: &str, help: &str, value: f64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let resident = stat.rss_bytes().get() as f64;
        gauge("process_resident_memory_bytes", "Memory that it has in the machine.", resident)?;
        gauge("process_virtual_memory_bytes", "Memory that it has asked for.", stat.vsize as f64)?;
        gauge("process_threads", "Its threads.", stat.num_threads as f64)?;
        if let Ok(boot) = procfs::boot_time_secs() {
            let started = boot as f64 + stat.starttime as f64 / ticks;
            gauge("process_start_time_seconds", "When it started, in seconds since 1970.", started)?;
        }
        if let Ok(open) = process.fd_count() {
            gauge("process_open_fds", "Files and connections that it has open.", open as f64)?;
        }
        if let Ok(limits) = process.limits()
            && let LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            gauge("process_max_fds", "Files and connections that it may have open.", most as f64)?;
        }
        Ok(())
    }
}

//! Statistics of a container, in Docker's shape. The numbers follow the model of [`crate::engine::usage`].

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::Call;
use super::reply::{self, ReplyResult};
use crate::clock::{self, Moment, NEVER};
use crate::engine::Engine;
use crate::engine::usage::Usage;
use crate::error::ApiResult;
use crate::ids::Id;

/// How long the host ran before any container, in nanoseconds.
const HOST_UPTIME: u64 = 3600 * 1_000_000_000;

pub(crate) async fn stats(engine: &Arc<Engine>, wanted: &str, call: &Call) -> ReplyResult {
    let id = engine.state().find(wanted)?;
    let interval = engine.options.timing.stats_interval;
    if call.is_set_or("stream", true) {
        let engine = engine.clone();
        let samples = stream::unfold((None, engine, id), move |(before, engine, id)| async move {
            if before.is_some() {
                tokio::time::sleep(interval).await;
            }
            let (value, at) = sample(&engine, &id, before).ok()?;
            Some((value, (Some(at), engine, id)))
        });
        return Ok(reply::json_stream(samples.map(|value| format!("{value}\n"))));
    }
    if call.is_set("one-shot") {
        return Ok(reply::json(200, &sample(engine, &id, None)?.0));
    }
    // Two samples, so that the difference can be taken.
    let (first, at) = sample(engine, &id, None)?;
    if first["read"] == NEVER {
        return Ok(reply::json(200, &first));
    }
    tokio::time::sleep(interval).await;
    Ok(reply::json(200, &sample(engine, &id, Some(at))?.0))
}

/// One sample, with the one before it.
fn sample(engine: &Engine, id: &Id, before: Option<Moment>) -> ApiResult<(Value, Moment)> {
    let now = clock::now();
    let state = engine.state();
    let container = state.container(id)?;
    let name = format!("/{}", container.name);
    let Some((started, _)) = container.started_at.zip(container.run()) else {
        return Ok((of_stopped(id, &name), now));
    };
    let host = &container.spec.body.host_config;
    let limit = u64::try_from(host.memory).ok().filter(|limit| *limit > 0).unwrap_or(engine.options.memory);
    let cpus = engine.options.cpus;
    let usage = Usage::after(id, now.since(started));
    let memory = usage.memory.min(limit);
    let cpu = |at: Moment| {
        let ran = u64::try_from(at.since(started).as_nanos()).unwrap_or(u64::MAX);
        let used = u64::try_from(Usage::after(id, at.since(started)).cpu.as_nanos()).unwrap_or(u64::MAX);
        // What the whole host has used, since long before this container.
        let host_time = ran.saturating_add(HOST_UPTIME).saturating_mul(u64::from(cpus));
        json!({
            "cpu_usage": {
                "total_usage": used, "percpu_usage": vec![used / u64::from(cpus.max(1)); cpus as usize],
                "usage_in_kernelmode": used / 4, "usage_in_usermode": used - used / 4,
            },
            "system_cpu_usage": host_time, "online_cpus": cpus, "throttling_data": no_throttling(),
        })
    };
    let precpu = before.map_or_else(|| json!({"cpu_usage": no_usage(), "throttling_data": no_throttling()}), cpu);
    let mut pids = Map::from_iter([("current".to_owned(), json!(4))]);
    if let Some(most) = host.pids_limit.filter(|most| *most > 0) {
        pids.insert("limit".to_owned(), most.into());
    }
    let network: Map<String, Value> = (0..container.endpoints.len())
        .map(|number| {
            let traffic = json!({
                "rx_bytes": usage.received, "rx_packets": usage.received / 100, "rx_errors": 0, "rx_dropped": 0,
                "tx_bytes": usage.sent, "tx_packets": usage.sent / 100, "tx_errors": 0, "tx_dropped": 0,
            });
            (format!("eth{number}"), traffic)
        })
        .collect();
    let value = json!({
        "read": now.rfc3339(),
        "preread": before.map_or_else(|| NEVER.to_owned(), Moment::rfc3339),
        "pids_stats": pids,
        "blkio_stats": blkio(&json!([])),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": cpu(now),
        "precpu_stats": precpu,
        "memory_stats": {
            "usage": memory, "max_usage": memory,
            "stats": memory_stats(memory, limit),
            "limit": limit,
        },
        "name": name,
        "id": &**id,
        "networks": network,
    });
    Ok((value, now))
}

/// All that a version 1 control group counts; what matters to a reader is `cache`, `total_inactive_file` and `rss`.
fn memory_stats(memory: u64, limit: u64) -> Map<String, Value> {
    const COUNTED: [&str; 17] = [
        "active_anon",
        "active_file",
        "cache",
        "dirty",
        "inactive_anon",
        "inactive_file",
        "mapped_file",
        "pgfault",
        "pgmajfault",
        "pgpgin",
        "pgpgout",
        "rss",
        "rss_huge",
        "unevictable",
        "writeback",
        "hierarchical_memory_limit",
        "hierarchical_memsw_limit",
    ];
    let mut stats = Map::new();
    for name in COUNTED {
        if name.starts_with("hierarchical") {
            stats.insert(name.to_owned(), limit.into());
            continue;
        }
        let count = if matches!(name, "active_anon" | "rss") { memory } else { 0 };
        stats.insert(name.to_owned(), count.into());
        stats.insert(format!("total_{name}"), count.into());
    }
    stats
}

fn of_stopped(id: &Id, name: &str) -> Value {
    let cpu = json!({"cpu_usage": no_usage(), "throttling_data": no_throttling()});
    json!({
        "read": NEVER, "preread": NEVER, "pids_stats": {}, "blkio_stats": blkio(&Value::Null), "num_procs": 0,
        "storage_stats": {}, "cpu_stats": cpu, "precpu_stats": cpu, "memory_stats": {}, "name": name, "id": &**id,
    })
}

fn blkio(each: &Value) -> Value {
    json!({
        "io_service_bytes_recursive": each, "io_serviced_recursive": each, "io_queue_recursive": each,
        "io_service_time_recursive": each, "io_wait_time_recursive": each, "io_merged_recursive": each,
        "io_time_recursive": each, "sectors_recursive": each,
    })
}

fn no_usage() -> Value {
    json!({"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0})
}

fn no_throttling() -> Value {
    json!({"periods": 0, "throttled_periods": 0, "throttled_time": 0})
}

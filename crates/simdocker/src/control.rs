//! `/_sim/`: faults, journal, latency and the like, for whoever is not in the same process.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::api::Call;
use crate::api::reply::{self, Reply, ReplyResult, refuse};
use crate::error::{ApiError, ApiResult};
use crate::host::{Shared, snapshots};
use crate::{FaultRule, Latency};

/// So that the answer has left before the host is gone.
const BEFORE_DOWN: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LatencyRequest {
    #[serde(default)]
    least_ms: u64,
    #[serde(default)]
    jitter_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crash {
    #[serde(default = "one")]
    exit_code: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Healthy {
    healthy: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Doom {
    #[serde(default)]
    after_ms: u64,
    #[serde(default = "one")]
    exit_code: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disk {
    full: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Print {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Down {
    for_ms: u64,
}

fn one() -> i64 {
    1
}

/// Answers a call to `/_sim/`. Never struck by a fault, never in the journal.
pub(crate) fn answer(host: &Arc<Shared>, call: &Call) -> Reply {
    let path = call.path();
    let rest = path.get(1..).unwrap_or_default();
    route(host, call, rest).unwrap_or_else(|error| refuse(&error))
}

fn route(host: &Arc<Shared>, call: &Call, path: &[&str]) -> ReplyResult {
    match (call.method.as_str(), path) {
        ("GET", []) => Ok(reply::json(200, &help())),
        ("GET", ["faults"]) => shown(&host.faults.list()),
        ("POST", ["faults"]) => {
            let id = host.faults.add(body::<FaultRule>(call)?);
            Ok(reply::json(201, &json!({ "id": id })))
        }
        ("DELETE", ["faults"]) => {
            host.faults.clear();
            Ok(reply::empty(204))
        }
        ("DELETE", ["faults", id]) => match id.parse().is_ok_and(|id| host.faults.remove(id)) {
            true => Ok(reply::empty(204)),
            false => Err(ApiError::missing(format!("no fault {id}"))),
        },
        ("GET", ["journal"]) => {
            Ok(reply::json(200, &json!({"count": host.journal.count(), "calls": host.journal.calls()})))
        }
        ("DELETE", ["journal"]) => {
            host.journal.clear();
            Ok(reply::empty(204))
        }
        ("PUT", ["latency"]) => {
            let asked: LatencyRequest = body(call)?;
            let (least, jitter) = (Duration::from_millis(asked.least_ms), Duration::from_millis(asked.jitter_ms));
            host.set_latency(Latency { least, jitter });
            Ok(reply::empty(204))
        }
        ("GET", ["containers"]) => shown(&snapshots(&host.engine)),
        ("POST", ["containers", id, "crash"]) => {
            let asked: Crash = body(call)?;
            done(host.engine.crash(id, asked.exit_code), id)
        }
        ("POST", ["containers", id, "print"]) => {
            let asked: Print = body(call)?;
            done(host.engine.print(id, &asked.text), id)
        }
        ("POST", ["containers", id, "oom"]) => done(host.engine.oom(id), id),
        ("POST", ["containers", id, "health"]) => {
            let asked: Healthy = body(call)?;
            done(host.engine.set_health(id, asked.healthy), id)
        }
        ("POST", ["containers", id, "doom"]) => {
            let asked: Doom = body(call)?;
            host.engine.doom(id, Duration::from_millis(asked.after_ms), asked.exit_code);
            Ok(reply::empty(204))
        }
        ("PUT", ["disk"]) => {
            host.engine.set_disk_full(body::<Disk>(call)?.full);
            Ok(reply::empty(204))
        }
        ("POST", ["down"]) => {
            let time = Duration::from_millis(body::<Down>(call)?.for_ms);
            down_for(host, time);
            Ok(reply::empty(204))
        }
        _ => Err(ApiError::missing("no such control; GET /_sim lists them")),
    }
}

fn help() -> Value {
    json!({
        "GET /_sim/faults": "the rules and how often they struck",
        "POST /_sim/faults": "adds a rule: {method?, path?, nth?, times?, fault: {kind, ...}}",
        "DELETE /_sim/faults": "takes all away",
        "DELETE /_sim/faults/ID": "takes one away",
        "GET /_sim/journal": "the calls so far",
        "DELETE /_sim/journal": "forgets them",
        "PUT /_sim/latency": "{least_ms?, jitter_ms?}",
        "GET /_sim/containers": "what there is, in brief",
        "POST /_sim/containers/ID/crash": "{exit_code?}: its process ends by itself",
        "POST /_sim/containers/ID/oom": "it is killed for want of memory",
        "POST /_sim/containers/ID/health": "{healthy}: its own check says so",
        "POST /_sim/containers/ID/doom": "{after_ms?, exit_code?}: its process ends by itself so long from now, or after its next start",
        "PUT /_sim/disk": "{full}: whether anything can be made, pulled or started",
        "POST /_sim/containers/ID/print": "{text}: a line for its log",
        "POST /_sim/down": "{for_ms}: off the network for so long",
    })
}

fn down_for(host: &Arc<Shared>, time: Duration) {
    let host = Arc::downgrade(host);
    tokio::spawn(async move {
        tokio::time::sleep(BEFORE_DOWN).await;
        if let Some(host) = host.upgrade() {
            host.go_down();
        }
        tokio::time::sleep(time).await;
        if let Some(Err(error)) = host.upgrade().map(|host| host.come_up()) {
            tracing::error!("the host could not come back: {error:#}");
        }
    });
}

fn shown(value: &impl serde::Serialize) -> ReplyResult {
    let value = serde_json::to_value(value).map_err(|error| ApiError::broken(error.to_string()))?;
    Ok(reply::json(200, &value))
}

fn done(was_done: bool, id: &str) -> ReplyResult {
    if was_done {
        Ok(reply::empty(204))
    } else {
        Err(ApiError::missing(format!("container {id} does not run, or has no such thing")))
    }
}

fn body<T: DeserializeOwned>(call: &Call) -> ApiResult<T> {
    let text = if call.body.trim().is_empty() { "{}" } else { &call.body };
    serde_json::from_str(text).map_err(|error| ApiError::bad(error.to_string()))
}

//! Docker's HTTP API: the route table, and one file a family of calls. Paths come here without `/v1.xx`.

mod container_calls;
mod container_inspect;
mod container_list;
mod container_logs;
mod container_stats;
mod events;
mod filters;
mod human;
mod images;
mod lie;
mod networks;
pub(crate) mod reply;
mod request;
mod system;
mod volumes;

pub(crate) use lie::lie;
pub(crate) use request::{Call, without_version};

use std::sync::Arc;

use crate::engine::Engine;
use reply::{Reply, refuse};

/// Carries a call out.
pub(crate) async fn answer(engine: &Arc<Engine>, call: &Call) -> Reply {
    let answered = match (call.method.as_str(), call.path().as_slice()) {
        ("GET" | "HEAD", ["_ping"]) => Ok(system::ping()),
        ("GET", ["version"]) => Ok(system::version()),
        ("GET", ["info"]) => Ok(system::info(engine)),
        ("GET", ["events"]) => events::events(engine, call),

        ("GET", ["images", "json"]) => images::list(engine, call),
        ("POST", ["images", "create"]) => images::pull(engine, call),
        ("GET", ["images", name @ .., "json"]) => images::inspect(engine, &name.join("/")),
        ("POST", ["images", name @ .., "tag"]) => images::tag(engine, &name.join("/"), call),
        ("DELETE", ["images", name @ ..]) => images::remove(engine, &name.join("/"), call),

        ("GET", ["containers", "json"]) => container_list::list(engine, call),
        ("POST", ["containers", "create"]) => container_calls::create(engine, call),
        ("GET", ["containers", id, "json"]) => container_inspect::inspect(engine, id),
        ("GET", ["containers", id, "logs"]) => container_logs::logs(engine, id, call),
        ("GET", ["containers", id, "stats"]) => container_stats::stats(engine, id, call).await,
        ("POST", ["containers", id, "start"]) => container_calls::start(engine, id).await,
        ("POST", ["containers", id, "stop"]) => container_calls::stop(engine, id, call).await,
        ("POST", ["containers", id, "restart"]) => container_calls::restart(engine, id, call).await,
        ("POST", ["containers", id, "kill"]) => container_calls::kill(engine, id, call),
        ("POST", ["containers", id, "pause"]) => container_calls::pause(engine, id),
        ("POST", ["containers", id, "unpause"]) => container_calls::unpause(engine, id),
        ("POST", ["containers", id, "wait"]) => container_calls::wait(engine, id, call),
        ("DELETE", ["containers", id]) => container_calls::remove(engine, id, call),

        ("GET", ["networks"]) => networks::list(engine, call),
        ("POST", ["networks", "create"]) => networks::create(engine, call),
        ("GET", ["networks", id]) => networks::inspect(engine, id),
        ("DELETE", ["networks", id]) => networks::remove(engine, id),
        ("POST", ["networks", id, "connect"]) => networks::connect(engine, id, call),
        ("POST", ["networks", id, "disconnect"]) => networks::disconnect(engine, id, call),

        ("GET", ["volumes"]) => volumes::list(engine, call),
        ("POST", ["volumes", "create"]) => volumes::create(engine, call),
        ("GET", ["volumes", name]) => volumes::inspect(engine, name),
        ("DELETE", ["volumes", name]) => volumes::remove(engine, name, call),

        ("GET", ["swarm" | "services" | "nodes" | "tasks" | "secrets" | "configs", ..]) => Err(system::no_swarm()),
        _ => Ok(reply::no_such_page()),
    };
    answered.unwrap_or_else(|error| refuse(&error))
}

//! What changes a container.

use std::sync::Arc;

use futures_util::stream;
use serde_json::json;

use super::Call;
use super::reply::{self, ReplyResult};
use crate::engine::{Engine, WaitFor};
use crate::error::ApiError;

pub(crate) fn create(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let id = engine.create_container(call.text("name"), &call.body)?;
    Ok(reply::json(201, &json!({"Id": &*id, "Warnings": []})))
}

pub(crate) async fn start(engine: &Arc<Engine>, id: &str) -> ReplyResult {
    engine.start(id).await?;
    Ok(reply::empty(204))
}

pub(crate) async fn stop(engine: &Arc<Engine>, id: &str, call: &Call) -> ReplyResult {
    engine.stop(id, call.grace()?).await?;
    Ok(reply::empty(204))
}

pub(crate) async fn restart(engine: &Arc<Engine>, id: &str, call: &Call) -> ReplyResult {
    engine.restart(id, call.grace()?).await?;
    Ok(reply::empty(204))
}

pub(crate) fn kill(engine: &Arc<Engine>, id: &str, call: &Call) -> ReplyResult {
    engine.kill(id, call.text("signal"))?;
    Ok(reply::empty(204))
}

pub(crate) fn pause(engine: &Arc<Engine>, id: &str) -> ReplyResult {
    engine.pause(id)?;
    Ok(reply::empty(204))
}

pub(crate) fn unpause(engine: &Arc<Engine>, id: &str) -> ReplyResult {
    engine.unpause(id)?;
    Ok(reply::empty(204))
}

pub(crate) fn remove(engine: &Arc<Engine>, id: &str, call: &Call) -> ReplyResult {
    engine.remove_container(id, call.is_set("v"), call.is_set("force"))?;
    Ok(reply::empty(204))
}

/// The head is sent at once, the code when it is known, as a real engine does.
pub(crate) fn wait(engine: &Arc<Engine>, wanted: &str, call: &Call) -> ReplyResult {
    let until = match call.text("condition") {
        None | Some("not-running") => WaitFor::NotRunning,
        Some("next-exit") => WaitFor::NextExit,
        Some("removed") => WaitFor::Removed,
        Some(other) => return Err(ApiError::bad(format!("invalid condition: \"{other}\""))),
    };
    let id = engine.state().find(wanted)?;
    let engine = engine.clone();
    Ok(reply::json_stream(stream::once(async move {
        let code = engine.wait(&id, until).await;
        format!("{}\n", json!({"Error": null, "StatusCode": code}))
    })))
}

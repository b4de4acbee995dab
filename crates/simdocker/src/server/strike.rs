//! A call and what goes wrong with it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use futures_util::{StreamExt, stream};
use hyper::header::CONTENT_LENGTH;
use serde_json::Value;

use super::breakable::ResetSwitch;
use super::{Dropped, LARGEST, plainly};
use crate::FaultKind;
use crate::api::reply::{Reply, refuse};
use crate::api::{Call, lie};
use crate::error::ApiError;
use crate::host::Shared;

/// Between the first half of an answer and its break, so that the half has left.
const BEFORE_BREAK: Duration = Duration::from_millis(5);

/// Carries a call out, or not, as the fault has it.
pub(super) async fn carry_out(
    host: &Arc<Shared>,
    call: &Call,
    fault: Option<FaultKind>,
    reset: &ResetSwitch,
) -> Result<Reply, Dropped> {
    match fault {
        None => Ok(plainly(host, call).await),
        Some(FaultKind::Refuse) => Err(Dropped),
        Some(FaultKind::Reset) => {
            reset.set();
            Err(Dropped)
        }
        Some(FaultKind::Hang) => std::future::pending().await,
        Some(FaultKind::Error { status, message }) => Ok(refuse(&ApiError::new(status, message))),
        Some(FaultKind::Cut) => cut(plainly(host, call).await),
        Some(FaultKind::LoseAnswer) => {
            let _ = plainly(host, call).await;
            Err(Dropped)
        }
        Some(FaultKind::Withhold) => {
            let _ = plainly(host, call).await;
            std::future::pending().await
        }
        Some(FaultKind::DieLater { after_ms, exit_code }) => {
            Ok(die_later(host, call, Duration::from_millis(after_ms), exit_code).await)
        }
        Some(FaultKind::Lie) => match lie(call) {
            Some(reply) => Ok(reply),
            None => Ok(plainly(host, call).await),
        },
        Some(FaultKind::Slow { by_ms }) => {
            let (host, call) = (host.clone(), call.clone());
            let late = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(by_ms)).await;
                plainly(&host, &call).await
            });
            late.await.map_err(|_| Dropped)
        }
    }
}

/// The first half of an answer's first part, then a broken connection.
fn cut(reply: Reply) -> Result<Reply, Dropped> {
    let (mut head, body) = reply.into_parts();
    if body.is_end_stream() {
        return Err(Dropped);
    }
    head.headers.remove(CONTENT_LENGTH);
    let mut parts = body.into_data_stream();
    let broken = stream::once(async move {
        let first = parts.next().await.and_then(Result::ok).unwrap_or_default();
        Ok::<Bytes, Dropped>(first.slice(..first.len() / 2))
    })
    .chain(stream::once(async {
        tokio::time::sleep(BEFORE_BREAK).await;
        Err(Dropped)
    }));
    Ok(Reply::from_parts(head, Body::from_stream(broken)))
}

/// The container that the call makes or is about will die by itself.
async fn die_later(host: &Shared, call: &Call, after: Duration, exit_code: i64) -> Reply {
    if let ["containers", id, ..] = call.path().as_slice()
        && *id != "create"
    {
        host.engine.doom(id, after, exit_code);
        return plainly(host, call).await;
    }
    let (head, body) = plainly(host, call).await.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let made: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(id) = made["Id"].as_str() {
        host.engine.doom(id, after, exit_code);
    }
    Reply::from_parts(head, Body::from(body))
}

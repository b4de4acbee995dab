//! Waits for an engine's answers, but not for those of one that is dead.
//!
//! A list may take half a minute on a busy host. That the engine lives shows much sooner, so a host that is gone is known
//! to be gone after some ten seconds: three tries of [`TRY`] with a pause between.

use std::time::Duration;

use common::clock::Pace;
use engine::{Engine, EngineError};
use tokio::time::timeout;

/// A ping does no work: an engine that does not answer one for so long counts as not answering at all.
const TRY: Duration = Duration::from_secs(3);

/// Waits for a first sign of life, at most for the time of one try.
pub async fn first<T>(
    what: &str,
    pace: Pace,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let after = pace.of(TRY);
    timeout(after, call).await.unwrap_or_else(|_| Err(EngineError::Timeout { what: what.to_owned(), after }))
}

/// Asks for a sign of life.
pub async fn ping(engine: &Engine, pace: Pace) -> Result<(), EngineError> {
    first("ping", pace, engine.ping()).await
}

/// Waits for a call for as long as the engine answers pings meanwhile.
pub async fn while_it_lives<T>(
    engine: &Engine,
    pace: Pace,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    tokio::pin!(call);
    loop {
        let watch = async {
            tokio::time::sleep(pace.of(TRY)).await;
            ping(engine, pace).await
        };
        tokio::select! {
            answer = &mut call => return answer,
            alive = watch => alive?,
        }
    }
}

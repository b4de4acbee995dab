//! One call to Docker: with its deadline, and its failure put into our words.

use std::future::Future;
use std::time::Duration;

use bollard::errors::Error;
use tokio::time::timeout;

use crate::error_map::{self, Step};
use crate::{Engine, EngineError, Fence};

impl Engine {
    /// Waits for a call, at most `within`.
    pub(crate) async fn call<T>(
        &self,
        step: Step<'_>,
        within: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, EngineError> {
        let within = self.pace.of(within);
        match timeout(within, call).await {
            Ok(answer) => answer.map_err(|error| error_map::explain(self.url(), step, within, error)),
            Err(_) => Err(EngineError::Timeout { what: step.to_string(), after: within }),
        }
    }
}

/// An engine and the fence that is asked before each call.
#[derive(Clone, Copy)]
pub(crate) struct Fenced<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) fence: Fence<'a>,
}

impl<'a> Fenced<'a> {
    /// Asks the fence, then calls. `call` must do nothing before it is polled, which bollard's futures keep.
    pub(crate) async fn call<T>(
        self,
        step: Step<'_>,
        within: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, EngineError> {
        (self.fence)()?;
        self.engine.call(step, within, call).await
    }

    /// How long a pause is at this engine's pace.
    pub(crate) fn pause(self, wait: Duration) -> Duration {
        self.engine.pace.of(wait)
    }

    pub(crate) fn docker(self) -> &'a bollard::Docker {
        &self.engine.docker
    }
}

/// For calls that look only: they need no lead.
pub(crate) fn open() -> Result<(), EngineError> {
    Ok(())
}

//! One call to Docker: with its deadline, and its failure put into our words.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::errors::Error;
use tokio::time::timeout;

use crate::error_map::{self, Step};
use crate::{Engine, EngineError, Fence};

/// Told of each call that ended: what was asked, in a word or two (`starting`, `pulling image`), how long it took, and why it
/// failed if it did. Must not block. A call that nobody waits for any more is not told.
#[derive(Clone)]
pub struct Listener(Arc<Told>);

type Told = dyn Fn(&'static str, Duration, Option<&EngineError>) + Send + Sync;

impl Listener {
    /// What is to be done at the end of each call.
    pub fn new(told: impl Fn(&'static str, Duration, Option<&EngineError>) + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(told))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl Engine {
    /// The same engine; from now on each call is told to this listener.
    pub fn heard_by(mut self, listener: Listener) -> Engine {
        self.listener = Some(listener);
        self
    }

    /// Waits for a call, at most `within`.
    pub(crate) async fn call<T>(
        &self,
        step: Step<'_>,
        within: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, EngineError> {
        let (within, began) = (self.pace.of(within), Instant::now());
        let answer = match timeout(within, call).await {
            Ok(answer) => answer.map_err(|error| error_map::explain(self.url(), step, within, error)),
            Err(_) => Err(EngineError::Timeout { what: step.to_string(), after: within }),
        };
        if let Some(listener) = &self.listener {
            (listener.0)(step.0, began.elapsed(), answer.as_ref().err());
        }
        answer
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

//! Connections for looking only, apart from the reconciler's: for samples, and for logs that a page shows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::model::{DaemonUrl, Host, HostId, HostTls};
use engine::{Engine, EngineError};

use crate::seal::Seal;

/// Engines that were reached, by host. An [`Engine`] holds no connection between calls, so keeping it costs nothing.
#[derive(Clone, Default)]
pub struct Engines {
    seal: Seal,
    known: Arc<Mutex<HashMap<HostId, (Reached, Engine)>>>,
}

/// Where an engine was reached, and as whom.
type Reached = (DaemonUrl, Option<HostTls>);

impl Engines {
    /// Reaches engines with these keys.
    pub fn new(seal: Seal) -> Engines {
        Engines { seal, known: Arc::default() }
    }

    /// The engine of a host; reaches it if it was not reached before.
    pub async fn of(&self, host: &Host) -> Result<Engine, EngineError> {
        let wanted = (host.settings.daemon_url.clone(), host.tls.clone());
        if let Some((known, engine)) = self.lock().get(&host.id)
            && *known == wanted
        {
            return Ok(engine.clone());
        }
        let engine = self.seal.connect(host, super::PACE).await?;
        self.lock().insert(host.id.clone(), (wanted, engine.clone()));
        Ok(engine)
    }

    /// Forgets the engines of all other hosts: those were deleted.
    pub fn keep_only(&self, hosts: &[Host]) {
        self.lock().retain(|id, _| hosts.iter().any(|host| host.id == *id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostId, (Reached, Engine)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

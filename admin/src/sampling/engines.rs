//! Connections for looking only, apart from the reconciler's: for samples, and for logs that a page shows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::model::{DaemonUrl, Host, HostId};
use engine::{Engine, EngineError};

/// Engines that were reached, by host. An [`Engine`] holds no connection between calls, so keeping it costs nothing.
#[derive(Clone, Default)]
pub struct Engines(Arc<Mutex<HashMap<HostId, (DaemonUrl, Engine)>>>);

impl Engines {
    /// The engine of a host; reaches it if it was not reached before.
    pub async fn of(&self, host: &Host) -> Result<Engine, EngineError> {
        let url = &host.settings.daemon_url;
        if let Some((known, engine)) = self.lock().get(&host.id)
            && known == url
        {
            return Ok(engine.clone());
        }
        let engine = Engine::connect_at(url, super::PACE).await?;
        self.lock().insert(host.id.clone(), (url.clone(), engine.clone()));
        Ok(engine)
    }

    /// Forgets the engines of all other hosts: those were deleted.
    pub fn keep_only(&self, hosts: &[Host]) {
        self.lock().retain(|id, _| hosts.iter().any(|host| host.id == *id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostId, (DaemonUrl, Engine)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

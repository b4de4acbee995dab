//! The process in a running container: what its published ports' connections hang on.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::image::Behaviour;

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// It answers.
    Running,
    /// Frozen: connections are taken by the host, and nobody answers.
    Paused,
    /// Gone: its connections break.
    Ended,
}

/// The process in a running container. No `watch` channel, which is six times as large: there may be 200,000 of these.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) behaviour: Behaviour,
    pulse: Mutex<Pulse>,
    changed: Notify,
    /// Where a peer's REST is asked: its first network and its address there.
    pub(crate) rest: Option<(Arc<fabricsim::Mesh>, Ipv4Addr)>,
}

impl Process {
    pub(crate) fn new(behaviour: Behaviour, rest: Option<(Arc<fabricsim::Mesh>, Ipv4Addr)>) -> Arc<Self> {
        Arc::new(Self { behaviour, pulse: Mutex::new(Pulse::Running), changed: Notify::new(), rest })
    }

    /// Says how it is from now on, to all of its connections.
    pub(crate) fn set(&self, pulse: Pulse) {
        *self.pulse() = pulse;
        self.changed.notify_waiters();
    }

    /// Waits until it runs (true) or has ended (false).
    pub(crate) async fn runs(&self) -> bool {
        loop {
            // Made before the look, so that no change between the two is missed.
            let changed = self.changed.notified();
            let pulse = *self.pulse();
            match pulse {
                Pulse::Running => return true,
                Pulse::Ended => return false,
                Pulse::Paused => changed.await,
            }
        }
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the peer. `None`: it is no peer, or its network has lost it.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> Option<fabricsim::Response> {
        let (mesh, ip) = self.rest.as_ref()?;
        let now = fabricsim::UnixNanos(u64::try_from(crate::clock::now().0).unwrap_or_default());
        mesh.rest(IpAddr::V4(*ip), method, path, body, now)
    }
}

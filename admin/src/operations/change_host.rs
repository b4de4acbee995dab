//! Writing a change of a host down: conditional on its version, with an event that says who asked, and a ring for whoever
//! looks after the hosts.

use common::model::{Event, EventKind, Host, Timestamp};
use common::store::StoreError;

use super::{Done, Operations, Refusal, TRIES, operator};

/// What to do about something that is asked of a host.
pub(super) enum HostStep {
    /// Nothing: it is as asked already.
    Nothing(String),
    /// Write this.
    Change {
        /// The next version.
        next: Box<Host>,
        /// For the event.
        reason: String,
        /// For whoever asked.
        said: String,
    },
}

/// The name that must be typed before a host loses something.
pub(super) fn confirmed(host: &Host, typed: &str) -> Result<(), Refusal> {
    let name = &host.settings.name;
    match typed.trim() {
        typed if typed == name.as_str() => Ok(()),
        "" => {
            Err(Refusal::field("confirm", format!("must be the name of the host, {name}, so that no other is meant")))
        }
        _ => Err(Refusal::field("confirm", format!("is not the name of this host, which is {name}"))),
    }
}

/// Refuses what was asked of a state of the host that is no more.
pub(super) fn still(host: &Host, seen: Option<u64>) -> Result<(), Refusal> {
    match seen {
        Some(seen) if seen != host.version => Err(Refusal::Conflict(format!(
            "host {} was changed by somebody else meanwhile; look at it again and repeat what you asked",
            host.settings.name
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Refuses to change a host that is on its way out.
pub(super) fn stays(host: &Host) -> Result<(), Refusal> {
    match host.purpose.asked().filter(|_| host.purpose.leaves()) {
        Some(asked) => Err(Refusal::Conflict(format!(
            "host {} is being deleted (asked by {}), and that cannot be taken back; add it anew when it is gone",
            host.settings.name, asked.by
        ))),
        None => Ok(()),
    }
}

impl Operations {
    /// Decides, writes, and decides again when somebody else was faster.
    pub(super) async fn change_host<D, F>(&self, decide: D, by: &str, now: Timestamp) -> Result<Done, Refusal>
    where
        D: Fn() -> F,
        F: Future<Output = Result<HostStep, Refusal>>,
    {
        for _ in 0..TRIES {
            let (next, reason, said) = match decide().await? {
                HostStep::Nothing(said) => return Ok(Done::said(said)),
                HostStep::Change { next, reason, said } => (next, reason, said),
            };
            let event = Event::new(now, EventKind::HostChanged, operator(by), reason).about_host(&next.id);
            match self.store.change_host(&next, event).await {
                Ok(()) => {
                    self.ring();
                    return Ok(Done::said(said));
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Conflict("the host keeps changing; look again".into()))
    }
}

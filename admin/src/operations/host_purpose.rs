//! What operators can have done with a host as a whole, and need not confirm by its name: fill up, clean, drain, back to
//! service, try again, cordon and uncordon. Each is a wish in the host's record, which the reconciler carries out.

use std::time::Duration;

use common::model::{Asked, Host, HostId, HostPurpose, Timestamp};

use super::change_host::{HostStep, stays, still};
use super::holders::count;
use super::{Done, Holders, Operations, Refusal};

/// What is asked of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAction {
    /// Fill it to its capacity once.
    FillUp,
    /// Remove its free clusters; keep it filled no more.
    Clean,
    /// Remove its free clusters, make and give out nothing, until this is ended.
    Drain,
    /// End or cancel what was asked: it serves the pool.
    Serve,
    /// Forget failures and try now what was held back.
    TryAgain,
    /// Make and give out nothing; what is there stays.
    Cordon,
    /// The opposite.
    Uncordon,
}

/// The same asked again within this is the same click.
const SAME_CLICK: Duration = Duration::from_secs(2);

impl HostAction {
    /// All of them.
    pub const ALL: [HostAction; 7] = [
        HostAction::FillUp,
        HostAction::Clean,
        HostAction::Drain,
        HostAction::Serve,
        HostAction::TryAgain,
        HostAction::Cordon,
        HostAction::Uncordon,
    ];

    /// The word of the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            HostAction::FillUp => "fillup",
            HostAction::Clean => "clean",
            HostAction::Drain => "drain",
            HostAction::Serve => "serve",
            HostAction::TryAgain => "retry",
            HostAction::Cordon => "cordon",
            HostAction::Uncordon => "uncordon",
        }
    }

    /// Takes the word of the URL.
    pub fn parse(text: &str) -> Option<HostAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

impl Operations {
    /// Has something done with a host; returns when it is written down, not when it is done. `seen` is the version that
    /// the operator saw, if she says.
    pub async fn act_on_host(
        &self,
        id: &HostId,
        action: HostAction,
        seen: Option<u64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let step = || async { decide(&self.holders(id).await?, action, seen, by, now) };
        self.change_host(step, by, now).await
    }
}

fn decide(
    there: &Holders,
    action: HostAction,
    seen: Option<u64>,
    by: &str,
    now: Timestamp,
) -> Result<HostStep, Refusal> {
    let host = &there.host;
    if action != HostAction::TryAgain {
        stays(host)?;
    }
    // Sent twice is no conflict with oneself: what is so already is said before the version is looked at.
    if let Some(said) = already(host, action, now) {
        return Ok(HostStep::Nothing(said));
    }
    still(host, seen)?;
    let name = &host.settings.name;
    let asked = || Asked { since: now, by: by.to_owned() };
    let change = |next: Host, what: &str, said: String| {
        let before = match &host.purpose {
            HostPurpose::Serve => String::new(),
            old if next.purpose == *old => String::new(),
            old => format!(", in the place of: {}", words(old)),
        };
        HostStep::Change { next: Box::new(next), reason: format!("host {name}: {what}{before}"), said }
    };
    Ok(match action {
        HostAction::FillUp => {
            can_fill(host)?;
            let said = format!("Filling up host {name} to its capacity of {} has begun.", host.settings.capacity);
            change(host.with_purpose(HostPurpose::FillUp(asked())), "fill up", said)
        }
        HostAction::Clean => {
            let said = format!(
                "Cleaning host {name} has begun: {} {}, and \u{201c}keep filled\u{201d} is off.",
                free(there.free),
                if there.free > 1 { "go" } else { "goes" }
            );
            change(host.with_purpose(HostPurpose::Clean(asked())), "clean, and keep filled no more", said)
        }
        HostAction::Drain => {
            let stay = match there.held {
                0 => "Nobody holds a cluster there.".to_owned(),
                n => format!("{} that users hold stay until they are released.", count(n)),
            };
            let said =
                format!("Draining host {name} has begun: nothing is made or given out there until it is ended. {stay}");
            change(host.with_purpose(HostPurpose::Drain(asked())), "drain", said)
        }
        HostAction::Serve => {
            let what = format!("back to service; ended: {}", words(&host.purpose));
            let rest = match &host.purpose {
                HostPurpose::Reset { .. } => " What the reset has removed already is gone.",
                HostPurpose::Clean(_) if !host.settings.autofill => " \u{201c}Keep filled\u{201d} stays off.",
                _ if !host.settings.schedulable => " It is not schedulable, so nothing is given out there.",
                _ => "",
            };
            let next = host.with_purpose(HostPurpose::Serve);
            HostStep::Change {
                next: Box::new(next),
                reason: format!("host {name}: {what}"),
                said: format!("Host {name} is back in service.{rest}"),
            }
        }
        HostAction::TryAgain => {
            let said = format!("Another try of what failed or was held back on host {name} was asked for.");
            change(host.try_again(now), "try again what failed", said)
        }
        HostAction::Cordon => {
            let said = format!("Host {name} is cordoned: nothing is made or given out there; what is there stays.");
            change(schedulable(host, false), "schedulable yes \u{2192} no", said)
        }
        HostAction::Uncordon => {
            let said = format!("Host {name} is schedulable again.");
            change(schedulable(host, true), "schedulable no \u{2192} yes", said)
        }
    })
}

/// What to say when a host is as asked.
fn already(host: &Host, action: HostAction, now: Timestamp) -> Option<String> {
    let name = &host.settings.name;
    let by = host.purpose.asked().map(|asked| asked.by.as_str()).unwrap_or_default();
    let said = match (action, &host.purpose) {
        (HostAction::FillUp, HostPurpose::FillUp(_)) => {
            format!("Filling up host {name} was asked for already, by {by}.")
        }
        (HostAction::Clean, HostPurpose::Clean(_)) => format!("Cleaning host {name} was asked for already, by {by}."),
        (HostAction::Drain, HostPurpose::Drain(_)) => format!("Draining host {name} was asked for already, by {by}."),
        (HostAction::Serve, HostPurpose::Serve) => format!("Host {name} is in service: there is nothing to end."),
        (HostAction::TryAgain, _) if host.try_again.is_some_and(|at| now.since(at) < SAME_CLICK) => {
            format!("Another try of what failed on host {name} was asked for already.")
        }
        (HostAction::Cordon, _) if !host.settings.schedulable => format!("Host {name} is cordoned already."),
        (HostAction::Uncordon, _) if host.settings.schedulable => format!("Host {name} is schedulable already."),
        _ => return None,
    };
    Some(said)
}

fn can_fill(host: &Host) -> Result<(), Refusal> {
    let name = &host.settings.name;
    if !host.settings.schedulable {
        return Err(Refusal::Conflict(format!(
            "Host {name} is not schedulable, so nothing is made there: uncordon it first, then fill it up."
        )));
    }
    if host.settings.capacity == 0 {
        return Err(Refusal::Conflict(format!(
            "Host {name} has a capacity of 0, so there is nothing to fill: configure its capacity first."
        )));
    }
    Ok(())
}

fn schedulable(host: &Host, schedulable: bool) -> Host {
    let mut settings = host.settings.clone();
    settings.schedulable = schedulable;
    host.configured(settings)
}

/// A purpose in a few words.
pub(super) fn words(purpose: &HostPurpose) -> String {
    let what = match purpose {
        HostPurpose::Serve => return "service".into(),
        HostPurpose::FillUp(_) => "fill up",
        HostPurpose::Clean(_) => "clean",
        HostPurpose::Drain(_) => "drain",
        HostPurpose::Reset { .. } => "reset",
        HostPurpose::Leave { by_force: false, .. } => "delete",
        HostPurpose::Leave { by_force: true, .. } => "delete by force",
    };
    let by = purpose.asked().map(|asked| asked.by.as_str()).unwrap_or_default();
    format!("{what} (asked by {by})")
}

fn free(n: u64) -> String {
    match n {
        0 => "no free cluster".into(),
        1 => "its 1 free cluster".into(),
        n => format!("its {n} free clusters"),
    }
}

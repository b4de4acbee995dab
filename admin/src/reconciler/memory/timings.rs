//! What is remembered of the work on a cluster, for the evidence should it fail. A part of [`Memory`].

use common::model::evidence::MAX_TIMINGS;
use common::model::{ClusterId, Timestamp, Timing};

use super::Memory;
use crate::reconciler::execute::outcome::{Failure, Outcome};
use crate::reconciler::plan::{Action, Step};

impl Memory {
    /// Adds an action that ended to what is remembered of its cluster. A free cluster that stays well adds nothing: most
    /// of the pool is that, most of the time.
    pub(super) fn note_timing(&mut self, step: &Step, id: &ClusterId, outcome: &Outcome, now: Timestamp) {
        let Some(what) = words(&step.action, outcome) else {
            if matches!(step.action, Action::OfferOut { .. }) && *outcome == Outcome::Done {
                self.timings.remove(id);
            }
            return;
        };
        let at = match outcome {
            Outcome::Looked { at, .. } => *at,
            Outcome::Done | Outcome::Stale | Outcome::Failed(_) => self.busy.get(id).map_or(now, |busy| busy.since),
        };
        let timings = self.timings.entry(id.clone()).or_default();
        // A network that gets ready is asked the same question again and again.
        match timings.last_mut().filter(|last| last.what == what) {
            Some(same) => same.took_ms = millis(now, same.at),
            None => timings.push(Timing { what, at, took_ms: millis(now, at) }),
        }
        if timings.len() > MAX_TIMINGS {
            timings.remove(0);
        }
    }
}

fn millis(end: Timestamp, begin: Timestamp) -> u64 {
    u64::try_from(end.since(begin).as_millis()).unwrap_or(u64::MAX)
}

/// What is worth keeping.
fn words(action: &Action, outcome: &Outcome) -> Option<String> {
    let what = match action {
        Action::BringUp { .. } => "brought up".to_owned(),
        Action::Look { .. } | Action::DeepLook { .. } => return looked(outcome),
        Action::ChangeNodes { changes, .. } => {
            let words: Vec<String> = changes.iter().map(|c| format!("{} {}", c.change.verb(), c.node)).collect();
            words.join(", ")
        }
        Action::Fail { .. } => "called failed".to_owned(),
        Action::TakeDown { .. } => "taken down".to_owned(),
        Action::Begin { .. }
        | Action::OfferOut { .. }
        | Action::OfferAgain { .. }
        | Action::Withdraw { .. }
        | Action::Record { .. }
        | Action::Readdress { .. }
        | Action::Gather { .. }
        | Action::Lose { .. }
        | Action::Remove { .. }
        | Action::DropRecord { .. }
        | Action::Sweep { .. }
        | Action::Prove { .. }
        | Action::EndPurpose { .. }
        | Action::DeleteHost => return None,
    };
    match outcome {
        Outcome::Done | Outcome::Looked { .. } => Some(what),
        Outcome::Failed(Failure::Fenced) | Outcome::Stale => None,
        Outcome::Failed(failure) => Some(format!("{what}: {}", failure.words())),
    }
}

fn looked(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Looked { result: Err(seen), .. } => Some(format!("probed: {seen}")),
        Outcome::Looked { result: Ok(()), .. } | Outcome::Done | Outcome::Stale | Outcome::Failed(_) => None,
    }
}

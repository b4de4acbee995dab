//! Whether a host counts as reachable, from how its engine's last calls went. Plain functions.

use std::time::Duration;

use common::clock::Pace;
use common::model::{Contact, HostState, Timestamp};

/// So many calls in a row must fail before a host counts as away: one may be a moment's trouble.
pub const TRIES: u32 = 3;

/// The record of contact is written this often while nothing changes: pages show it, and nothing else goes by it.
const WRITE_EVERY: Duration = Duration::from_secs(30);

/// How the tries went so far.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    /// Failures in a row.
    pub failed: u32,
    /// When the engine last answered this process.
    pub answered: Option<Timestamp>,
    /// When this process last made a cluster there: told at once if it is the first since the host came back.
    pub made_at: Option<Timestamp>,
}

impl Tries {
    /// It answered.
    pub fn good(&mut self, now: Timestamp) {
        *self = Tries { failed: 0, answered: Some(now), ..self.clone() };
    }

    /// It did not.
    pub fn bad(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    /// How long to wait before the next try: at once after the first failure, up to a quarter minute later on.
    pub fn pause(&self, pace: Pace) -> Duration {
        pace.of(Duration::from_secs(match self.failed {
            0 | 1 => 1,
            2 => 2,
            n => u64::from(n).min(15),
        }))
    }
}

/// The contact to write, if it is worth a write.
pub fn contact(before: &Contact, tries: &Tries, error: Option<&str>, now: Timestamp, pace: Pace) -> Option<Contact> {
    match error {
        None => {
            let answered = tries.answered.unwrap_or(now);
            let since = match &before.state {
                HostState::Active { since } => *since,
                HostState::Inactive { .. } => now,
            };
            let made_at = tries.made_at.max(before.made_at);
            let proven = made_at > before.made_at && before.made_at.is_none_or(|made| made < since);
            let due = !before.state.is_active() || before.last_answer + pace.of(WRITE_EVERY) <= answered || proven;
            let state = HostState::Active { since };
            due.then(|| Contact { state, last_answer: answered, made_at, ..before.clone() })
        }
        Some(why) if tries.failed >= TRIES && before.state.is_active() => {
            let state = HostState::Inactive { since: now, why: why.to_owned() };
            let last_answer = tries.answered.map_or(before.last_answer, |at| at.max(before.last_answer));
            Some(Contact { state, last_answer, ..before.clone() })
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(last: i64) -> Contact {
        let at = Timestamp::from_millis;
        let state = HostState::Active { since: at(0) };
        Contact { state, last_answer: at(last), engine_version: "20.10".into(), cpus: 2, memory: 1, made_at: None }
    }

    #[test]
    fn a_host_is_away_after_three_failed_tries_and_back_at_the_first_answer() {
        let now = Timestamp::from_millis(60_000);
        let mut tries = Tries::default();
        for _ in 0..2 {
            tries.bad();
            assert_eq!(contact(&active(59_000), &tries, Some("refused"), now, Pace::ORDINARY), None);
        }
        tries.bad();
        let away = contact(&active(59_000), &tries, Some("refused"), now, Pace::ORDINARY).unwrap();
        assert_eq!(away.state, HostState::Inactive { since: now, why: "refused".into() });
        assert_eq!(contact(&away, &tries, Some("refused"), now, Pace::ORDINARY), None);
        tries.good(now);
        let back = contact(&away, &tries, None, now, Pace::ORDINARY).unwrap();
        assert_eq!(back.state, HostState::Active { since: now });
    }

    #[test]
    fn an_answer_is_written_once_in_thirty_seconds() {
        let mut tries = Tries::default();
        let now = Timestamp::from_millis(60_000);
        tries.good(now);
        assert_eq!(contact(&active(30_001), &tries, None, now, Pace::ORDINARY), None);
        assert_eq!(contact(&active(30_000), &tries, None, now, Pace::ORDINARY).unwrap().last_answer, now);
    }

    #[test]
    fn that_a_host_made_something_is_written_at_once_when_it_was_not_proven() {
        let (mut tries, at) = (Tries::default(), Timestamp::from_millis);
        let write = |before: &Contact, tries: &Tries, now| contact(before, tries, None, now, Pace::ORDINARY);
        tries.good(at(50_500));
        tries.made_at = Some(at(50_400));
        let proven = write(&active(50_000), &tries, at(50_500)).unwrap();
        assert_eq!(proven.made_at, Some(at(50_400)));
        // Once it is known, a later one waits for the next answer that is written.
        tries.good(at(51_000));
        tries.made_at = Some(at(50_900));
        assert_eq!(write(&proven, &tries, at(51_000)), None);
        tries.good(at(80_500));
        assert_eq!(write(&proven, &tries, at(80_500)).unwrap().made_at, Some(at(50_900)));
        // Another process forgets nothing.
        tries.made_at = None;
        assert_eq!(write(&proven, &tries, at(80_500)).unwrap().made_at, Some(at(50_400)));
    }
}

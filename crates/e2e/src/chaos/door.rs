//! Where users find app, and when it was really away: only then may a connection break.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The door of one app that is killed and started again.
#[derive(Debug)]
pub struct Door(Mutex<State>);

#[derive(Debug)]
struct State {
    url: String,
    /// From each kill to the moment at which the next one served; none yet for the last one.
    away: Vec<(Instant, Option<Instant>)>,
}

impl Door {
    /// An app that serves here.
    pub fn at(url: &str) -> Door {
        Door(Mutex::new(State { url: url.to_owned(), away: Vec::new() }))
    }

    /// Where to knock now.
    pub fn url(&self) -> String {
        self.lock().url.clone()
    }

    /// It is about to be killed.
    pub fn closes(&self) {
        self.lock().away.push((Instant::now(), None));
    }

    /// Another serves.
    pub fn opens(&self, url: &str) {
        let mut state = self.lock();
        url.clone_into(&mut state.url);
        if let Some((_, until)) = state.away.last_mut() {
            *until = Some(Instant::now());
        }
    }

    /// Whether it was away at any moment from `from` to `to`.
    pub fn was_closed(&self, from: Instant, to: Instant) -> bool {
        self.lock().away.iter().any(|(since, until)| *since <= to && until.is_none_or(|until| from <= until))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_was_closed_only_from_the_kill_to_the_next_one_that_serves() {
        let door = Door::at("http://a");
        let before = Instant::now();
        assert!(!door.was_closed(before, Instant::now()));
        door.closes();
        let during = Instant::now();
        assert!(door.was_closed(before, during) && door.was_closed(during, during));
        door.opens("http://b");
        assert_eq!(door.url(), "http://b");
        let after = Instant::now() + std::time::Duration::from_millis(1);
        assert!(door.was_closed(during, after) && !door.was_closed(after, after));
    }
}

//! Faults on demand: which call, the how-manieth of them, and what goes wrong.
//!
//! A plain table behind a lock. [`crate::server`] asks it once for each call and carries the answer out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Names a rule that was added.
pub type FaultId = u64;

/// When, and what then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only calls with this method; `None`: any.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path, without `/v1.xx` and query, matches: `*` stands for any text, slashes included.
    #[serde(default = "any_path")]
    pub path: String,
    /// From the how-manieth matching call on, counted from 1 since the rule was added.
    #[serde(default = "first")]
    pub nth: u64,
    /// For how many matching calls; `None`: for ever.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// What goes wrong.
    pub fault: FaultKind,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Not carried out; the connection is closed without an answer.
    Refuse,
    /// Not carried out; the connection is reset.
    Reset,
    /// Not carried out, and no answer ever comes.
    Hang,
    /// Not carried out; this answer instead.
    Error {
        /// HTTP status.
        status: u16,
        /// The `message` of the body.
        message: String,
    },
    /// Carried out; the answer breaks off in the middle of its body (or does not come, if it has none).
    Cut,
    /// Carried out; the connection is closed without an answer.
    LoseAnswer,
    /// Carried out, and no answer ever comes.
    Withhold,
    /// Carried out; the container that the call is about dies by itself some time after it runs.
    DieLater {
        /// After this many milliseconds.
        after_ms: u64,
        /// With this code.
        #[serde(default = "one")]
        exit_code: i64,
    },
    /// Not carried out, and the answer says it was; a list answers that there is nothing.
    Lie,
    /// Carried out, after a wait; also when the caller has gone meanwhile, as a real engine does.
    Slow {
        /// Of this many milliseconds.
        by_ms: u64,
    },
}

fn any_path() -> String {
    "*".to_owned()
}

fn first() -> u64 {
    1
}

fn once() -> Option<u64> {
    Some(1)
}

fn one() -> i64 {
    1
}

/// A rule as `GET /_sim/faults` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its id.
    pub id: FaultId,
    /// What was asked for.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Matching calls so far.
    pub matched: u64,
    /// How many of them it struck.
    pub struck: u64,
}

/// The faults of one host. Clones are the same table.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: FaultId,
    rules: Vec<Fault>,
}

impl FaultRule {
    /// The next call with this method and path, and no other.
    pub fn next(method: &str, path: &str, fault: FaultKind) -> Self {
        Self { method: Some(method.to_owned()), path: path.to_owned(), nth: 1, times: Some(1), fault }
    }

    /// The nth call from now on, whatever it is, counted from 1.
    pub fn at_call(nth: u64, fault: FaultKind) -> Self {
        Self { method: None, path: any_path(), nth, times: Some(1), fault }
    }

    /// The same for every matching call from the nth on.
    pub fn for_ever(self) -> Self {
        Self { times: None, ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method)) && glob(&self.path, path)
    }
}

impl Faults {
    /// Adds a rule.
    pub fn add(&self, rule: FaultRule) -> FaultId {
        let mut table = self.lock();
        table.next += 1;
        let id = table.next;
        table.rules.push(Fault { id, rule, matched: 0, struck: 0 });
        id
    }

    /// Takes a rule away; false if there is none.
    pub fn remove(&self, id: FaultId) -> bool {
        let mut table = self.lock();
        let before = table.rules.len();
        table.rules.retain(|fault| fault.id != id);
        table.rules.len() < before
    }

    /// Takes all rules away. Calls that hang already go on hanging.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// All rules, with how often they struck.
    pub fn list(&self) -> Vec<Fault> {
        self.lock().rules.clone()
    }

    /// Counts a call and says what goes wrong with it: the first rule that strikes, though all count it.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Option<FaultKind> {
        let mut struck = None;
        for fault in &mut self.lock().rules {
            if !fault.rule.matches(method, path) {
                continue;
            }
            fault.matched += 1;
            let due = fault.matched >= fault.rule.nth && fault.rule.times.is_none_or(|times| fault.struck < times);
            if due && struck.is_none() {
                fault.struck += 1;
                struck = Some(fault.rule.fault.clone());
            }
        }
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl FaultKind {
    /// An error answer.
    pub fn error(status: u16, message: &str) -> Self {
        Self::Error { status, message: message.to_owned() }
    }

    /// A wait before the call is carried out.
    pub fn slow(by: Duration) -> Self {
        Self::Slow { by_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
    }

    /// A word for the journal.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Hang => "hang",
            Self::Error { .. } => "error",
            Self::Cut => "cut",
            Self::LoseAnswer => "lose_answer",
            Self::Withhold => "withhold",
            Self::DieLater { .. } => "die_later",
            Self::Lie => "lie",
            Self::Slow { .. } => "slow",
        }
    }
}

/// Whether a text matches a pattern in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(tail) = text.strip_prefix(head) else { return false };
    (0..=tail.len()).filter(|&at| tail.is_char_boundary(at)).any(|at| glob(rest, &tail[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(glob("*", "/x"));
        assert!(glob("/containers/*/start", "/containers/abc/start"));
        assert!(!glob("/containers/*/start", "/containers/abc/stop"));
        assert!(!glob("/containers/json", "/containers/json2"));
        assert!(glob("/images/*", "/images/a/b:c/json"));
    }

    #[test]
    fn a_rule_strikes_from_the_nth_call_on_so_many_times() {
        let faults = Faults::default();
        faults.add(FaultRule { nth: 2, times: Some(2), ..FaultRule::next("post", "/a*", FaultKind::Hang) });
        let struck: Vec<bool> = (0..5).map(|_| faults.strike("POST", "/ab").is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strike("GET", "/ab"), None);
        assert_eq!((faults.list()[0].matched, faults.list()[0].struck), (5, 2));
    }

    #[test]
    fn the_nth_call_of_all_is_struck_once() {
        let faults = Faults::default();
        faults.add(FaultRule::at_call(2, FaultKind::Refuse));
        assert_eq!(faults.strike("GET", "/a"), None);
        assert_eq!(faults.strike("POST", "/b"), Some(FaultKind::Refuse));
        assert_eq!(faults.strike("POST", "/c"), None);
    }
}

//! What a host was asked, call by call, so that a test can count them and put a fault at each in turn.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde::Serialize;

/// Calls kept. A long-lived host must not grow without end; a test looks at far fewer.
const KEPT: usize = 20_000;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Counted from 1 since the start or the last [`Journal::clear`].
    pub number: u64,
    /// `GET`, ...
    pub method: String,
    /// Without `/v1.xx`, without query.
    pub path: String,
    /// What came after the `?`, as it came.
    pub query: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The fault that struck it: `hang`, ...
    pub fault: Option<&'static str>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not been answered (yet).
    Pending,
    /// Answered with this status.
    Answered(u16),
    /// The connection was closed without an answer.
    Dropped,
}

/// The calls to one host. Clones are the same journal. Calls to `/_sim/` are not in it.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    count: u64,
    calls: VecDeque<Call>,
}

impl Journal {
    /// Calls since the start or the last [`Journal::clear`].
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// The last 20,000 of them.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.iter().cloned().collect()
    }

    /// Forgets all and counts from 1 again.
    pub fn clear(&self) {
        *self.lock() = Book::default();
    }

    pub(crate) fn begin(&self, method: &str, path: &str, query: &str, fault: Option<&'static str>) -> u64 {
        let mut book = self.lock();
        book.count += 1;
        let number = book.count;
        if book.calls.len() == KEPT {
            book.calls.pop_front();
        }
        book.calls.push_back(Call {
            number,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            outcome: Outcome::Pending,
            fault,
        });
        number
    }

    pub(crate) fn end(&self, number: u64, outcome: Outcome) {
        let mut book = self.lock();
        let Some(first) = book.calls.front().map(|call| call.number) else { return };
        let at = number.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(call) = at.and_then(|at| book.calls.get_mut(at)) {
            call.outcome = outcome;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

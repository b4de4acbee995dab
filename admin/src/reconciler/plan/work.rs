//! What kind of work an action is: how much of each may be under way at once, and what its end asks for.

use std::fmt;

/// What kind of action is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Containers are being brought up.
    BringUp,
    /// It is being taken down.
    TakeDown,
    /// It is being probed.
    Look,
    /// It is being asked to commit a transaction.
    Deep,
    /// A node is being started, stopped or restarted.
    Node,
    /// A record is being written.
    Write,
}

impl Work {
    /// Whether the engine is looked at in full when it ends, so that events of it need not be heeded before.
    pub fn ends_in_a_look(self) -> bool {
        match self {
            Work::BringUp | Work::TakeDown | Work::Node => true,
            Work::Look | Work::Deep | Work::Write => false,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::BringUp => "bringing up",
            Work::TakeDown => "removal",
            Work::Look => "a probe",
            Work::Deep => "a deep probe",
            Work::Node => "a change of a node",
            Work::Write => "a write",
        })
    }
}

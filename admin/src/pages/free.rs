//! Free clusters at a glance: all of them, and how many of these users can have.

use common::model::{Host, PhaseKind};
use serde::Serialize;

use crate::tally::Counts;

/// Clusters that nobody holds.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FreeView {
    /// All of them, as their list has them.
    all: u64,
    /// How many can be had, and where the others are.
    note: String,
}

impl FreeView {
    /// By where they are. `stopped` are those that nothing else keeps from being given out ([`crate::explain::Explanation`]
    /// has them). One that is being proven anew counts as one to have: it is one again within seconds.
    pub fn of(hosts: &[Host], counts: &Counts, stopped: u64) -> FreeView {
        let (mut giving, mut away, mut kept_back) = (0, 0, 0);
        for host in hosts {
            let place = match (host.contact.state.is_active(), host.serves()) {
                (false, _) => &mut away,
                (true, false) => &mut kept_back,
                (true, true) => &mut giving,
            };
            *place += counts.number(&[PhaseKind::Free], None, Some(&host.id));
        }
        let stopped = stopped.min(giving);
        let others =
            [(stopped, "stopped"), (away, "on hosts that do not answer"), (kept_back, "on hosts that give none out")];
        FreeView { all: counts.number(&[PhaseKind::Free], None, None), note: note(giving - stopped, &others) }
    }
}

fn note(to_have: u64, others: &[(u64, &str)]) -> String {
    let others: Vec<String> = others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if others.is_empty() {
        return "can be had".to_owned();
    }
    format!("{to_have} can be had; {}", others.join("; "))
}

#[cfg(test)]
mod tests {
    use super::note;

    #[test]
    fn it_is_said_how_many_can_be_had_if_not_all() {
        let others = |stopped, away| [(stopped, "stopped"), (away, "on hosts that do not answer")];
        assert_eq!(note(7, &others(0, 0)), "can be had");
        assert_eq!(note(4, &others(1, 2)), "4 can be had; 1 stopped; 2 on hosts that do not answer");
        assert_eq!(note(0, &others(3, 0)), "0 can be had; 3 stopped");
    }
}

//! Free clusters at a glance: those that users can have, and those that wait where nothing is given out.

use common::model::{Host, PhaseKind};
use serde::Serialize;

use crate::tally::Counts;

/// Clusters that nobody holds.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FreeView {
    /// On hosts that answer and give out.
    to_have: u64,
    /// What that means, and how many wait elsewhere.
    note: String,
}

impl FreeView {
    /// By where they are. One that is not on offer for its own sake (it is proven anew, or somebody stopped a node of it)
    /// counts as one to have: it is told of on its own page, and no count knows of it.
    pub fn of(hosts: &[Host], counts: &Counts) -> FreeView {
        let (mut to_have, mut away, mut kept_back) = (0, 0, 0);
        for host in hosts {
            let place = match (host.contact.state.is_active(), host.serves()) {
                (false, _) => &mut away,
                (true, false) => &mut kept_back,
                (true, true) => &mut to_have,
            };
            *place += counts.number(&[PhaseKind::Free], None, Some(&host.id));
        }
        FreeView { to_have, note: note(away, kept_back) }
    }
}

fn note(away: u64, kept_back: u64) -> String {
    let mut note = "can be had".to_owned();
    if away > 0 {
        note.push_str(&format!("; {away} more on hosts that do not answer"));
    }
    if kept_back > 0 {
        note.push_str(&format!("; {kept_back} more on hosts that give none out"));
    }
    note
}

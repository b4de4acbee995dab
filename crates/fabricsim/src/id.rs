//! Names of peers and of proposals, and their order.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A peer's name. `vp9` comes before `vp10`: the lowest-numbered peer that answers orders transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerId(Arc<str>);

impl PeerId {
    /// Takes any text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> (&str, u64, &str) {
        let stem = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem, self.0[stem.len()..].parse().unwrap_or(0), &self.0)
    }
}

impl Ord for PeerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for PeerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One attempt of one peer to order blocks. Higher ones outbid lower ones, and no two peers share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ballot {
    round: u64,
    by: PeerId,
}

impl Ballot {
    /// A ballot of `by` above this one.
    pub fn next(&self, by: &PeerId) -> Self {
        Self { round: self.round.saturating_add(1), by: by.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_ordered_by_number_not_by_text() {
        let mut ids = ["vp10", "vp9", "vp0", "other"].map(PeerId::new);
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["other", "vp0", "vp9", "vp10"]);
    }

    #[test]
    fn the_next_ballot_outbids_every_peers_last_one() {
        let low = Ballot::default().next(&PeerId::new("vp9"));
        assert!(low.next(&PeerId::new("vp0")) > low);
    }
}

//! Time as a value: whoever carries a peer hands it in.

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixNanos(pub u64);

impl UnixNanos {
    /// Time from `earlier` to this, zero if the clock went back.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// What is left of a second.
    pub fn nanos(self) -> u32 {
        u32::try_from(self.0 % 1_000_000_000).unwrap_or_default()
    }
}

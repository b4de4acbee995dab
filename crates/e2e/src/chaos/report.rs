//! What a run of chaos found.

use serde::Serialize;

/// One JSON object; docs/benchmarks.md says what the keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Applies that gave a network.
    pub applies: u64,
    /// Applies that were refused with a reason.
    pub refused: u64,
    /// SIGKILLs to admin and app.
    pub kills: u64,
    /// Networks, places and users of which the record or what users were told has two leases at once.
    pub double_leases: usize,
    /// Leases that users were told of and that are not as they were told.
    pub lost_leases: usize,
    /// Things of the pool that were left on the engine, and things of others that were touched.
    pub leaked_objects: usize,
    /// Where the engine did not have what the store said, at rest.
    pub store_engine_differences: usize,
    /// Requests that neither worked nor were told why, and clusters that did not come to rest.
    pub stuck: usize,
}

impl Report {
    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        [self.double_leases, self.lost_leases, self.leaked_objects, self.store_engine_differences, self.stuck] == [0; 5]
    }
}

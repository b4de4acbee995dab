//! How much is kept of what, and for how long.

use std::time::Duration;

/// Events kept; the oldest beyond this many go. At a thousand applies an hour, each making some six events, this is a day.
pub const EVENTS_KEPT: u64 = 150_000;

/// Bundles of evidence kept; the oldest beyond this many go.
pub const EVIDENCE_KEPT: u32 = 500;

/// Hosts and clusters of which samples are kept within one hour. Some 2 KiB each, so at most 200 MiB for a day.
pub const SAMPLED_SUBJECTS: u32 = 4_000;
/// Sessions in a list: more than anybody looks through.
pub const SESSIONS_LISTED: u32 = 100;

/// How long counts of applies are kept.
pub const APPLIES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a used [`IdempotencyKey`](crate::model::IdempotencyKey) is known after its lease ended.
pub const KEY_KEPT: Duration = Duration::from_secs(24 * 3600);

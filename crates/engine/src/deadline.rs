//! How long each kind of call may take, and why so long.

use std::time::Duration;

/// A ping does no work: a healthy engine answers in a millisecond. A host is looked at every ten seconds.
pub const PING: Duration = Duration::from_secs(5);

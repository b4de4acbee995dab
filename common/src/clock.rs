//! The one place that reads the wall clock. Whatever decides takes the time as a value instead.

use crate::model::Timestamp;

/// The time now, by the machine's clock, in whole milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

//! The one place of this crate that reads the wall clock, and how Docker writes times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub(crate) i64);

/// What Docker writes for a time that never was.
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this crate must not depend on common, so it has a clock of its own")]
pub(crate) fn now() -> Moment {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}

impl Moment {
    /// Whole seconds since 1970.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// RFC 3339 in UTC with up to nine decimals and no trailing zeros, as Go writes it.
    pub(crate) fn rfc3339(self) -> String {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).map(|t| t.to_string()).unwrap_or_else(|_| NEVER.to_owned())
    }

    /// RFC 3339 in UTC with exactly nine decimals, as log lines carry it.
    pub(crate) fn rfc3339_nanos(self) -> String {
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format!("{stamp:.9}")
    }

    /// RFC 3339 in UTC, whole seconds.
    pub(crate) fn rfc3339_seconds(self) -> String {
        Moment(self.seconds() * 1_000_000_000).rfc3339()
    }

    /// How long since an earlier moment; zero if that is later.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_docker_writes_them() {
        let moment = Moment(1_795_345_325_468_664_000);
        assert_eq!(moment.rfc3339(), "2026-11-22T11:02:05.468664Z");
        assert_eq!(moment.rfc3339_nanos(), "2026-11-22T11:02:05.468664000Z");
        assert_eq!(moment.rfc3339_seconds(), "2026-11-22T11:02:05Z");
    }
}

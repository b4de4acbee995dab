//! Numbers over time: what was counted or measured in a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ClusterId, HostId, Timestamp};

/// Samples are one a minute.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(60);

/// Samples that are kept together, in one row or document.
pub const SAMPLES_TOGETHER: Duration = Duration::from_secs(3600);

/// What the numbers are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The whole pool.
    Pool,
    /// One host.
    Host(HostId),
    /// One cluster.
    Cluster(ClusterId),
}

impl Subject {
    /// Its name in records.
    pub fn key(&self) -> String {
        match self {
            Subject::Pool => "pool".to_owned(),
            Subject::Host(id) => format!("host {id}"),
            Subject::Cluster(id) => format!("cluster {id}"),
        }
    }

    /// How long its samples are kept.
    pub fn kept(&self) -> Duration {
        match self {
            Subject::Pool => Duration::from_secs(7 * 24 * 3600),
            Subject::Host(_) | Subject::Cluster(_) => Duration::from_secs(24 * 3600),
        }
    }
}

/// The numbers of one minute, by what they are of: `vp0/memory`. A number that is not there was not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Of what.
    pub subject: Subject,
    /// The minute's beginning.
    pub minute: Timestamp,
    /// The numbers. Names are letters, digits, `-`, `_` and `/`, at most 64.
    pub values: BTreeMap<String, u64>,
}

/// The beginning of the stretch of time that a moment is in.
pub fn beginning(at: Timestamp, every: Duration) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_millis(at.as_millis() - at.as_millis().rem_euclid(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_beginning() {
        let at = Timestamp::from_millis(125_000);
        assert_eq!(beginning(at, SAMPLE_EVERY), Timestamp::from_millis(120_000));
        assert_eq!(beginning(Timestamp::from_millis(120_000), SAMPLE_EVERY), Timestamp::from_millis(120_000));
        assert_eq!(beginning(at, SAMPLES_TOGETHER), Timestamp::from_millis(0));
    }
}

//! The version of the records, the same number on both stores.
//!
//! A step to a later version only adds, so that a program of the version before can go on beside the new one
//! until it is replaced too. A program refuses to start on a version that it does not know.

use super::open::OpenError;

/// The version that this program writes.
///
/// 1. The first.
/// 2. Ended leases are listed by when they ended, so that is indexed; the old index on the user alone goes.
/// 3. Events can be followed, and found by kind and actor; evidence of failures and counts of applies are kept.
/// 4. Clusters and lease records have keys to be listed by in any order; ended leases are indexed by those.
/// 5. Tokens are kept; sessions are found by their operator.
/// 6. Samples are kept: numbers over time of the pool, hosts and clusters.
pub(super) const CURRENT: u32 = 6;

/// The versions that are still to be reached from `found`, oldest first.
pub(super) fn steps(found: u32) -> Result<std::ops::RangeInclusive<u32>, OpenError> {
    match found {
        0 => Err(OpenError::Broken("its schema version is 0, which never was".into())),
        found if found > CURRENT => Err(OpenError::Newer { found, known: CURRENT }),
        found => Ok(found + 1..=CURRENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_versions_are_walked_up_and_newer_ones_refused() {
        assert_eq!(steps(1).unwrap().collect::<Vec<_>>(), (2..=CURRENT).collect::<Vec<_>>());
        assert!(steps(CURRENT).unwrap().is_empty());
        assert!(steps(CURRENT + 1).unwrap_err().to_string().contains("newer PoolManager"));
        assert!(steps(0).is_err());
    }
}

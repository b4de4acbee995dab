//! The numbers that a run gives.

use anyhow::Context;
use serde::Serialize;

use super::round::Round;

/// The medians of a run's rounds. Rates are successful applies a second; `docs/benchmarks.md` explains each.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Through app on MongoDB, over one connection.
    pub rps_1: f64,
    /// Over 16.
    pub rps_16: f64,
    /// Over 64.
    pub rps_64: f64,
    /// Over 64: half of the applies took no longer, in milliseconds.
    pub p50_ms_64: f64,
    /// Over 64: 99 of a hundred took no longer.
    pub p99_ms_64: f64,
    /// `rps_64` with `AUTH=open`: nobody shows a token.
    pub open_rps_64: f64,
    /// Of those: 99 of a hundred took no longer.
    pub open_p99_ms_64: f64,
    /// 64 callers of MongoDB itself.
    pub raw_rps_64: f64,
    /// Of those: 99 of a hundred took no longer.
    pub raw_p99_ms_64: f64,
    /// `rps_64` by `raw_rps_64`.
    pub ratio_64: f64,
    /// The most memory that app ever had, in MiB.
    pub rss_mib: f64,
    /// Through app on SQLite, over 64 connections.
    pub sqlite_rps_64: f64,
    /// 64 callers of one SQLite connection, a transaction each.
    pub sqlite_raw_rps_64: f64,
    /// Clusters that were given out twice, in all rounds. Anything but 0 is a fault.
    pub double_leases: u64,
}

/// Rounds of one kind.
#[derive(Default)]
pub(super) struct Rounds(Vec<(f64, f64, f64)>);

impl Rounds {
    pub(super) fn add(&mut self, round: &Round) {
        self.0.push((round.rate, round.p50_ms, round.p99_ms));
    }

    fn rate(&self) -> anyhow::Result<f64> {
        median(self.0.iter().map(|round| round.0))
    }

    fn p50_ms(&self) -> anyhow::Result<f64> {
        median(self.0.iter().map(|round| round.1))
    }

    fn p99_ms(&self) -> anyhow::Result<f64> {
        median(self.0.iter().map(|round| round.2))
    }
}

/// All that a run has measured.
#[derive(Default)]
pub(super) struct Measured {
    pub ours_1: Rounds,
    pub ours_16: Rounds,
    pub ours_64: Rounds,
    pub open_64: Rounds,
    pub raw_1: Rounds,
    pub raw_16: Rounds,
    pub raw_64: Rounds,
    pub sqlite_64: Rounds,
    pub sqlite_raw_64: Rounds,
    pub peak_mib: f64,
    pub double_leases: u64,
}

impl Measured {
    /// The medians.
    pub(super) fn report(&self) -> anyhow::Result<Report> {
        let (rps_64, raw_rps_64) = (self.ours_64.rate()?, self.raw_64.rate()?);
        Ok(Report {
            rps_1: short(self.ours_1.rate()?),
            rps_16: short(self.ours_16.rate()?),
            rps_64: short(rps_64),
            p50_ms_64: short(self.ours_64.p50_ms()?),
            p99_ms_64: short(self.ours_64.p99_ms()?),
            open_rps_64: short(self.open_64.rate()?),
            open_p99_ms_64: short(self.open_64.p99_ms()?),
            raw_rps_64: short(raw_rps_64),
            raw_p99_ms_64: short(self.raw_64.p99_ms()?),
            ratio_64: short(rps_64 / raw_rps_64),
            rss_mib: short(self.peak_mib),
            sqlite_rps_64: short(self.sqlite_64.rate()?),
            sqlite_raw_rps_64: short(self.sqlite_raw_64.rate()?),
            double_leases: self.double_leases,
        })
    }
}

/// Of an even number the lower of the two in the middle, so that it is one that was measured.
fn median(values: impl Iterator<Item = f64>) -> anyhow::Result<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().context("no round was measured")
}

/// Digits beyond the second are noise.
fn short(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_one_that_was_measured() {
        let of = |values: &[f64]| median(values.iter().copied()).unwrap();
        assert_eq!((of(&[3.0]), of(&[9.0, 1.0]), of(&[5.0, 1.0, 3.0])), (3.0, 1.0, 3.0));
        assert!(median(std::iter::empty()).is_err());
    }
}

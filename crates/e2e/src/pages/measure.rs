//! How long a page takes, from the first byte sent to the last one read, over a connection that is there already.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::browser::Browser;

/// Requests before those that count: connections, prepared statements and caches are there then, as they are for a page
/// that anybody looks at.
pub(super) const WARM_UP: u32 = 3;

/// One request.
pub(super) async fn time(browser: &mut Browser, path: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let answer = browser.open(path).await?;
    let took = begun.elapsed();
    ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.text);
    Ok(took)
}

/// What the requests for one page took.
#[derive(Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// So many of a hundred took no longer, in milliseconds.
    pub(super) fn percentile_ms(&self, percent: usize) -> anyhow::Result<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        let took = sorted.get(at).context("nothing was measured")?;
        Ok((took.as_secs_f64() * 100_000.0).round() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_that_was_measured() {
        let times = Times((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((times.percentile_ms(50).unwrap(), times.percentile_ms(99).unwrap()), (50.0, 99.0));
        assert!(Times::default().percentile_ms(50).is_err());
    }
}

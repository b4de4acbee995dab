//! One round: so many callers claim, one after the other each, until the bounds are reached.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// What is in flight when the time is up gets this long. App itself gives up after ten seconds.
const LAST_ANSWERS: Duration = Duration::from_secs(20);

/// Something that claims a cluster for a user.
pub(super) trait Claim: Send + 'static {
    /// The id of the cluster that the user got.
    fn claim(&mut self, user: &str) -> impl Future<Output = anyhow::Result<String>> + Send;
}

/// When a round ends.
pub(super) struct Bounds {
    /// After so many claims,
    pub most: u32,
    /// or after so long.
    pub within: Duration,
}

/// Who was given what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Given {
    pub cluster: String,
    pub user: String,
}

/// What came of a round.
pub(super) struct Round {
    pub given: Vec<Given>,
    /// Claims a second.
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Round {
    /// The round in a line, for people.
    pub(super) fn line(&self, what: &str, callers: usize) -> String {
        let Round { given, rate, p50_ms, p99_ms } = self;
        let count = given.len();
        format!("{what} {callers:>3} at once: {rate:>6.0}/s, p50 {p50_ms:>6.2} ms, p99 {p99_ms:>6.2} ms ({count})")
    }
}

/// Runs one. Every claim must succeed; the first that does not ends it with an error.
pub(super) async fn run<C: Claim>(callers: Vec<C>, bounds: &Bounds) -> anyhow::Result<Round> {
    let tickets = Arc::new(AtomicU32::new(0));
    let (most, within) = (bounds.most, bounds.within);
    let began = Instant::now();
    let callers: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            let tickets = tickets.clone();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                while began.elapsed() < within {
                    let ticket = tickets.fetch_add(1, Ordering::Relaxed);
                    if ticket >= most {
                        break;
                    }
                    let user = format!("bench-{ticket}");
                    let sent = Instant::now();
                    let cluster = caller.claim(&user).await?;
                    answers.push((Given { cluster, user }, sent.elapsed()));
                }
                anyhow::Ok(answers)
            })
        })
        .collect();
    let all = async {
        let mut answers = Vec::new();
        for caller in callers {
            answers.extend(caller.await.context("a caller")??);
        }
        anyhow::Ok(answers)
    };
    let answers = tokio::time::timeout(within + LAST_ANSWERS, all).await.context("waiting for the last answers")??;
    let took = began.elapsed();
    if answers.is_empty() {
        bail!("not one claim was made");
    }
    let (given, mut latencies): (Vec<Given>, Vec<Duration>) = answers.into_iter().unzip();
    latencies.sort_unstable();
    Ok(Round {
        rate: given.len() as f64 / took.as_secs_f64(),
        given,
        p50_ms: percentile_ms(&latencies, 50),
        p99_ms: percentile_ms(&latencies, 99),
    })
}

/// The smallest that at least so many of a hundred do not exceed; of sorted latencies.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len());
    sorted[place - 1].as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_latencies() {
        let of =
            |count: u64, percent| percentile_ms(&(1..=count).map(Duration::from_millis).collect::<Vec<_>>(), percent);
        assert_eq!((of(1, 50), of(1, 99)), (1.0, 1.0));
        assert_eq!((of(100, 50), of(100, 99)), (50.0, 99.0));
        assert_eq!((of(1000, 50), of(1000, 99)), (500.0, 990.0));
    }

    struct Counter;

    impl Claim for Counter {
        async fn claim(&mut self, user: &str) -> anyhow::Result<String> {
            if user == "bench-7" { bail!("no") } else { Ok(user.to_owned()) }
        }
    }

    #[tokio::test]
    async fn a_round_is_bounded_and_a_claim_that_fails_is_an_error() {
        let round = run(vec![Counter, Counter], &Bounds { most: 6, within: Duration::from_secs(10) }).await.unwrap();
        assert_eq!(round.given.len(), 6);
        assert!(run(vec![Counter, Counter], &Bounds { most: 9, within: Duration::from_secs(10) }).await.is_err());
    }
}

//! Waiting for what must come, without sleeping for a guess: asks again and again, and says what it last saw when it gives up.

use std::future::Future;
use std::time::{Duration, Instant};

/// Asks until the answer is `Ok`; panics with the last `Err` after `limit`. For tests.
pub async fn wait_until<T, F, A>(what: &str, limit: Duration, mut ask: F) -> T
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, String>>,
{
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(seen) if begun.elapsed() > limit => panic!("{what}: not within {limit:?}; last seen: {seen}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The same for what goes on after it: the last error, with what was waited for.
pub async fn until<T, F, A>(what: &str, limit: Duration, mut ask: F) -> anyhow::Result<T>
where
    F: FnMut() -> A,
    A: Future<Output = anyhow::Result<T>>,
{
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(value) => return Ok(value),
            Err(seen) if begun.elapsed() > limit => {
                return Err(seen.context(format!("waiting for {what}, not within {limit:?}")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

//! Open dashboards without screens: each reads a live page and notes what comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::churn::Churn;
use crate::wait::until;

/// Of one session; admin lets one have 24.
const OF_ONE_SESSION: usize = 20;

/// Of one operator; admin lets one have 64.
const OF_ONE_OPERATOR: usize = 3 * OF_ONE_SESSION;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the overview tells how many clusters users hold.
const IN_USE: &str = "In use</span> <strong>";

/// How many clusters are held by what a page was sent last, and when that came; `None` before anything came.
type Seen = watch::Receiver<Option<(u64, Instant)>>;

/// Open dashboards; dropping them closes them.
pub(super) struct Streams {
    overviews: Vec<Seen>,
    tasks: Vec<AbortHandle>,
    parts: Arc<AtomicU64>,
}

impl Streams {
    /// Opens so many and waits until each overview was sent something.
    pub async fn open(churn: &Churn, count: usize) -> anyhow::Result<Streams> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let parts = Arc::new(AtomicU64::new(0));
        let mut streams = Streams { overviews: Vec::new(), tasks: Vec::new(), parts: parts.clone() };
        let mut cookie = String::new();
        for n in 0..count {
            if n % OF_ONE_SESSION == 0 {
                cookie = churn.sign_in(n / OF_ONE_OPERATOR).await?.cookie().to_owned();
            }
            let page = match n % 4 {
                0 | 2 => "/".to_owned(),
                1 => format!("/hosts/{}", churn.hosts[n / 4 % churn.hosts.len()]),
                _ => "/events".to_owned(),
            };
            let answer = open(&http, churn.url(), &page, &cookie).await?;
            let (tell, seen) = watch::channel(None);
            if page == "/" {
                streams.overviews.push(seen);
            }
            streams.tasks.push(tokio::spawn(read(answer, tell, parts.clone())).abort_handle());
        }
        for seen in &mut streams.overviews {
            let first = seen.wait_for(Option::is_some);
            tokio::time::timeout(PATIENCE, first).await.context("nothing was sent")??;
        }
        Ok(streams)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Live parts that all of them were sent so far.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// Milliseconds from `changed` until each overview told that so many clusters are held.
    pub async fn until_held(&self, held: u64, changed: Instant, patience: Duration) -> anyhow::Result<Vec<f64>> {
        let each = self.overviews.iter().map(|seen| async move {
            let mut seen = seen.clone();
            let there = seen.wait_for(|seen| seen.is_some_and(|(there, _)| there >= held));
            let there = tokio::time::timeout(patience, there).await.context("a change did not reach a page")??;
            let (_, at) = (*there).context("nothing was seen")?;
            anyhow::Ok(at.saturating_duration_since(changed).as_secs_f64() * 1_000.0)
        });
        try_join_all(each).await
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Those of the round before count until admin has heard of their end.
async fn open(http: &reqwest::Client, url: &str, page: &str, cookie: &str) -> anyhow::Result<reqwest::Response> {
    until("room for a stream", PATIENCE, || async {
        let request = http.get(format!("{url}/live")).query(&[("page", page)]).header("cookie", cookie);
        let answer = request.send().await.context("opening a stream")?;
        ensure!(answer.status() == 200, "a stream of {page}: {}", answer.status());
        Ok(answer)
    })
    .await
}

async fn read(mut answer: reqwest::Response, tell: watch::Sender<Option<(u64, Instant)>>, parts: Arc<AtomicU64>) {
    let mut text = String::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let at = Instant::now();
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some((event, rest)) = text.split_once("\n\n") {
            if event.starts_with("id: ") {
                parts.fetch_add(1, Ordering::Relaxed);
            }
            let number = event.split_once(IN_USE).and_then(|(_, after)| after.split_once('<'));
            if let Some(held) = number.and_then(|(number, _)| number.parse().ok()) {
                tell.send_replace(Some((held, at)));
            }
            text = rest.to_owned();
        }
    }
}

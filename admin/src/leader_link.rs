//! The way from this admin to the one that leads, while this one stands by: its doorbell, by the internal secret.
//!
//! A ring carries no data and may get lost: that costs seconds. So no request waits for one: one is on its way at most,
//! one more waits behind it, and further ones are the same as that.

use std::time::Duration;

use anyhow::{Context, bail};
use common::clock;
use common::config::Secret;
use common::store::SharedStore;
use tokio::sync::mpsc;
use tracing::debug;

use crate::reconciler::Reconciler;

/// A leader that does not take a ring in this time looks by itself sooner than a second try could tell it.
const RING_WITHIN: Duration = Duration::from_secs(1);

/// A lock that has been void for longer is nobody's, and its address may be somebody else's by now, who must not see
/// the secret. Shorter than that may as well be two machines' clocks apart.
const VOID_FOR: Duration = Duration::from_secs(60);

/// The way to whoever leads. Cheap to clone.
#[derive(Clone)]
pub struct LeaderLink {
    reconciler: Reconciler,
    bell: mpsc::Sender<()>,
}

impl LeaderLink {
    /// Must be called in the runtime that shall do the ringing; the ringing ends with the last handle.
    pub fn new(store: SharedStore, secret: Secret, reconciler: Reconciler) -> anyhow::Result<LeaderLink> {
        // No proxy and no redirect: the secret goes to the address in the lock's record and nowhere else.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let (bell, mut rings) = mpsc::channel(1);
        tokio::spawn(async move {
            while rings.recv().await.is_some() {
                if let Err(error) = ring_leader(&store, &secret, &http).await {
                    debug!("the leader was not told to look; it looks by itself at its next tick: {error:#}");
                }
            }
        });
        Ok(LeaderLink { reconciler, bell })
    }

    /// Has whoever leads look at once, this process or another.
    pub fn ring(&self) {
        self.reconciler.ring();
        if !self.reconciler.leads() {
            // Full: a ring that has not left yet does for this one as well.
            let _ = self.bell.try_send(());
        }
    }
}

async fn ring_leader(store: &SharedStore, secret: &Secret, http: &reqwest::Client) -> anyhow::Result<()> {
    let url = format!("{}/internal/doorbell", address(store).await?);
    let request = http.post(&url).bearer_auth(secret.expose()).timeout(RING_WITHIN);
    let answer = request.send().await.with_context(|| format!("POST {url}"))?;
    if !answer.status().is_success() {
        bail!("{url} answers {}", answer.status());
    }
    Ok(())
}

/// Where the leader's `/internal` answers.
async fn address(store: &SharedStore) -> anyhow::Result<String> {
    let Some(lock) = store.lock().await.context("reading who leads")? else {
        bail!("no admin has led this pool yet");
    };
    if lock.until + VOID_FOR < clock::now() {
        bail!("no admin leads this pool now");
    }
    Ok(lock.address)
}

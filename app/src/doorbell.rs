//! Tells the reconciler that something is wanted, so that it looks now and not at its next tick.
//!
//! A ring carries no data and may get lost: that costs seconds, never correctness. So no request waits for one:
//! one is on its way at most, one more waits behind it, and further ones are the same as that.

use std::time::Duration;

use anyhow::{Context, bail};
use common::clock;
use common::config::Secret;
use common::store::SharedStore;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

/// A leader that does not answer in this time will look by itself sooner than a second try could tell it.
const DEADLINE: Duration = Duration::from_secs(1);

/// A lock that has been void for longer is nobody's, and its address may be somebody else's by now, who must not see
/// the secret. Shorter than that may as well be two machines' clocks apart, and ringing a dead leader costs nothing.
const VOID_FOR: Duration = Duration::from_secs(60);

/// The bell at the users' side.
pub struct Doorbell(mpsc::Sender<()>);

impl Doorbell {
    /// Must be called in the runtime that shall do the ringing; ends with the last handle.
    pub fn hang(store: SharedStore, secret: Secret) -> Self {
        let (bell, rings) = Self::with_rings();
        tokio::spawn(carry(rings, store, secret));
        bell
    }

    fn with_rings() -> (Self, mpsc::Receiver<()>) {
        let (bell, rings) = mpsc::channel(1);
        (Self(bell), rings)
    }

    /// Rings, without waiting for anything.
    pub fn ring(&self) {
        // Full: a ring that has not left yet does for this one as well.
        let _ = self.0.try_send(());
    }
}

async fn carry(mut rings: mpsc::Receiver<()>, store: SharedStore, secret: Secret) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => return warn!("there is no doorbell, so releases wait for the reconciler's tick: {error:#}"),
    };
    let mut broken = false;
    while rings.recv().await.is_some() {
        match (ring(&client, &store, &secret).await, broken) {
            (Ok(()), false) => {}
            (Ok(()), true) => {
                broken = false;
                info!("the reconciler's doorbell works again");
            }
            (Err(error), false) => {
                broken = true;
                warn!("the reconciler's doorbell does not work; it looks by itself at its next tick: {error:#}");
            }
            (Err(error), true) => debug!("the doorbell still does not work: {error:#}"),
        }
    }
}

/// No proxy and no redirect: the secret goes to the address in the lock's record and nowhere else.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE).build()
}

async fn ring(client: &reqwest::Client, store: &SharedStore, secret: &Secret) -> anyhow::Result<()> {
    let Some(lock) = store.lock().await.context("reading who leads")? else {
        bail!("no admin has led this pool yet");
    };
    if lock.until + VOID_FOR < clock::now() {
        bail!("no admin leads this pool now");
    }
    let url = format!("{}/internal/doorbell", lock.address);
    let answer = client.post(&url).bearer_auth(secret.expose()).send().await.with_context(|| format!("POST {url}"))?;
    if !answer.status().is_success() {
        bail!("{url} answers {}", answer.status());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_that_have_not_left_yet_are_one() {
        let (bell, mut rings) = Doorbell::with_rings();
        for _ in 0..20 {
            bell.ring();
        }
        assert!(rings.try_recv().is_ok() && rings.try_recv().is_err());
        bell.ring();
        assert!(rings.try_recv().is_ok(), "one that comes later is another");
    }
}

//! The way from this admin to the one that leads, while this one stands by: its doorbell and its outlook, by the internal
//! secret.
//!
//! A ring carries no data and may get lost: that costs seconds. So no request waits for one: one is on its way at most,
//! one more waits behind it, and further ones are the same as that. An outlook is waited for, for two seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use common::clock;
use common::config::Secret;
use common::model::{HostId, Timestamp};
use common::store::{LockRecord, SharedStore};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tracing::debug;

use crate::explain::{Source, Told};
use crate::reconciler::{HostOutlook, PoolOutlook, Reconciler};

/// A leader that does not take a ring in this time looks by itself sooner than a second try could tell it.
const RING_WITHIN: Duration = Duration::from_secs(1);

/// Whoever asks why something is so waits this long for the leader; then she is told that it does not answer.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// A leader that did not answer in time is not asked again for so long: live pages ask all the time, and wait for one
/// another.
const SILENT_FOR: Duration = Duration::from_secs(5);

/// The largest outlook that is read: a host of a thousand clusters needs some 300 KiB.
const LARGEST: usize = 4 << 20;

/// A lock that has been void for longer is nobody's, and its address may be somebody else's by now, who must not see
/// the secret. Shorter than that may as well be two machines' clocks apart.
const VOID_FOR: Duration = Duration::from_secs(60);

/// The way to whoever leads. Cheap to clone.
#[derive(Clone)]
pub struct LeaderLink {
    caller: Caller,
    reconciler: Reconciler,
    bell: mpsc::Sender<()>,
}

/// What a call to the leader takes.
#[derive(Clone)]
struct Caller {
    store: SharedStore,
    secret: Secret,
    http: reqwest::Client,
    /// Who did not answer in time, and until when that is believed.
    silent: Arc<Mutex<Option<(String, Instant)>>>,
}

impl LeaderLink {
    /// Must be called in the runtime that shall do the ringing; the ringing ends with the last handle.
    pub fn new(store: SharedStore, secret: Secret, reconciler: Reconciler) -> anyhow::Result<LeaderLink> {
        // No proxy and no redirect: the secret goes to the address in the lock's record and nowhere else.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let (bell, mut rings) = mpsc::channel(1);
        let caller = Caller { store, secret, http, silent: Arc::default() };
        let ringer = caller.clone();
        tokio::spawn(async move {
            while rings.recv().await.is_some() {
                if let Err(error) = ringer.ring().await {
                    debug!("the leader was not told to look; it looks by itself at its next tick: {error:#}");
                }
            }
        });
        Ok(LeaderLink { caller, reconciler, bell })
    }

    /// Has whoever leads look at once, this process or another.
    pub fn ring(&self) {
        self.reconciler.ring();
        if !self.reconciler.leads() {
            // Full: a ring that has not left yet does for this one as well.
            let _ = self.bell.try_send(());
        }
    }

    /// What the reconciler told of a host.
    pub async fn host(&self, host: &HostId, now: Timestamp) -> Told<HostOutlook> {
        if self.reconciler.leads() {
            let outlook = self.reconciler.outlook_of(host).map(|outlook| (*outlook).clone());
            return Told { source: Source::Here, outlook, lock_until: None };
        }
        let told = self.caller.ask::<Option<HostOutlook>>(&format!("?host={host}"), now).await;
        Told { source: told.source, outlook: told.outlook.flatten(), lock_until: told.lock_until }
    }

    /// What the reconciler told of all hosts.
    pub async fn pool(&self, now: Timestamp) -> Told<PoolOutlook> {
        if self.reconciler.leads() {
            let outlook = Some(self.reconciler.outlook_of_pool(now));
            return Told { source: Source::Here, outlook, lock_until: None };
        }
        self.caller.ask("", now).await
    }
}

impl Caller {
    async fn ring(&self) -> anyhow::Result<()> {
        let url = format!("{}/internal/doorbell", self.leader(clock::now()).await?.address);
        let request = self.http.post(&url).bearer_auth(self.secret.expose()).timeout(RING_WITHIN);
        let answer = request.send().await.with_context(|| format!("POST {url}"))?;
        ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(&self, query: &str, now: Timestamp) -> Told<T> {
        let lock = match self.leader(now).await {
            Ok(lock) => lock,
            Err(why) => {
                return Told { source: Source::Nobody { why: format!("{why:#}") }, outlook: None, lock_until: None };
            }
        };
        let (address, lock_until) = (lock.address, Some(lock.until));
        let asked = async {
            if self.was_silent(&address) {
                return None;
            }
            let url = format!("{address}/internal/outlook{query}");
            let answer = tokio::time::timeout(ASK_WITHIN, self.fetch(&url)).await.ok();
            *self.lock() = answer.is_none().then(|| (address.clone(), Instant::now() + SILENT_FOR));
            answer
        };
        let answer = asked.await;
        let silent = |why: String| Source::Silent { address: address.clone(), why };
        match answer {
            Some(Ok(outlook)) => {
                Told { source: Source::Leader { address: address.clone() }, outlook: Some(outlook), lock_until }
            }
            Some(Err(why)) => Told { source: silent(format!("{why:#}")), outlook: None, lock_until },
            None => {
                let why = format!("no answer within {} s", ASK_WITHIN.as_secs());
                Told { source: silent(why), outlook: None, lock_until }
            }
        }
    }

    fn was_silent(&self, address: &str) -> bool {
        self.lock().as_ref().is_some_and(|(who, until)| who == address && Instant::now() < *until)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let request = self.http.get(url).bearer_auth(self.secret.expose());
        let mut answer = request.send().await.map_err(|error| anyhow::anyhow!(deepest(&error)))?;
        match answer.status().as_u16() {
            200 => {}
            401 => bail!("it does not take this admin's internal secret: both must have the same"),
            409 => bail!("it does not lead any more"),
            status => bail!("it answers with status {status}"),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| anyhow::anyhow!(deepest(&error)))? {
            body.extend_from_slice(&chunk);
            ensure!(body.len() <= LARGEST, "its answer is too long");
        }
        serde_json::from_slice(&body).context("its answer cannot be read: it may be of another version")
    }

    /// The lock of whoever leads.
    async fn leader(&self, now: Timestamp) -> anyhow::Result<LockRecord> {
        let Some(lock) = self.store.lock().await.context("the store does not say who leads")? else {
            bail!("no admin has led this pool yet");
        };
        ensure!(lock.until + VOID_FOR >= now, "no admin leads this pool now");
        Ok(lock)
    }
}

/// "connection refused" is at the bottom of the chain; what stands above it repeats the address.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

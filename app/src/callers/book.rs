//! What the store says of tokens, kept for as long as it may be believed: three seconds after it was asked.
//!
//! Tokens in use are read anew every second, all together, so a request with one of them asks nobody; and one that was
//! revoked is good nowhere three seconds later, whatever becomes of the store meanwhile.
//!
//! A token that is not in the book is asked for in a queue: one read at a time for all that wait, and not more than
//! fifty in a second. What is not found is not kept. So a flood of made-up tokens fills no memory and cannot hurt the store; it
//! makes those wait who come with a token for the first time, not those who are known.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use common::clock;
use common::model::{Token, TokenHash, TokenId};
use common::store::{SharedStore, StoreResult};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;

use crate::lease_ops::Trouble;

/// What was read longer ago is not believed: "revoked" means gone within seconds.
const BELIEVED: Duration = Duration::from_secs(3);

/// Between two reads of all tokens in use: two more may fail or be slow before one of them is too old.
const AGAIN: Duration = Duration::from_secs(1);

/// Between two reads of tokens that are not in the book.
const PAUSE: Duration = Duration::from_millis(20);

/// Most tokens in one read.
const GROUP: usize = 256;

/// Most requests that wait for such a read: a third of a second's worth.
const WAITING: usize = 4_096;

/// Most tokens in the book, some 400 bytes each. Those beyond are asked for each time.
const KEPT: usize = 20_000;

/// How exactly the store knows when a token was last used; a write for every request would be too many.
const NOTED: Duration = Duration::from_secs(300);

/// What is known of tokens.
pub struct TokenBook {
    store: SharedStore,
    pages: RwLock<HashMap<TokenHash, Page>>,
    asked: mpsc::Sender<Ask>,
}

struct Page {
    token: Arc<Token>,
    /// When the read began that this is from.
    read_at: Instant,
    used: AtomicBool,
}

struct Ask {
    hash: TokenHash,
    tell: oneshot::Sender<StoreResult<Option<Arc<Token>>>>,
}

impl TokenBook {
    /// An empty book, kept up to date until `closing` turns true. Must be called in the runtime that is to do this.
    pub fn open(store: SharedStore, closing: watch::Receiver<bool>) -> Arc<TokenBook> {
        let (asked, asks) = mpsc::channel(WAITING);
        let book = Arc::new(TokenBook { store, pages: RwLock::default(), asked });
        let (asking, mut until) = (book.clone(), closing.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = asking.answer(asks) => {}
                _ = until.wait_for(|closing| *closing) => {}
            }
        });
        let (again, mut until) = (book.clone(), closing);
        tokio::spawn(async move {
            tokio::select! {
                () = again.keep_up() => {}
                _ = until.wait_for(|closing| *closing) => {}
            }
        });
        book
    }

    /// The token with this hash, whatever its state.
    pub async fn find(&self, hash: TokenHash) -> Result<Option<Arc<Token>>, Trouble> {
        if let Some(token) = self.known(hash) {
            return Ok(Some(token));
        }
        let busy = |why: &str| Trouble::Unavailable(why.to_owned());
        let (tell, told) = oneshot::channel();
        self.asked.try_send(Ask { hash, tell }).map_err(|_| busy("too many unknown tokens are being looked up"))?;
        Ok(told.await.map_err(|_| busy("the server is stopping"))??)
    }

    fn known(&self, hash: TokenHash) -> Option<Arc<Token>> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(&hash).filter(|page| page.read_at.elapsed() < BELIEVED)?;
        if !page.used.load(Ordering::Relaxed) {
            page.used.store(true, Ordering::Relaxed);
        }
        Some(page.token.clone())
    }

    async fn answer(&self, mut asks: mpsc::Receiver<Ask>) {
        let mut group = Vec::with_capacity(GROUP);
        while asks.recv_many(&mut group, GROUP).await > 0 {
            let began = Instant::now();
            let hashes: HashSet<TokenHash> = group.iter().map(|ask| ask.hash).collect();
            let hashes: Vec<TokenHash> = hashes.into_iter().collect();
            let read = self.read(&hashes).await;
            if let Ok(found) = &read {
                self.keep(found.values(), began);
            }
            for ask in group.drain(..) {
                let _ = ask.tell.send(match &read {
                    Ok(found) => Ok(found.get(&ask.hash).cloned()),
                    Err(error) => Err(common::store::StoreError::Unavailable(error.to_string())),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn keep_up(&self) {
        loop {
            tokio::time::sleep(AGAIN).await;
            self.look_again().await;
        }
    }

    /// Reads what was used since the last time anew, and forgets what was not.
    async fn look_again(&self) {
        let used = self.used();
        let mut to_note: Vec<TokenId> = Vec::new();
        let now = clock::now();
        for group in used.chunks(GROUP) {
            let began = Instant::now();
            match self.read(group).await {
                Ok(found) => {
                    let unnoted = |token: &&Arc<Token>| token.used_at.is_none_or(|at| now.since(at) >= NOTED);
                    to_note.extend(found.values().filter(unnoted).map(|token| token.id.clone()));
                    let gone = group.iter().filter(|hash| !found.contains_key(hash));
                    let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
                    gone.for_each(|hash| drop(pages.remove(hash)));
                    drop(pages);
                    self.keep(found.values(), began);
                }
                // Whoever comes when they are too old asks for herself, and is told.
                Err(error) => warn!(%error, "tokens could not be read again"),
            }
        }
        for group in to_note.chunks(GROUP) {
            if let Err(error) = self.store.use_tokens(group, now).await {
                warn!(%error, "when tokens were last used could not be noted");
            }
        }
    }

    fn used(&self) -> Vec<TokenHash> {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|_, page| page.used.load(Ordering::Relaxed) || page.read_at.elapsed() < BELIEVED);
        pages.iter().filter(|(_, page)| page.used.swap(false, Ordering::Relaxed)).map(|(hash, _)| *hash).collect()
    }

    async fn read(&self, hashes: &[TokenHash]) -> StoreResult<HashMap<TokenHash, Arc<Token>>> {
        let found = self.store.tokens_by_hash(hashes).await?;
        Ok(found.into_iter().map(|token| (token.hash, Arc::new(token))).collect())
    }

    fn keep<'a>(&self, found: impl Iterator<Item = &'a Arc<Token>>, read_at: Instant) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        for token in found {
            let used = match pages.get(&token.hash) {
                // A read that began later has been here already.
                Some(page) if page.read_at > read_at => continue,
                Some(page) => page.used.load(Ordering::Relaxed),
                None if pages.len() >= KEPT => continue,
                None => true,
            };
            pages.insert(token.hash, Page { token: token.clone(), read_at, used: AtomicBool::new(used) });
        }
    }
}

#[cfg(test)]
#[path = "book_test.rs"]
mod tests;

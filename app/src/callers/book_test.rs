use common::model::{Actor, Event, EventKind, Revoked, TokenKind, TokenText};
use common::store::{StoreTarget, StoreUser, open};

use super::*;

fn event() -> Event {
    Event::new(clock::now(), EventKind::Access, Actor::Reconciler, "a test")
}

fn token(text: &TokenText) -> Token {
    Token {
        id: TokenId::random(),
        kind: TokenKind::Service,
        name: "test".into(),
        hash: text.hash(),
        leases_max: None,
        created_at: clock::now(),
        created_by: "ada".into(),
        expires_at: None,
        revoked: None,
        used_at: None,
    }
}

struct Desk {
    book: Arc<TokenBook>,
    store: SharedStore,
    _open: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

async fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let target = StoreTarget::Sqlite { path: folder.path().join("pool.db") };
    let store = open(&target, StoreUser::App).await.unwrap();
    let (open, closing) = watch::channel(false);
    Desk { book: TokenBook::open(store.clone(), closing), store, _open: open, _folder: folder }
}

impl Desk {
    async fn add(&self) -> Token {
        let token = token(&TokenText::random());
        self.store.insert_token(&token, event()).await.unwrap();
        token
    }

    async fn revoke(&self, token: &Token) {
        let revoked = Revoked { at: clock::now(), by: "ada".into() };
        self.store.revoke_token(&token.id, &revoked, event()).await.unwrap();
    }

    fn pages(&self) -> usize {
        self.book.pages.read().unwrap().len()
    }
}

#[tokio::test]
async fn a_known_token_is_answered_without_the_store() {
    let desk = desk().await;
    let token = desk.add().await;
    assert_eq!(desk.book.find(token.hash).await.unwrap().as_deref(), Some(&token));
    desk.store.close().await;
    for _ in 0..100 {
        assert!(desk.book.find(token.hash).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_and_not_kept() {
    let desk = desk().await;
    let asks = (0..1_000).map(|_| desk.book.find(TokenText::random().hash()));
    for answer in futures_util::future::join_all(asks).await {
        assert!(answer.unwrap().is_none());
    }
    assert_eq!(desk.pages(), 0);
    let token = desk.add().await;
    assert!(desk.book.find(token.hash).await.unwrap().is_some(), "one that is made later is found at once");
}

#[tokio::test]
async fn more_than_may_wait_are_told_to_come_again() {
    let desk = desk().await;
    let asks = (0..WAITING + GROUP + 100).map(|_| desk.book.find(TokenText::random().hash()));
    let answers = futures_util::future::join_all(asks).await;
    let busy = answers.iter().filter(|answer| matches!(answer, Err(Trouble::Unavailable(_)))).count();
    assert!((1..=GROUP + 100).contains(&busy), "{busy}");
}

#[tokio::test]
async fn the_next_look_shows_that_a_token_was_revoked_and_notes_its_use() {
    let desk = desk().await;
    let (token, idle) = (desk.add().await, desk.add().await);
    for one in [&token, &idle] {
        desk.book.find(one.hash).await.unwrap();
    }
    desk.book.look_again().await;
    let used = desk.store.token(&token.id).await.unwrap().unwrap().used_at;
    assert!(used.is_some());
    desk.book.find(token.hash).await.unwrap();
    desk.revoke(&token).await;
    desk.book.look_again().await;
    assert!(desk.book.find(token.hash).await.unwrap().unwrap().revoked.is_some());
    assert_eq!(desk.store.token(&token.id).await.unwrap().unwrap().used_at, used, "not for every use");
}

/// However the store fares: what is older than that is not believed.
#[tokio::test]
async fn what_was_read_too_long_ago_is_asked_for_anew() {
    let desk = desk().await;
    let token = desk.add().await;
    desk.book.find(token.hash).await.unwrap();
    let Some(long_ago) = Instant::now().checked_sub(BELIEVED) else { return };
    desk.book.pages.write().unwrap().get_mut(&token.hash).unwrap().read_at = long_ago;
    desk.revoke(&token).await;
    assert!(desk.book.find(token.hash).await.unwrap().unwrap().revoked.is_some());
    desk.book.pages.write().unwrap().get_mut(&token.hash).unwrap().read_at = long_ago;
    desk.store.close().await;
    assert!(matches!(desk.book.find(token.hash).await, Err(Trouble::Unavailable(_))));
}

#[tokio::test]
async fn what_nobody_uses_is_forgotten() {
    let desk = desk().await;
    let token = desk.add().await;
    desk.book.find(token.hash).await.unwrap();
    desk.book.look_again().await;
    assert_eq!(desk.pages(), 1);
    let Some(long_ago) = Instant::now().checked_sub(BELIEVED) else { return };
    desk.book.pages.write().unwrap().get_mut(&token.hash).unwrap().read_at = long_ago;
    desk.book.look_again().await;
    assert_eq!(desk.pages(), 0);
}

/// A slow read must not put back what a later one has shown to be otherwise.
#[tokio::test]
async fn of_two_reads_the_one_that_began_later_counts() {
    let desk = desk().await;
    let token = desk.add().await;
    let (early, late) = (Instant::now(), Instant::now() + Duration::from_millis(1));
    let revoked = Token { revoked: Some(Revoked { at: clock::now(), by: "ada".into() }), ..token.clone() };
    desk.book.keep([&Arc::new(revoked)].into_iter(), late);
    desk.book.keep([&Arc::new(token.clone())].into_iter(), early);
    assert!(desk.book.find(token.hash).await.unwrap().unwrap().revoked.is_some());
}

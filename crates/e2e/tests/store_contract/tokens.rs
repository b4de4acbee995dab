//! Rules of tokens.

use std::time::Duration;

use common::clock;
use common::model::{Revoked, Timestamp, Token, TokenId, TokenKind, TokenText};
use common::store::{Page, SharedStore, StoreError, TokenFilter};

use crate::home::Home;
use crate::made::{MINUTE, event, user};

/// A user's.
pub fn token(who: &str, at: Timestamp) -> Token {
    Token {
        id: TokenId::random(),
        kind: TokenKind::User { user: user(who) },
        name: "her laptop".into(),
        hash: TokenText::random().hash(),
        leases_max: Some(3),
        created_at: at,
        created_by: "ada".into(),
        expires_at: Some(at + MINUTE),
        revoked: None,
        used_at: None,
    }
}

pub fn end(at: Timestamp) -> Revoked {
    Revoked { at, by: "ada".into() }
}

async fn add(store: &SharedStore, token: &Token) {
    store.insert_token(token, event("made")).await.unwrap();
}

pub async fn a_token_is_kept_whole_and_found_by_its_hash(home: &Home) {
    let store = home.app().await;
    let one = token("ann", clock::now());
    let other = Token { kind: TokenKind::Service, leases_max: None, expires_at: None, ..token("any", clock::now()) };
    for token in [&one, &other, &one] {
        add(&store, token).await;
    }
    assert_eq!(store.token(&one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(store.token(&TokenId::random()).await.unwrap(), None);
    let mut found = store.tokens_by_hash(&[other.hash, TokenText::random().hash(), one.hash]).await.unwrap();
    found.sort_by_key(|token| token.id != one.id);
    assert_eq!(found, [one.clone(), other.clone()]);
    assert_eq!(store.tokens_by_hash(&[]).await.unwrap(), []);
    let same_hash = Token { id: TokenId::random(), ..one.clone() };
    let same_id = Token { id: one.id.clone(), ..other.clone() };
    for taken in [same_hash, same_id] {
        let refused = store.insert_token(&taken, event("made")).await;
        assert!(matches!(refused, Err(StoreError::Taken { field: "id" })), "{refused:?}");
    }
}

pub async fn tokens_are_listed_latest_first_and_by_user(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let mut all = Vec::new();
    for n in 0..7 {
        // Two of one moment, too.
        all.push(token(if n % 2 == 0 { "ann" } else { "bob" }, now + Duration::from_secs(n / 2)));
        add(&store, &all[all.len() - 1]).await;
    }
    all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let listed = async |of: Option<&str>| {
        let filter = TokenFilter { user: of.map(user) };
        let (mut page, mut listed) = (Page::first(2), Vec::new());
        loop {
            let part = store.list_tokens(&filter, &page).await.unwrap();
            let Some(last) = part.last() else { return listed };
            page.after = Some(last.id.to_string());
            listed.extend(part);
        }
    };
    assert_eq!(listed(None).await, all);
    all.retain(|token| token.kind.user() == Some(&user("ann")));
    assert_eq!(listed(Some("ann")).await, all);
    assert_eq!(listed(Some("eve")).await, []);
    let nowhere = Page { after: Some(TokenId::random().to_string()), limit: 2 };
    assert!(matches!(store.list_tokens(&TokenFilter::default(), &nowhere).await, Err(StoreError::NotFound(_))));
}

pub async fn a_token_is_ended_once(home: &Home) {
    let store = home.app().await;
    let one = token("ann", clock::now());
    add(&store, &one).await;
    let first = end(clock::now());
    store.revoke_token(&one.id, &first, event("ended")).await.unwrap();
    let second = Revoked { by: "otto".into(), ..end(clock::now() + MINUTE) };
    store.revoke_token(&one.id, &second, event("ended again")).await.unwrap();
    let ended = Token { revoked: Some(first), ..one };
    assert_eq!(store.token(&ended.id).await.unwrap().as_ref(), Some(&ended));
    assert_eq!(store.tokens_by_hash(&[ended.hash]).await.unwrap(), std::slice::from_ref(&ended));
    let events = store.list_events(&Default::default(), &Page::first(10)).await.unwrap();
    assert!(events.iter().all(|event| event.reason != "ended again"));
    let nobody = store.revoke_token(&TokenId::random(), &second, event("x")).await;
    assert!(matches!(nobody, Err(StoreError::NotFound("token"))));
}

pub async fn uses_of_tokens_only_move_on(home: &Home) {
    let store = home.app().await;
    let now = clock::now();
    let (one, other) = (token("ann", now), token("bob", now));
    for token in [&one, &other] {
        add(&store, token).await;
    }
    let used = async |token: &Token| store.token(&token.id).await.unwrap().unwrap().used_at;
    store.use_tokens(&[one.id.clone(), TokenId::random()], now + MINUTE).await.unwrap();
    assert_eq!((used(&one).await, used(&other).await), (Some(now + MINUTE), None));
    store.use_tokens(&[one.id.clone(), other.id.clone()], now).await.unwrap();
    assert_eq!((used(&one).await, used(&other).await), (Some(now + MINUTE), Some(now)));
}

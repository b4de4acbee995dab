//! Tokens for the users' API: made, listed, ended.

use common::model::{Event, EventKind, Revoked, Timestamp, Token, TokenId, TokenText};
use common::store::{Page, Store, StoreError, TokenFilter};

use super::lists::part;
use super::{Done, Listed, Operations, Refusal, TokenInput, not_there, operator, to_the_minute};

/// A token with its text, which nobody will be told again.
#[derive(Debug)]
pub struct MadeToken {
    /// As the store has it.
    pub token: Token,
    /// For its holder.
    pub text: TokenText,
}

/// Makes a token.
pub async fn make_token(store: &dyn Store, input: &TokenInput, by: &str, now: Timestamp) -> Result<MadeToken, Refusal> {
    let new = input.check(now)?;
    let text = TokenText::random();
    let token = Token {
        id: new.id,
        kind: new.kind,
        name: new.name,
        hash: text.hash(),
        leases_max: new.leases_max,
        created_at: now,
        created_by: by.to_owned(),
        expires_at: new.expires_at,
        revoked: None,
        used_at: None,
    };
    let until = token.expires_at.map_or_else(|| "without end".to_owned(), |at| format!("until {}", to_the_minute(at)));
    let said = format!("made {} for {}, {until}", named(&token), token.kind);
    match store.insert_token(&token, about(&token, said, by, now)).await {
        Ok(()) => Ok(MadeToken { token, text }),
        Err(StoreError::Taken { .. }) => Err(Refusal::Conflict(
            "This form was sent before and made its token then, whose text was shown once. If you do not have it, revoke \
             that token and make another."
                .into(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Ends a token, for ever. One that was ended before is fine.
pub async fn revoke_token(store: &dyn Store, id: &TokenId, by: &str, now: Timestamp) -> Result<Done, Refusal> {
    let token = store.token(id).await?.ok_or(Refusal::NoSuch("token"))?;
    if token.revoked.is_some() {
        return Ok(Done::said(format!("It was revoked before: {}.", named(&token))));
    }
    let event = about(&token, format!("revoked {} of {}", named(&token), token.kind), by, now);
    store.revoke_token(id, &Revoked { at: now, by: by.to_owned() }, event).await?;
    Ok(Done::said(format!("Revoked {}: within seconds it is good nowhere.", named(&token))))
}

impl Operations {
    /// Tokens, latest made first.
    pub async fn tokens(&self, filter: &TokenFilter, page: &Page) -> Result<Listed<Token>, Refusal> {
        let items = self.store.list_tokens(filter, page).await.map_err(|error| not_there(error, "token"))?;
        Ok(part(items, page, |token| token.id.to_string()))
    }

    /// One token.
    pub async fn token(&self, id: &TokenId) -> Result<Token, Refusal> {
        self.store.token(id).await?.ok_or(Refusal::NoSuch("token"))
    }
}

/// By its name, else its id.
fn named(token: &Token) -> String {
    if token.name.is_empty() { format!("the token {}", token.id) } else { format!("the token \"{}\"", token.name) }
}

fn about(token: &Token, said: String, by: &str, now: Timestamp) -> Event {
    let mut event = Event::new(now, EventKind::Access, operator(by), said);
    event.user = token.kind.user().cloned();
    event
}

//! Tokens. When they were last used is kept apart, because app writes that, and may not write tokens.

use std::collections::HashMap;

use mongodb::bson::{Bson, Document, doc, serialize_to_document};
use mongodb::options::FindOptions;

use super::db::Db;
use super::{error, setup, shape};
use crate::model::{Revoked, Timestamp, Token, TokenHash, TokenId};
use crate::store::{Page, StoreError, StoreResult, TokenFilter};

impl Db {
    /// Whether it was added; `false` when the very same is there.
    pub(super) async fn insert_token(&self, token: &Token) -> StoreResult<bool> {
        let Err(fault) = self.timed(self.tokens.insert_one(shape::write(token)?)).await else {
            return Ok(true);
        };
        let Some(message) = error::duplicate(&fault) else {
            return Err(error::db(fault));
        };
        match self.token(&token.id).await? {
            Some(found) if found == *token => Ok(false),
            None if setup::violated(message, &["_id_"]).is_some() => Err(error::unsettled("token")),
            Some(_) | None => Err(StoreError::Taken { field: "id" }),
        }
    }

    pub(super) async fn token(&self, id: &TokenId) -> StoreResult<Option<Token>> {
        let found = self.by_id(&self.tokens, id.as_str()).await?;
        Ok(self.with_uses(found.into_iter().collect()).await?.pop())
    }

    pub(super) async fn tokens_by_hash(&self, hashes: &[TokenHash]) -> StoreResult<Vec<Token>> {
        let texts: Vec<String> = hashes.iter().map(TokenHash::to_string).collect();
        let found = self.find(&self.tokens, doc! { "hash": { "$in": texts } }, FindOptions::default()).await?;
        self.with_uses(found).await
    }

    pub(super) async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> StoreResult<Vec<Token>> {
        let mut query = doc! {};
        if let Some(user) = &filter.user {
            query.insert("kind.user", user.as_str());
        }
        if let Some(place) = self.place(&self.tokens, page.after.as_ref(), "token to go on after").await? {
            let (at, id) = (place.get("created_at").cloned().unwrap_or(Bson::Null), place.get("_id").cloned());
            let earlier = doc! { "created_at": { "$lt": at.clone() } };
            let same = doc! { "created_at": at, "_id": { "$lt": id.unwrap_or(Bson::Null) } };
            query.insert("$or", vec![earlier, same]);
        }
        let newest =
            FindOptions::builder().sort(doc! { "created_at": -1, "_id": -1 }).limit(i64::from(page.limit)).build();
        let found = self.find(&self.tokens, query, newest).await?;
        self.with_uses(found).await
    }

    async fn with_uses(&self, found: Vec<Document>) -> StoreResult<Vec<Token>> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = found.iter().filter_map(|token| token.get_str("_id").ok()).collect();
        let uses = self.find(&self.token_uses, doc! { "_id": { "$in": ids } }, FindOptions::default()).await?;
        let uses = uses_by_token(&uses);
        found.into_iter().map(|token| read_token(token, &uses)).collect()
    }

    /// Whether this ended it; `false` when it had been ended before.
    pub(super) async fn revoke_token(&self, id: &TokenId, revoked: &Revoked) -> StoreResult<bool> {
        let revoked = serialize_to_document(revoked)
            .map_err(|error| StoreError::Broken(format!("a token's end cannot be written: {error}")))?;
        let query = doc! { "_id": id.as_str(), "revoked": null };
        let end = self.tokens.update_one(query, doc! { "$set": { "revoked": revoked } });
        if self.timed(end).await.map_err(error::db)?.matched_count == 1 {
            return Ok(true);
        }
        match self.token(id).await? {
            None => Err(StoreError::NotFound("token")),
            Some(found) if found.revoked.is_some() => Ok(false),
            Some(_) => Err(error::unsettled("token")),
        }
    }

    pub(super) async fn use_tokens(&self, ids: &[TokenId], at: Timestamp) -> StoreResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let later = |id: &TokenId| {
            doc! { "q": { "_id": id.as_str() }, "u": { "$max": { "used_at": at.as_millis() } }, "upsert": true }
        };
        let updates = ids.iter().map(later).collect();
        self.update(&self.token_uses, updates).await.map_err(error::db).and_then(error::all_done)
    }
}

/// When tokens were last used, by their ids.
pub(super) type Uses = HashMap<String, Timestamp>;

pub(super) fn uses_by_token(found: &[Document]) -> Uses {
    let used = |one: &Document| {
        Some((one.get_str("_id").ok()?.to_owned(), Timestamp::from_millis(one.get_i64("used_at").ok()?)))
    };
    found.iter().filter_map(used).collect()
}

/// A token with its last use. One that was restored, or used by a program of before, has one of its own: the later counts.
pub(super) fn read_token(document: Document, uses: &Uses) -> StoreResult<Token> {
    let token: Token = shape::read(document)?;
    let used_at = token.used_at.max(uses.get(token.id.as_str()).copied());
    Ok(Token { used_at, ..token })
}

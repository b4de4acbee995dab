//! Tokens.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{json, sql, violated};
use crate::model::{Revoked, Timestamp, Token, TokenHash, TokenId, UserId};
use crate::store::{Page, StoreError, StoreResult, TokenFilter};

fn token(body: String) -> StoreResult<Token> {
    serde_json::from_str(&body).map_err(json("a token"))
}

/// Whether it was added; `false` when the very same is there.
pub(super) fn insert(conn: &Connection, token: &Token) -> StoreResult<bool> {
    let body = serde_json::to_string(token).map_err(json("a token"))?;
    let added = conn
        .prepare_cached("INSERT INTO token (id, body) VALUES (?1, ?2)")
        .map_err(sql)?
        .execute(params![token.id.as_str(), body]);
    match added {
        Ok(_) => Ok(true),
        Err(error) if violated(&error).is_some() => match by_id(conn, &token.id)? {
            Some(found) if found == *token => Ok(false),
            _ => Err(StoreError::Taken { field: "id" }),
        },
        Err(error) => Err(sql(error)),
    }
}

pub(super) fn by_id(conn: &Connection, id: &TokenId) -> StoreResult<Option<Token>> {
    conn.prepare_cached("SELECT body FROM token WHERE id = ?1")
        .and_then(|mut find| find.query_row([id.as_str()], |row| row.get(0)).optional())
        .map_err(sql)?
        .map(token)
        .transpose()
}

pub(super) fn by_hash(conn: &Connection, hashes: &[TokenHash]) -> StoreResult<Vec<Token>> {
    let mut find = conn.prepare_cached("SELECT body FROM token WHERE hash = ?1").map_err(sql)?;
    let mut found = Vec::new();
    for hash in hashes {
        let body = find.query_row([hash.to_string()], |row| row.get(0)).optional().map_err(sql)?;
        found.extend(body.map(token).transpose()?);
    }
    Ok(found)
}

pub(super) fn list(conn: &Connection, filter: &TokenFilter, page: &Page) -> StoreResult<Vec<Token>> {
    let (created_at, id) = match &page.after {
        // No id is greater than this: they are hexadecimal.
        None => (i64::MAX, "~".to_owned()),
        Some(after) => {
            let place = conn
                .prepare_cached("SELECT created_at FROM token WHERE id = ?1")
                .and_then(|mut find| find.query_row([after], |row| row.get(0)).optional())
                .map_err(sql)?;
            (place.ok_or(StoreError::NotFound("token to go on after"))?, after.clone())
        }
    };
    let user = filter.user.as_ref().map(UserId::as_str);
    let which = if user.is_some() { "user = ?1" } else { "?1 IS NULL" };
    let text = format!(
        "SELECT body FROM token WHERE {which} AND (created_at, id) < (?2, ?3)
         ORDER BY created_at DESC, id DESC LIMIT ?4"
    );
    let bodies = conn
        .prepare_cached(&text)
        .and_then(|mut list| {
            list.query_map(params![user, created_at, id, page.limit], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
        })
        .map_err(sql)?;
    bodies.into_iter().map(token).collect()
}

/// Whether this ended it; `false` when it had been ended before.
pub(super) fn revoke(conn: &Connection, id: &TokenId, revoked: &Revoked) -> StoreResult<bool> {
    let found = by_id(conn, id)?.ok_or(StoreError::NotFound("token"))?;
    if found.revoked.is_some() {
        return Ok(false);
    }
    let ended = Token { revoked: Some(revoked.clone()), ..found };
    let body = serde_json::to_string(&ended).map_err(json("a token"))?;
    conn.prepare_cached("UPDATE token SET body = ?2 WHERE id = ?1")
        .and_then(|mut change| change.execute(params![id.as_str(), body]))
        .map(|_| true)
        .map_err(sql)
}

pub(super) fn note_use(conn: &Connection, ids: &[TokenId], at: Timestamp) -> StoreResult<()> {
    let mut note = conn
        .prepare_cached(
            "UPDATE token SET body = json_set(body, '$.used_at', max(?2, coalesce(json_extract(body, '$.used_at'), ?2)))
             WHERE id = ?1",
        )
        .map_err(sql)?;
    for id in ids {
        note.execute(params![id.as_str(), at.as_millis()]).map_err(sql)?;
    }
    Ok(())
}

//! Parameters that v1 and v2 read alike.

use actix_web::http::header::HeaderMap;
use common::model::{IdempotencyKey, UserId};
use common::store::Holding;

use super::{Failure, Params};
use crate::callers::{Caller, NotHers};

/// The user: whom the call names, else whose token it is, else it is `missing`. A user id that breaks a rule is refused
/// with the rule, and that of somebody else to a user's token.
pub fn user_id(params: &Params, caller: &Caller, missing: &str) -> Result<UserId, Failure> {
    let refuse = |text: String| Failure::refused(text).with(params.arguments());
    let text = params.filled("user_id")?;
    let named = text.map(|text| UserId::parse(&text)).transpose().map_err(|rule| refuse(format!("user_id {rule}")))?;
    caller.user(named).map_err(not_hers)?.ok_or_else(|| refuse(missing.to_owned()))
}

/// Another user was named.
pub fn not_hers(NotHers { caller }: NotHers) -> Failure {
    Failure::coded(403, format!("this token is for user_id {caller} only"))
}

/// She is at her limit.
pub fn too_many(user: &UserId, held: u32, most: u32) -> Failure {
    Failure::coded(429, format!("{user} holds {held} of at most {most}: release one first"))
}

/// Her key gave her one that she has no more.
pub fn ended(user: &UserId) -> Failure {
    Failure::coded(409, format!("{user} has released what this Idempotency-Key gave: use another key"))
}

/// By what an apply is known when it comes again: nginx gives every request one that its client gave none, and repeats it with
/// the same when an app died in the middle.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Failure> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().and_then(|text| IdempotencyKey::parse(text).ok());
    key.map(Some).ok_or_else(|| Failure::refused("Idempotency-Key must be 1 to 128 visible ASCII characters"))
}

/// What `another` (`new` in v1, `allow_multiple` in v2) says about clusters that the user holds already.
pub fn held_or_new(params: &Params, another: &str) -> Result<Holding, Failure> {
    Ok(if params.truth(another)?.unwrap_or(false) { Holding::GiveAnother } else { Holding::GiveSame })
}

/// Whether a cluster was to be named and was not (`cluster_id=`): whoever meant one must not get all of hers released.
pub fn names_no_cluster(params: &Params) -> Result<bool, Failure> {
    Ok(params.given("cluster_id")?.is_some_and(|text| text.is_empty()) && params.filled("user_id")?.is_none())
}

//! `/api/v1/tokens`: what programs show to the users' service, for admins.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use common::model::{Timestamp, Token, TokenId, UserId};
use common::store::TokenFilter;
use serde_json::{Value, json};

use super::Part;
use super::operators::{end, text};
use crate::access::SignedIn;
use crate::input::{Object, Query};
use crate::operations::{Refusal, TokenInput, limit_of, make_token, page_of, revoke_token, token_state};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: latest made first; `user`.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["user", "after", "limit"])?;
    let user = query.get("user").map(UserId::parse).transpose().map_err(|why| Refusal::field("user", why.0))?;
    let page = page_of(query.get("after"), limit_of(query.get("limit"))?)?;
    let listed = state.operations.tokens(&TokenFilter { user }, &page).await?;
    let now = state.now();
    Ok(HttpResponse::Ok().json(Part::of(listed, |token| shape(token, now))))
}

/// `GET` of one.
pub async fn show(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(shape(&state.operations.token(&token_id(&id)?).await?, state.now())))
}

/// `POST`: makes one; the answer has its text, which is told this once.
pub async fn make(who: SignedIn, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let most = body.number("leases_max").map_err(|fault| faults.push(fault)).ok().flatten();
    let input = TokenInput {
        id: text(&mut body, "id", &mut faults),
        kind: text(&mut body, "kind", &mut faults),
        user: text(&mut body, "user", &mut faults),
        name: text(&mut body, "name", &mut faults),
        expires: text(&mut body, "expires", &mut faults),
        leases_max: most.map(|most| most.to_string()).unwrap_or_default(),
    };
    end(body, faults)?;
    let now = state.now();
    let made = make_token(state.store.as_ref(), &input, &who.operator.username, now).await?;
    let mut shape = shape(&made.token, now);
    shape["token"] = made.text.expose().into();
    let location = format!("/api/v1/tokens/{}", made.token.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(shape))
}

/// `DELETE`: revokes one. Its record stays.
pub async fn revoke(who: SignedIn, state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    revoke_token(state.store.as_ref(), &token_id(&id)?, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A token without its hash.
fn shape(token: &Token, now: Timestamp) -> Value {
    let time = |at: Timestamp| at.to_string();
    json!({
        "id": token.id, "kind": token.kind.as_str(), "user": token.kind.user(), "name": token.name,
        "state": token_state(token.state(now)), "leases_max": token.leases_max,
        "created_at": time(token.created_at), "created_by": token.created_by,
        "expires_at": token.expires_at.map(time), "used_at": token.used_at.map(time),
        "revoked_at": token.revoked.as_ref().map(|end| time(end.at)),
        "revoked_by": token.revoked.as_ref().map(|end| &end.by),
    })
}

fn token_id(text: &str) -> Result<TokenId, Refusal> {
    TokenId::parse(text).map_err(|_| Refusal::NoSuch("token"))
}

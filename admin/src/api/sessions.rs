//! `/api/v1/sessions`: where the caller herself is signed in.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::{Session, SessionId};
use serde_json::{Value, json};

use crate::access::{SESSION_COOKIE, SignedIn, removal_cookie};
use crate::input::Query;
use crate::problem::Problem;
use crate::server::State;

/// `GET`: latest used first.
pub async fn list(who: SignedIn, state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let all = state.operations.sessions(&who.operator, state.now()).await?;
    let items: Vec<Value> = all.iter().map(|session| shape(session, &who)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": null })))
}

/// `DELETE` of one.
pub async fn end(who: SignedIn, state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    if let Ok(id) = SessionId::parse(&id) {
        state.operations.end_session(&id, &who.operator, state.now()).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE`: all of them, this one included.
pub async fn sign_out_everywhere(who: SignedIn, state: Data<State>) -> Result<HttpResponse, Problem> {
    state.operations.sign_out_everywhere(&who.operator.id, &who.operator, state.now()).await?;
    Ok(HttpResponse::NoContent().cookie(removal_cookie(SESSION_COOKIE)).finish())
}

/// A session without its token.
fn shape(session: &Session, who: &SignedIn) -> Value {
    json!({
        "id": session.id, "this": session.id == who.session.id, "created_at": session.created_at.to_string(),
        "used_at": session.used_at.to_string(), "ends_at": session.ends_at.to_string(),
        "address": session.address, "browser": session.browser,
    })
}

//! `/api/v1/session`: signing in and out by JSON.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::client;
use crate::access::{
    NewPassword, NotSignedIn, SESSION_COOKIE, SignedIn, removal_cookie, role_name, session_cookie, session_id,
};
use crate::input::Object;
use crate::operations::Refusal;
use crate::problem::{Kind, Problem};
use crate::server::State;

/// `POST`: a name and a password for a cookie and a token.
pub async fn sign_in(req: HttpRequest, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let username = body.text("username").map_err(one)?.ok_or_else(|| missing("username"))?;
    let password = body.text("password").map_err(one)?.ok_or_else(|| missing("password"))?;
    body.end()?;
    let (secret, session, operator) = state
        .door
        .sign_in(state.store.as_ref(), &username, &password, &client::seen(&req, &state.trusted_proxies), state.now())
        .await
        .map_err(problem)?;
    end_former(&req, &state).await?;
    let who = SignedIn { operator, session };
    Ok(HttpResponse::Ok()
        .cookie(session_cookie(&secret, client::is_https(&req, &state.trusted_proxies)))
        .json(shape(&who)))
}

/// `PUT` of `password`: `present` and the new one, for another cookie and token. All her other sessions end.
pub async fn change_password(
    req: HttpRequest,
    who: SignedIn,
    state: Data<State>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let present = body.text("present").map_err(one)?.ok_or_else(|| missing("present"))?;
    let chosen = body.text("password").map_err(one)?.ok_or_else(|| missing("password"))?;
    body.end()?;
    let asked = NewPassword { present: &present, chosen: &chosen };
    let from = client::seen(&req, &state.trusted_proxies);
    let changed = state.door.change_password(state.store.as_ref(), &who, &asked, &from, state.now()).await;
    let (secret, session) = changed?;
    state.operations.session_ended();
    let who = SignedIn { session, ..who };
    Ok(HttpResponse::Ok()
        .cookie(session_cookie(&secret, client::is_https(&req, &state.trusted_proxies)))
        .json(shape(&who)))
}

/// Whoever signs in again has one session, not two.
pub async fn end_former(req: &HttpRequest, state: &State) -> Result<(), Problem> {
    if let Some(former) = req.cookie(SESSION_COOKIE).and_then(|cookie| session_id(cookie.value())) {
        state.store.delete_session(&former).await?;
        state.operations.session_ended();
    }
    Ok(())
}

/// `GET`: who is signed in, and the token.
pub async fn show(who: SignedIn) -> HttpResponse {
    HttpResponse::Ok().json(shape(&who))
}

/// `DELETE`: signs out.
pub async fn sign_out(who: SignedIn, state: Data<State>) -> Result<HttpResponse, Problem> {
    state.door.sign_out(state.store.as_ref(), &who, state.now()).await?;
    state.operations.session_ended();
    Ok(HttpResponse::NoContent().cookie(removal_cookie(SESSION_COOKIE)).finish())
}

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionShape {
    username: String,
    #[schemars(extend("enum" = ["viewer", "operator", "admin"]))]
    role: &'static str,
    /// What every change must carry in the header `X-CSRF-Token`.
    csrf_token: String,
    /// When the session ends whatever is done.
    ends_at: String,
}

fn shape(who: &SignedIn) -> SessionShape {
    SessionShape {
        username: who.operator.username.clone(),
        role: role_name(who.operator.role),
        csrf_token: who.session.csrf.clone(),
        ends_at: who.session.ends_at.to_string(),
    }
}

fn one(fault: crate::operations::Fault) -> Problem {
    Refusal::Faults(vec![fault]).into()
}

fn missing(field: &str) -> Problem {
    Refusal::field(field, "is missing").into()
}

/// Why nobody was let in, as JSON has it.
pub fn problem(refused: NotSignedIn) -> Problem {
    match refused {
        NotSignedIn::Wrong => Problem::new(Kind::WrongCredentials, "The name or the password is wrong."),
        NotSignedIn::TooMany(after) => Problem::too_many(after),
        NotSignedIn::Busy => {
            Problem::busy(Duration::from_secs(1), "Too many are signing in at this moment. Try again in a few seconds.")
        }
        NotSignedIn::Store(error) => error.into(),
        NotSignedIn::Broken(error) => Problem::broken(format!("{error:#}")),
    }
}

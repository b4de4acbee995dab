//! Signing in and out.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::way_back::own_page;
use super::{page_for_anyone, see_other};
use crate::access::{NotSignedIn, SESSION_COOKIE, SIGN_IN_COOKIE, SignedIn, client, removal_cookie, session_cookie};
use crate::api::session::end_former;
use crate::input::{Form, Query};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View<'a> {
    username: &'a str,
    next: &'a str,
    csrf: &'a str,
    error: Option<String>,
    notice: Option<&'a str>,
}

/// `GET /login`
pub async fn show(req: HttpRequest, state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    let notice = match query.get("why") {
        Some("ended") => Some("Your session has ended, so nothing was changed. Sign in and try again."),
        Some("out") => Some("You are signed out."),
        Some("everywhere") => Some("You are signed out everywhere."),
        _ => None,
    };
    let next = query.get("next").unwrap_or_default();
    form(&req, &state, StatusCode::OK, "", next, None, notice)
}

/// `POST /login`
pub async fn sign_in(req: HttpRequest, state: Data<State>, fields: Form) -> Result<HttpResponse, Problem> {
    let (username, next) = (fields.text("username"), fields.text("next"));
    let came = state
        .door
        .sign_in(
            state.store.as_ref(),
            username,
            fields.raw("password"),
            &client::seen(&req, &state.trusted_proxies),
            state.now(),
        )
        .await;
    let (status, error, retry_after) = match came {
        Ok((secret, ..)) => {
            end_former(&req, &state).await?;
            let mut response = see_other(own_page(next).unwrap_or("/"));
            let session = session_cookie(&secret, client::is_https(&req, &state.trusted_proxies));
            for cookie in [session, removal_cookie(SIGN_IN_COOKIE)] {
                response.add_cookie(&cookie).map_err(Problem::broken)?;
            }
            return Ok(response);
        }
        Err(NotSignedIn::Wrong) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "The name or the password is wrong.".to_owned(), None)
        }
        Err(NotSignedIn::TooMany(after)) => {
            let problem = Problem::too_many(after);
            (problem.status, problem.detail, problem.retry_after)
        }
        Err(other) => return Err(crate::api::session::problem(other)),
    };
    let mut response = form(&req, &state, status, username, next, Some(error), None)?;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// `POST /logout`
pub async fn sign_out(who: SignedIn, state: Data<State>) -> Result<HttpResponse, Problem> {
    state.door.sign_out(state.store.as_ref(), &who, state.now()).await?;
    state.operations.session_ended();
    let mut response = see_other("/login?why=out");
    response.add_cookie(&removal_cookie(SESSION_COOKIE)).map_err(Problem::broken)?;
    Ok(response)
}

fn form(
    req: &HttpRequest,
    state: &State,
    status: StatusCode,
    username: &str,
    next: &str,
    error: Option<String>,
    notice: Option<&str>,
) -> Result<HttpResponse, Problem> {
    // A browser with two sign-in pages open keeps one token for both.
    let known = req.cookie(SIGN_IN_COOKIE).map(|cookie| cookie.value().to_owned());
    let known = known.filter(|token| token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()));
    let token = known.unwrap_or_else(|| hex::encode(rand::random::<[u8; 32]>()));
    let view = View { username, next: own_page(next).unwrap_or("/"), csrf: &token, error, notice };
    let mut response = page_for_anyone(state, status, "login.html", "Sign in", &view)?;
    let cookie = Cookie::build(SIGN_IN_COOKIE, token.as_str())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(client::is_https(req, &state.trusted_proxies))
        .finish();
    response.add_cookie(&cookie).map_err(Problem::broken)?;
    Ok(response)
}

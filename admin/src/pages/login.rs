//! Signing in and out.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

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
            let mut response = see_other(own_page(next));
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
    let view = View { username, next: own_page(next), csrf: &token, error, notice };
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

/// Where to go after signing in: a page of ours, or else the first one. What a browser, or a proxy that mends paths, might read
/// as another site (`//evil`, `/\evil`, `/..//evil`, with tabs in between or written in hexadecimal) is none of ours.
fn own_page(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let own = path.starts_with('/')
        && next.len() <= 512
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        // None of our paths has anything else in it.
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
        && !path.contains("//")
        && path.split('/').all(|part| !matches!(part, "." | ".."))
        && !path.starts_with("/login");
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn only_pages_of_ours_follow_a_sign_in() {
        for own in [
            "/",
            "/hosts",
            "/clusters?type=inused&after=0123",
            "/hosts/0123456789abcdef01234567",
            "/clusters?q=a//b/..%2F",
        ] {
            assert_eq!(own_page(own), own);
        }
        for foreign in [
            "",
            "hosts",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/hosts/../..//evil.example",
            "/hosts//evil.example",
            "/%2e%2e//evil.example",
            "/%2fevil.example",
            "/%5cevil.example",
            "/hosts/..",
            "https://evil.example",
            "javascript:alert(1)",
            "/hosts\r\nSet-Cookie: a=b",
            " /hosts",
            "/login",
        ] {
            assert_eq!(own_page(foreign), "/", "{foreign:?}");
        }
    }
}

//! Stands before every route: who is asking, may she, and did it come from our own pages.
//!
//! [`crate::routes`] says of each route what it needs; nothing else checks a role.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse};
use common::config::Secret;
use common::model::{Operator, Role, Session, SessionId};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use super::{SESSION_COOKIE, SIGN_IN_COOKIE, origin, session, session_id};
use crate::problem::{Kind, Problem};
use crate::server::State;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: health checks, styles.
    Nothing,
    /// Nothing but that the form is the one we gave to this browser: signing in.
    OwnForm,
    /// The secret that app shares with admin.
    InternalSecret,
    /// What whoever reads the metrics must show, if anything is asked of her.
    MetricsToken,
    /// Somebody who is signed in, be it with a one-time password.
    SignedIn,
    /// An operator with this role or a higher one, and with a password of her own.
    Role(Role),
}

/// How long a body of 64 KiB may take: even a poor line needs a second or two. Whoever sends slower keeps a place
/// that others need.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// For the rest of a body when the server stops: who was sending is answered, and nobody who sends slowly is waited for.
const REST_WITHIN: Duration = Duration::from_secs(1);

/// The body of a request that changes something; at most 64 KiB.
#[derive(Clone, Debug)]
pub struct Body(pub Bytes);

/// Who is asking.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Her.
    pub operator: Operator,
    /// Her session.
    pub session: Session,
}

impl SignedIn {
    /// Whether she may change hosts and clusters; pages leave out what she may not.
    pub fn operates(&self) -> bool {
        self.operator.role >= Role::Operator
    }

    /// Whether she may look after operators and tokens.
    pub fn administers(&self) -> bool {
        self.operator.role >= Role::Admin
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(req.extensions().get::<SignedIn>().cloned().ok_or_else(Problem::not_signed_in))
    }
}

/// Lets a request through to its handler if it has what the route needs.
pub async fn guard(
    needs: Needs,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(needs, &mut req).await {
        Ok(None) => next.call(req).await,
        Ok(Some(elsewhere)) => Ok(req.into_response(elsewhere)),
        Err(problem) => Ok(req.into_response(HttpResponse::from_error(problem))),
    }
}

/// Asks for nothing, and knows who is asking if she is signed in: the page that says that nothing is there has her menu.
pub async fn know(req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Ok(Some(who)) = signed_in(&req, &*state(&req)?).await {
        req.extensions_mut().insert(who);
    }
    next.call(req).await
}

/// `None`: go on. Else an answer instead of the handler's, or a refusal.
async fn admit(needs: Needs, req: &mut ServiceRequest) -> Result<Option<HttpResponse>, Error> {
    let changes = !matches!(*req.method(), Method::GET | Method::HEAD);
    if changes && needs != Needs::InternalSecret && !origin::is_own(req.headers()) {
        return Err(Problem::not_allowed("This request came from another site, so it was not carried out.").into());
    }
    let state = state(req)?;
    match needs {
        Needs::Nothing => {}
        Needs::OwnForm => {
            if changes {
                take_body(req, &state.stop).await?;
                check_own_form(req)?;
            }
        }
        Needs::InternalSecret => {
            check_secret(req.headers(), &state.internal_secret, "The internal secret is missing or wrong.")?;
            if changes {
                take_body(req, &state.stop).await?;
            }
        }
        Needs::MetricsToken => {
            if let Some(token) = &state.metrics_token {
                check_secret(req.headers(), token, "METRICS_TOKEN is missing or wrong: Authorization: Bearer ...")?;
            }
        }
        Needs::SignedIn | Needs::Role(_) => match signed_in(req, &state).await? {
            Some(who) => {
                // Known also when she is refused: the page that says no is hers.
                req.extensions_mut().insert(who.clone());
                if let Needs::Role(role) = needs {
                    if who.operator.one_time {
                        return choose_a_password(req.path()).map(Some);
                    }
                    if who.operator.role < role {
                        let why = format!("This needs the role {}; yours is {}.", name(role), name(who.operator.role));
                        return Err(Problem::not_allowed(why).into());
                    }
                }
                if changes {
                    take_body(req, &state.stop).await?;
                    check_token(req, &who.session.csrf)?;
                }
            }
            None if is_api(req.path()) => return Err(Problem::not_signed_in().into()),
            None => return Ok(Some(to_sign_in(changes, &next_page(req)))),
        },
    }
    Ok(None)
}

/// Once it is known who sends it: strangers get no memory of ours, but for the form to sign in.
async fn take_body(req: &mut ServiceRequest, stop: &CancellationToken) -> Result<(), Error> {
    let body = tokio::select! {
        biased;
        body = tokio::time::timeout(BODY_WITHIN, req.extract::<Bytes>()) => body.map_err(|_| Problem::too_slow())??,
        () = async { stop.cancelled().await; tokio::time::sleep(REST_WITHIN).await } => {
            return Err(Problem::stopping().into());
        }
    };
    req.extensions_mut().insert(Body(body));
    Ok(())
}

/// Where a password that somebody else made leads, and nowhere else.
fn choose_a_password(path: &str) -> Result<HttpResponse, Error> {
    if is_api(path) {
        let why = "This password is for one time: choose one of your own with PUT /api/v1/session/password.";
        return Err(Problem::new(Kind::PasswordNeeded, why).into());
    }
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/access/password")).finish())
}

/// Whether a path is asked for by programs and scripts: what it refuses is told in JSON.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/internal/") || path == "/openapi.json" || path == "/live"
}

/// A role's name.
pub fn name(role: Role) -> &'static str {
    role.as_str()
}

fn state(req: &ServiceRequest) -> Result<Data<State>, Problem> {
    req.app_data::<Data<State>>().cloned().ok_or_else(|| Problem::broken("the server has no state"))
}

/// The session behind the cookie, if it still holds and its operator is still there.
pub async fn signed_in(req: &ServiceRequest, state: &State) -> Result<Option<SignedIn>, Problem> {
    let Some(id) = req.cookie(SESSION_COOKIE).and_then(|cookie| session_id(cookie.value())) else {
        return Ok(None);
    };
    let who = session_holds(state, &id).await?;
    if let Some(who) = &who
        && let Some(touched) = session::touched(&who.session, state.now())
    {
        state.store.touch_session(&id, touched.used_at).await?;
    }
    Ok(who)
}

/// Whose a session is, if it still holds and its operator is still there. Looking does not count as using it.
pub async fn session_holds(state: &State, id: &SessionId) -> Result<Option<SignedIn>, Problem> {
    let Some(session) = state.store.session(id).await? else {
        return Ok(None);
    };
    let operator = state.store.operator(&session.operator).await?;
    let Some(operator) = operator.filter(|operator| session::holds(&session, operator, state.now())) else {
        state.store.delete_session(id).await?;
        return Ok(None);
    };
    Ok(Some(SignedIn { operator, session }))
}

/// The page that was asked for, to be put into a query.
fn next_page(req: &ServiceRequest) -> String {
    let page = req.uri().path_and_query().map_or("/", |path| path.as_str());
    form_urlencoded::byte_serialize(page.as_bytes()).collect()
}

/// A page asked for without a session leads to it by way of the sign-in; what would have changed something is lost.
fn to_sign_in(changes: bool, page: &str) -> HttpResponse {
    let location = match (changes, page) {
        (true, _) => "/login?why=ended".to_owned(),
        (false, "%2F") => "/login".to_owned(),
        (false, page) => format!("/login?next={page}"),
    };
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

fn check_secret(headers: &HeaderMap, secret: &Secret, refusal: &str) -> Result<(), Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if secret.is_in(given) { Ok(()) } else { Err(Problem::new(Kind::WrongSecret, refusal)) }
}

/// The token of the session: in the header for JSON, in the field `csrf` for forms.
fn check_token(req: &ServiceRequest, expected: &str) -> Result<(), Problem> {
    let given = if is_api(req.path()) {
        req.headers().get("x-csrf-token").and_then(|value| value.to_str().ok()).map(str::to_owned)
    } else {
        form_field(req, "csrf")
    };
    if given.is_some_and(|given| equal(&given, expected)) {
        return Ok(());
    }
    Err(Problem::not_allowed(if is_api(req.path()) {
        "The header X-CSRF-Token is missing or is not this session's; GET /api/v1/session tells it."
    } else {
        "This form is not from your present session, so nothing was changed. Go back, reload the page and try again."
    }))
}

/// Signing in has no session yet: the form carries what the browser's own short-lived cookie holds.
fn check_own_form(req: &ServiceRequest) -> Result<(), Problem> {
    if is_api(req.path()) {
        // Other sites can make a browser send a form, but not this type without asking us first.
        return Ok(());
    }
    let cookie = req.cookie(SIGN_IN_COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    let field = form_field(req, "csrf").unwrap_or_default();
    if cookie.len() == 64 && equal(&cookie, &field) {
        Ok(())
    } else {
        Err(Problem::not_allowed(
            "This sign-in form is too old, or the browser takes no cookies. Go back, reload the page and try again.",
        ))
    }
}

fn form_field(req: &ServiceRequest, name: &str) -> Option<String> {
    let extensions = req.extensions();
    let Body(bytes) = extensions.get::<Body>()?;
    form_urlencoded::parse(bytes).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn equal(given: &str, expected: &str) -> bool {
    !expected.is_empty() && bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
}

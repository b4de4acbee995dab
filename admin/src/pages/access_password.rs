//! Choosing another password.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Ask;
use super::flash::{self, Flash, Tone};
use crate::access::{NewPassword, NotChanged, NotSignedIn, SignedIn, client, session_cookie};
use crate::input::Form;
use crate::operations::Fault;
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    one_time: bool,
    errors: BTreeMap<String, String>,
    error: Option<String>,
}

/// `GET /access/password`
pub async fn form(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, Vec::new(), None)
}

/// `POST /access/password`
pub async fn change(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let chosen = fields.raw("password");
    if chosen != fields.raw("again") {
        return page(&ask, refused, vec![Fault::new("again", "is not the same")], None);
    }
    let asked = NewPassword { present: fields.raw("present"), chosen };
    let from = client::seen(&req, &state.trusted_proxies);
    match state.door.change_password(state.store.as_ref(), &who, &asked, &from, state.now()).await {
        Ok((secret, session)) => {
            state.operations.session_ended();
            let text = "Your password is changed. You are signed out everywhere else.".to_owned();
            let secure = client::is_https(&req, &state.trusted_proxies);
            let mut response = flash::redirect("/access", &Flash { tone: Tone::Good, text }, &session.csrf, secure);
            response.add_cookie(&session_cookie(&secret, secure)).map_err(Problem::broken)?;
            Ok(response)
        }
        Err(NotChanged::Faults(faults)) => page(&ask, refused, faults, None),
        Err(NotChanged::NotNow(NotSignedIn::TooMany(after))) => {
            page(&ask, StatusCode::TOO_MANY_REQUESTS, Vec::new(), Some(Problem::too_many(after).detail))
        }
        Err(other) => Err(other.into()),
    }
}

fn page(ask: &Ask<'_>, status: StatusCode, faults: Vec<Fault>, error: Option<String>) -> Result<HttpResponse, Problem> {
    let errors = faults.into_iter().map(|fault| (fault.field, fault.reason)).collect();
    let view = View { one_time: ask.who.operator.one_time, errors, error };
    ask.page_as(status, "access_password.html", "Change the password", "access", &view)
}

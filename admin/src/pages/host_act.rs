//! What is done with a host as a whole and needs no name typed: fill up, clean, drain, back to service, try again, cordon,
//! uncordon. Those that remove clusters ask first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Ask;
use super::host::{HoldersView, host_id};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{HostAction, Refusal};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    host: HoldersView,
    action: &'static str,
}

/// `GET /hosts/{id}/clean`, `/drain`: ask first.
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let (action, title) = match HostAction::parse(&action) {
        Some(HostAction::Clean) => (HostAction::Clean, "Clean a host"),
        Some(HostAction::Drain) => (HostAction::Drain, "Drain a host"),
        _ => return Err(Problem::not_found()),
    };
    let host = HoldersView::of(state.operations.holders(&host_id(&id)?).await?);
    let view = View { host, action: action.as_str() };
    Ask { req: &req, state: &state, who: &who }.page("host_ask.html", title, "hosts", &view)
}

/// `POST /hosts/{id}/fillup`, `/clean`, `/drain`, `/serve`, `/retry`, `/cordon`, `/uncordon`
pub async fn act(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    path: Path<(String, String)>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let action = HostAction::parse(&action).ok_or_else(Problem::not_found)?;
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let seen = fields.version()?;
    let back = super::way_back::back(&fields, &format!("/hosts/{id}"));
    match state.operations.act_on_host(&id, action, Some(seen), &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, &back)),
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, &super::way_back::back_to_list(&fields, "/hosts"))),
        Err(refusal) => ask.refused(refusal, &back),
    }
}

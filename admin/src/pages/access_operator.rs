//! One operator, for admins: her role, her password, her sessions, her end; and adding one.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{OperatorId, Role};
use serde::Serialize;

use super::access_secret::{self, Secret};
use super::words::{self, When};
use super::{Ask, see_other};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Fault, MadeOperator, OperatorInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

const ROLES: [&str; 3] = [Role::Viewer.as_str(), Role::Operator.as_str(), Role::Admin.as_str()];

#[derive(Serialize)]
struct NewView {
    username: String,
    role: String,
    roles: [&'static str; 3],
    errors: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct View {
    id: String,
    version: u64,
    username: String,
    role: &'static str,
    roles: [&'static str; 3],
    since: When,
    one_time: bool,
    sessions: usize,
    typed: String,
    error: Option<String>,
}

/// `GET /access/operators/new`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let input = OperatorInput { username: String::new(), role: Role::Viewer.as_str().into() };
    new_page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, input, Vec::new())
}

/// `POST /access/operators/new`
pub async fn add(req: HttpRequest, state: Data<State>, who: SignedIn, fields: Form) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = OperatorInput { username: fields.text("username").into(), role: fields.text("role").into() };
    match state.operations.add_operator(&input, &who.operator, state.now()).await {
        Ok(made) => {
            let title = format!("{} is an operator now", made.operator.username);
            show_password(&ask, &made, title)
        }
        Err(Refusal::Faults(faults)) => new_page(&ask, StatusCode::UNPROCESSABLE_ENTITY, input, faults),
        Err(refusal) => ask.refused(refusal, "/access"),
    }
}

/// `GET /access/operators/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = operator_id(&id)?;
    if id == who.operator.id {
        return Ok(see_other("/access"));
    }
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &id, "", None).await
}

/// `POST /access/operators/{id}/role`
pub async fn change_role(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let (ask, id) = (Ask { req: &req, state: &state, who: &who }, operator_id(&id)?);
    let role = fields.text("role");
    match state.operations.change_role(&id, role, Some(fields.version()?), &who.operator, state.now()).await {
        Ok(done) => Ok(ask.done(&done, "/access")),
        Err(refusal) => ask.refused(refusal, &address(&id)),
    }
}

/// `POST /access/operators/{id}/password`
pub async fn reset_password(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let (ask, id) = (Ask { req: &req, state: &state, who: &who }, operator_id(&id)?);
    match state.operations.reset_password(&id, Some(fields.version()?), &who.operator, state.now()).await {
        Ok(made) => {
            let title = format!("A one-time password for {}", made.operator.username);
            show_password(&ask, &made, title)
        }
        Err(refusal) => ask.refused(refusal, &address(&id)),
    }
}

/// `POST /access/operators/{id}/sign-out`
pub async fn sign_out(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (ask, id) = (Ask { req: &req, state: &state, who: &who }, operator_id(&id)?);
    match state.operations.sign_out_everywhere(&id, &who.operator, state.now()).await {
        Ok(done) => Ok(ask.done(&done, &address(&id))),
        Err(refusal) => ask.refused(refusal, &address(&id)),
    }
}

/// `POST /access/operators/{id}/delete`
pub async fn delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let (ask, id) = (Ask { req: &req, state: &state, who: &who }, operator_id(&id)?);
    let typed = fields.text("confirm");
    match state.operations.delete_operator(&id, typed, Some(fields.version()?), &who.operator, state.now()).await {
        Ok(done) => Ok(ask.done(&done, "/access")),
        Err(Refusal::Faults(faults)) => {
            let why = faults.into_iter().next().map(|fault| fault.reason);
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, typed, why).await
        }
        Err(refusal) => ask.refused(refusal, &address(&id)),
    }
}

fn show_password(ask: &Ask<'_>, made: &MadeOperator, title: String) -> Result<HttpResponse, Problem> {
    let name = &made.operator.username;
    let words = vec![
        format!("Hand it to {name} now: it is shown this once, and kept nowhere."),
        "It is good for one thing: to sign in and choose a password of one's own.".into(),
    ];
    let secret = Secret {
        title,
        label: "One-time password",
        secret: made.password.expose(),
        words,
        back: "/access",
        back_name: "To the operators",
    };
    access_secret::show(ask, &secret)
}

fn new_page(
    ask: &Ask<'_>,
    status: StatusCode,
    input: OperatorInput,
    faults: Vec<Fault>,
) -> Result<HttpResponse, Problem> {
    let errors = faults.into_iter().map(|fault| (fault.field, fault.reason)).collect();
    let view = NewView { username: input.username, role: input.role, roles: ROLES, errors };
    ask.page_as(status, "access_operator_new.html", "Add an operator", "access", &view)
}

async fn page(
    ask: &Ask<'_>,
    status: StatusCode,
    id: &OperatorId,
    typed: &str,
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let (of, now) = (ask.state.operations.operator(id).await?, ask.state.now());
    let view = View {
        id: of.id.to_string(),
        version: of.version,
        role: of.role.as_str(),
        roles: ROLES,
        since: words::when(of.created_at, now),
        one_time: of.one_time,
        sessions: ask.state.operations.sessions(&of, now).await?.len(),
        username: of.username,
        typed: typed.to_owned(),
        error,
    };
    let title = format!("Operator {}", view.username);
    ask.page_as(status, "access_operator.html", &title, "access", &view)
}

fn address(id: &OperatorId) -> String {
    format!("/access/operators/{id}")
}

fn operator_id(text: &str) -> Result<OperatorId, Refusal> {
    OperatorId::parse(text).map_err(|_| Refusal::NoSuch("operator"))
}

//! `/api/v1/operators`: who may sign in, for admins.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use common::model::{Operator, OperatorId};
use serde_json::{Value, json};

use crate::access::SignedIn;
use crate::input::{Object, Query};
use crate::operations::{Fault, MadeOperator, OperatorInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: all of them, by name.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let items: Vec<Value> = state.operations.operators().await?.iter().map(shape).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": null })))
}

/// `GET` of one.
pub async fn show(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(shape(&state.operations.operator(&operator_id(&id)?).await?)))
}

/// `POST`: adds one; the answer has the password that was made, which is told this once.
pub async fn add(who: SignedIn, state: Data<State>, mut body: Object) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let input = OperatorInput {
        username: text(&mut body, "username", &mut faults),
        role: text(&mut body, "role", &mut faults),
    };
    end(body, faults)?;
    let made = state.operations.add_operator(&input, &who.operator, state.now()).await?;
    let location = format!("/api/v1/operators/{}", made.operator.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(with_password(&made)))
}

/// `PATCH`: another `role`.
pub async fn change(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = operator_id(&id)?;
    let mut faults = Vec::new();
    let role = text(&mut body, "role", &mut faults);
    let seen = seen(&mut body, &mut faults);
    end(body, faults)?;
    state.operations.change_role(&id, &role, seen, &who.operator, state.now()).await?;
    Ok(HttpResponse::Ok().json(shape(&state.operations.operator(&id).await?)))
}

/// `POST` of `password`: makes another, which is told this once.
pub async fn reset_password(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let seen = seen(&mut body, &mut faults);
    end(body, faults)?;
    let made = state.operations.reset_password(&operator_id(&id)?, seen, &who.operator, state.now()).await?;
    Ok(HttpResponse::Ok().json(with_password(&made)))
}

/// `DELETE` of `sessions`: signs her out everywhere.
pub async fn sign_out(who: SignedIn, state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    state.operations.sign_out_everywhere(&operator_id(&id)?, &who.operator, state.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE`: with `confirm`, her name.
pub async fn delete(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let mut faults = Vec::new();
    let confirm = text(&mut body, "confirm", &mut faults);
    let seen = seen(&mut body, &mut faults);
    end(body, faults)?;
    state.operations.delete_operator(&operator_id(&id)?, &confirm, seen, &who.operator, state.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An operator without her hash.
fn shape(of: &Operator) -> Value {
    json!({
        "id": of.id, "version": of.version, "username": of.username, "role": of.role.as_str(),
        "one_time_password": of.one_time, "created_at": of.created_at.to_string(),
    })
}

fn with_password(made: &MadeOperator) -> Value {
    let mut shape = shape(&made.operator);
    shape["password"] = made.password.expose().into();
    shape
}

fn operator_id(text: &str) -> Result<OperatorId, Refusal> {
    OperatorId::parse(text).map_err(|_| Refusal::NoSuch("operator"))
}

/// A text of the body; "" when it is not there, which its reader refuses if it is needed.
pub(super) fn text(body: &mut Object, name: &str, faults: &mut Vec<Fault>) -> String {
    body.text(name).map_err(|fault| faults.push(fault)).ok().flatten().unwrap_or_default()
}

fn seen(body: &mut Object, faults: &mut Vec<Fault>) -> Option<u64> {
    body.number("version").map_err(|fault| faults.push(fault)).ok().flatten()
}

/// Refuses what was wrong with the body, and whatever else is in it.
pub(super) fn end(body: Object, mut faults: Vec<Fault>) -> Result<(), Refusal> {
    body.nothing_else(&mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Faults(faults)) }
}

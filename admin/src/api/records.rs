//! `/api/v1/records`: what stays of ended leases.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::LeaseId;

use super::{ListPart, shapes};
use crate::access::SignedIn;
use crate::input::Query;
use crate::operations::{ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: newest end first unless asked otherwise; the parameters of [`ListInput::RECORDS`].
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&ListInput::RECORDS)?;
    let found = state.operations.find_records(&ListInput(&query).records()?).await?;
    Ok(HttpResponse::Ok().json(ListPart::of(found, shapes::record)))
}

/// `GET` of one.
pub async fn show(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let record = state.store.lease_record(&lease_id(&id)?).await?.ok_or(Refusal::NoSuch("record"))?;
    Ok(HttpResponse::Ok().json(shapes::record(&record)))
}

/// `DELETE`: forgets one.
pub async fn delete(who: SignedIn, state: Data<State>, id: Path<String>) -> Result<HttpResponse, Problem> {
    state.operations.delete_record(&lease_id(&id)?, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn lease_id(text: &str) -> Result<LeaseId, Refusal> {
    LeaseId::parse(text).map_err(|_| Refusal::NoSuch("record"))
}

//! `/api/v1/evidence` and `/api/v1/clusters/{id}/evidence`: what was kept of clusters that failed.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::ClusterId;

use super::{ListPart, shapes};
use crate::input::Query;
use crate::operations::{ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: latest failure first unless asked otherwise, without logs; the parameters of [`ListInput::FAILURES`].
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&ListInput::FAILURES)?;
    let found = state.operations.find_failures(&ListInput(&query).failures()?).await?;
    Ok(HttpResponse::Ok().json(ListPart::of(found, shapes::failure)))
}

/// `GET` of one cluster, whole.
pub async fn show(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    Ok(HttpResponse::Ok().json(shapes::evidence(&state.operations.evidence(&id).await?)))
}

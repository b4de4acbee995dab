//! `/api/v1/evidence` and `/api/v1/clusters/{id}/evidence`: what was kept of clusters that failed.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::ClusterId;

use super::{Part, shapes};
use crate::input::Query;
use crate::operations::{Refusal, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: latest failure first, without logs; `host`.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["host", "after", "limit"])?;
    let page = page_of(query.get("after"), limit_of(query.get("limit"))?)?;
    let listed = state.operations.evidence_list(query.get("host"), &page).await?;
    Ok(HttpResponse::Ok().json(Part::of(listed, shapes::failure)))
}

/// `GET` of one cluster, whole.
pub async fn show(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    Ok(HttpResponse::Ok().json(shapes::evidence(&state.operations.evidence(&id).await?)))
}

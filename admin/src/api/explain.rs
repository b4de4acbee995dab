//! `/api/v1/explain` and the same below a host, a flavor, a cluster.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::{ClusterId, FlavorId};

use super::hosts::host_id;
use crate::input::Query;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// `GET`: of the pool.
pub async fn pool(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let (counts, hosts) = (state.operations.tally.counts().await?, state.operations.tally.hosts().await?);
    Ok(HttpResponse::Ok().json(state.operations.explain_pool(&hosts, &counts, state.now()).await))
}

/// `GET`: of a host.
pub async fn host(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    Ok(HttpResponse::Ok().json(state.operations.explain_host_by_id(&host_id(&id)?, state.now()).await?))
}

/// `GET`: of a flavor.
pub async fn flavor(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let id = FlavorId::parse(&id).map_err(|_| Refusal::NoSuch("flavor"))?;
    Ok(HttpResponse::Ok().json(state.operations.explain_flavor(&id, state.now()).await?))
}

/// `GET`: of a cluster.
pub async fn cluster(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    Ok(HttpResponse::Ok().json(state.operations.explain_cluster_by_id(&id, state.now()).await?))
}

//! `/api/v1/events`

use actix_web::HttpResponse;
use actix_web::web::Data;
use common::model::{ClusterId, HostId};
use common::store::EventFilter;

use super::{Part, shapes};
use crate::input::Query;
use crate::operations::{Refusal, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: newest first; `host`, `cluster`.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["host", "cluster", "after", "limit"])?;
    let page = page_of(query.get("after"), limit_of(query.get("limit"))?)?;
    let listed = state.operations.events(&filter(&query)?, &page).await?;
    Ok(HttpResponse::Ok().json(Part::of(listed, shapes::event)))
}

/// Which events a query asks for.
pub fn filter(query: &Query) -> Result<EventFilter, Refusal> {
    let host = query.get("host").map(HostId::parse).transpose();
    let cluster = query.get("cluster").map(ClusterId::parse).transpose();
    Ok(EventFilter {
        host: host.map_err(|why| Refusal::field("host", why.to_string()))?,
        cluster: cluster.map_err(|why| Refusal::field("cluster", why.to_string()))?,
        ..EventFilter::default()
    })
}

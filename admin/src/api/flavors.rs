//! `/api/v1/flavors`

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::{Part, shapes};
use crate::input::Query;
use crate::operations::Listed;
use crate::problem::Problem;
use crate::server::State;

/// `GET`: every flavor there is.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let all = Listed { items: state.catalog.flavors().to_vec(), next: None };
    Ok(HttpResponse::Ok().json(Part::of(all, shapes::flavor)))
}

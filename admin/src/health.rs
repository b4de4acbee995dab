//! Whether the service lives, and whether it can work.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::problem::Problem;
use crate::server::State;

/// `GET /healthz`: the process serves.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /readyz`: the store answers too.
pub async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    state.store.ping().await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}

//! Whether the service lives, whether it can work, and the doorbell that app rings.

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

/// `POST /internal/doorbell`: something in the store may want the reconciler's attention.
pub async fn doorbell(state: Data<State>) -> HttpResponse {
    state.reconciler.ring();
    HttpResponse::NoContent().finish()
}

/// `POST /internal/look`: every host is looked at in full, engine and records; answers when the last one's pass is over.
pub async fn look(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.reconciler.look_at_all().await)
}

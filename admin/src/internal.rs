//! `/internal`: what app and the other admins of this pool ask of the one that leads, with the secret that they share.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use common::model::HostId;

use crate::input::Query;
use crate::operations::Refusal;
use crate::problem::{Kind, Problem};
use crate::server::State;

/// `POST /internal/doorbell`: something in the store may want the reconciler's attention.
pub async fn doorbell(state: Data<State>) -> HttpResponse {
    state.reconciler.ring();
    HttpResponse::NoContent().finish()
}

/// `GET /internal/outlook`: what the reconciler of this process came to, on all hosts together or on one (`host`). For
/// admins that stand by.
pub async fn outlook(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["host"])?;
    if !state.reconciler.leads() {
        return Err(not_leading());
    }
    match query.get("host") {
        None => Ok(HttpResponse::Ok().json(state.reconciler.outlook_of_pool(state.now()))),
        Some(id) => {
            let id = HostId::parse(id).map_err(|_| Refusal::NoSuch("host"))?;
            Ok(HttpResponse::Ok().json(state.reconciler.outlook_of(&id).as_deref()))
        }
    }
}

/// A look at everything is given up after so long: a host that hangs is known to be away sooner.
const LOOK_WITHIN: Duration = Duration::from_secs(60);

/// `POST /internal/look`: every host is looked at in full, engine and records; answers when the last one's pass is over.
pub async fn look(state: Data<State>) -> Result<HttpResponse, Problem> {
    if !state.reconciler.leads() {
        return Err(not_leading());
    }
    match tokio::time::timeout(LOOK_WITHIN, state.reconciler.look_at_all()).await {
        Ok(Some(looked)) => Ok(HttpResponse::Ok().json(looked)),
        Ok(None) => {
            let why = "Everything is being looked at already; ask again when that is over.";
            Err(Problem { retry_after: Some(1), ..Problem::new(Kind::LookingAlready, why) })
        }
        Err(_) => {
            let why = format!("Not every host was looked at within {} s; they are, one by one.", LOOK_WITHIN.as_secs());
            Err(Problem { status: StatusCode::GATEWAY_TIMEOUT, ..Problem::new(Kind::TooSlow, why) })
        }
    }
}

fn not_leading() -> Problem {
    Problem::new(Kind::NotLeading, "This admin does not lead the pool.")
}

//! Deleting the record of an ended lease: asks first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::LeaseId;
use serde::Serialize;

use super::Ask;
use super::way_back::back;
use super::words::{When, when};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// The list that shows records.
const LIST: &str = "/clusters?type=released";

#[derive(Serialize)]
struct View {
    id: String,
    cluster: String,
    user: String,
    applied: When,
    ended: When,
}

/// `GET /records/{id}/delete`
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = state.store.lease_record(&lease_id(&id)?).await?.ok_or(Refusal::NoSuch("record"))?;
    let now = state.now();
    let view = View {
        id: record.lease.id.to_string(),
        cluster: record.cluster_name.to_string(),
        user: record.lease.user.to_string(),
        applied: when(record.lease.applied_at, now),
        ended: when(record.ended.at(), now),
    };
    Ask { req: &req, state: &state, who: &who }.page("record_ask.html", "Delete a record", "clusters", &view)
}

/// `POST /records/{id}/delete`
pub async fn delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let list = back(&fields, LIST);
    match state.operations.delete_record(&lease_id(&id)?, &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, &list)),
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, &list)),
        Err(refusal) => ask.refused(refusal, &list),
    }
}

fn lease_id(text: &str) -> Result<LeaseId, Refusal> {
    LeaseId::parse(text).map_err(|_| Refusal::NoSuch("record"))
}

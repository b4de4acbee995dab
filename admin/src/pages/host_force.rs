//! Deleting a host by force: says who loses what, and asks for the host's name.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Ask;
use super::confirm::{Confirming, Ways, answer};
use super::host::{HoldersView, host_id};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{ForceInput, Holders};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    host: HoldersView,
    confirming: Confirming,
}

/// `GET /hosts/{id}/force`
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let there = state.operations.holders(&host_id(&id)?).await?;
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, there, Confirming::default())
}

/// `POST /hosts/{id}/force`
pub async fn delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = ForceInput { confirm: fields.text("confirm").to_owned(), seen: Some(fields.version()?) };
    let done = state.operations.delete_host_by_force(&id, &input, &who.operator.username, state.now()).await;
    let ways = Ways { done: "/hosts", refused: &format!("/hosts/{id}/force") };
    answer(&ask, done, &input.confirm, ways, async |confirming| {
        page(&ask, StatusCode::UNPROCESSABLE_ENTITY, state.operations.holders(&id).await?, confirming)
    })
    .await
}

fn page(ask: &Ask<'_>, status: StatusCode, there: Holders, confirming: Confirming) -> Result<HttpResponse, Problem> {
    let title = format!("Delete host {} by force", there.host.settings.name);
    let view = View { host: HoldersView::of(there), confirming };
    ask.page_as(status, "host_force.html", &title, "hosts", &view)
}

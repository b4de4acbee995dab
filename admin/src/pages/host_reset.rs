//! Resetting a host: first what is ours, by the host's name; and, asked for on a page of its own, what is not ours, of
//! which the engine is asked for a list and only what is ticked there is named in the wish.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{ForeignKind, HostId};
use engine::Stranger;
use serde::Serialize;

use super::Ask;
use super::confirm::{Confirming, Ways, answer};
use super::host::{HoldersView, host_id};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::ResetInput;
use crate::problem::Problem;
use crate::server::State;

/// So much of an engine's id names a thing in the form: enough to be one thing's, and a thousand fit a form.
const ID_SHOWN: usize = 24;

#[derive(Serialize)]
struct View {
    host: HoldersView,
    /// Asked for on the second page only.
    foreign: Option<Vec<ForeignView>>,
    /// How many of them PoolManager itself consists of.
    poolmanager: usize,
    confirming: Confirming,
    /// The operator has not said that she knows what is not ours.
    unknowing: bool,
}

#[derive(Serialize)]
struct ForeignView {
    id: String,
    kind: &'static str,
    name: String,
    /// It is part of PoolManager itself.
    poolmanager: bool,
    ticked: bool,
}

impl ForeignView {
    fn of(stranger: &Stranger, ticked: Option<&[String]>) -> ForeignView {
        let thing = &stranger.thing;
        let id: String = thing.id.chars().take(ID_SHOWN).collect();
        ForeignView {
            kind: match thing.kind {
                ForeignKind::Container => "container",
                ForeignKind::Network => "network",
            },
            name: thing.name.clone(),
            poolmanager: stranger.poolmanager,
            // What PoolManager itself consists of is for nobody who did not choose it one by one.
            ticked: ticked.map_or(!stranger.poolmanager, |ticked| ticked.contains(&id)),
            id,
        }
    }
}

/// `GET /hosts/{id}/reset`
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &id, Confirming::default()).await
}

/// `POST /hosts/{id}/reset`: what is ours goes.
pub async fn reset(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = ResetInput { foreign: Vec::new(), ..input(&fields)? };
    let done = state.operations.reset_host(&id, &input, &who.operator.username, state.now()).await;
    let back = format!("/hosts/{id}");
    answer(&ask, done, &input.confirm, Ways { done: &back, refused: &back }, async |confirming| {
        page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, confirming).await
    })
    .await
}

/// `GET /hosts/{id}/foreign`: what is not ours, asked of the engine now.
pub async fn foreign(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    match state.operations.foreign(&id).await {
        Ok(found) => {
            let found = found.iter().map(|thing| ForeignView::of(thing, None)).collect();
            foreign_page(&ask, StatusCode::OK, &id, found, Confirming::default(), false).await
        }
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}/reset")),
    }
}

/// `POST /hosts/{id}/foreign`: what is ours goes, and what was ticked of what is not.
pub async fn reset_foreign(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = input(&fields)?;
    let back = format!("/hosts/{id}");
    // With what is there now: what was ticked and is gone needs no tick.
    let again = async |confirming, unknowing| match state.operations.foreign(&id).await {
        Ok(found) => {
            let found = found.iter().map(|thing| ForeignView::of(thing, Some(&input.foreign))).collect();
            foreign_page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, found, confirming, unknowing).await
        }
        Err(refusal) => ask.refused(refusal, &back),
    };
    if !fields.ticked("known") {
        return again(Confirming::typed(&input.confirm, None), true).await;
    }
    let done = state.operations.reset_host(&id, &input, &who.operator.username, state.now()).await;
    let ways = Ways { done: &back, refused: &back };
    answer(&ask, done, &input.confirm, ways, async |confirming| again(confirming, false).await).await
}

fn input(fields: &Form) -> Result<ResetInput, Problem> {
    Ok(ResetInput {
        confirm: fields.text("confirm").to_owned(),
        foreign: fields.all("foreign"),
        seen: Some(fields.version()?),
    })
}

async fn page(ask: &Ask<'_>, status: StatusCode, id: &HostId, confirming: Confirming) -> Result<HttpResponse, Problem> {
    let there = ask.state.operations.holders(id).await?;
    let title = format!("Reset host {}", there.host.settings.name);
    let host = HoldersView::of(there);
    let view = View { host, foreign: None, poolmanager: 0, confirming, unknowing: false };
    ask.page_as(status, "host_reset.html", &title, "hosts", &view)
}

async fn foreign_page(
    ask: &Ask<'_>,
    status: StatusCode,
    id: &HostId,
    found: Vec<ForeignView>,
    confirming: Confirming,
    unknowing: bool,
) -> Result<HttpResponse, Problem> {
    let there = ask.state.operations.holders(id).await?;
    let title = format!("Reset host {}, and more", there.host.settings.name);
    let poolmanager = found.iter().filter(|thing| thing.poolmanager).count();
    let view = View { host: HoldersView::of(there), foreign: Some(found), poolmanager, confirming, unknowing };
    ask.page_as(status, "host_reset.html", &title, "hosts", &view)
}

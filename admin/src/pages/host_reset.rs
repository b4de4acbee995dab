//! Resetting a host: first what is ours, by the host's name; and, asked for on a page of its own, what is not ours, of
//! which the engine is asked for a list and only what is ticked there is named in the wish.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{ForeignKind, ForeignThing, HostId};
use serde::Serialize;

use super::Ask;
use super::host::{HoldersView, host_id};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Refusal, ResetInput};
use crate::problem::Problem;
use crate::server::State;

/// So much of an engine's id names a thing in the form: enough to be one thing's, and a thousand fit a form.
const ID_SHOWN: usize = 24;

#[derive(Serialize)]
struct View {
    host: HoldersView,
    /// Asked for on the second page only.
    foreign: Option<Vec<ForeignView>>,
    typed: String,
    error: Option<String>,
    /// The operator has not said that she knows what is not ours.
    unknowing: bool,
}

#[derive(Serialize)]
struct ForeignView {
    id: String,
    kind: &'static str,
    name: String,
    ticked: bool,
}

impl ForeignView {
    fn of(thing: &ForeignThing, ticked: Option<&[String]>) -> ForeignView {
        let id: String = thing.id.chars().take(ID_SHOWN).collect();
        ForeignView {
            kind: match thing.kind {
                ForeignKind::Container => "container",
                ForeignKind::Network => "network",
            },
            name: thing.name.clone(),
            ticked: ticked.is_none_or(|ticked| ticked.contains(&id)),
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
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &id, &ResetInput::default(), None).await
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
    let input = ResetInput { foreign: Vec::new(), ..input(&fields) };
    match state.operations.reset_host(&id, &input, &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, &format!("/hosts/{id}"))),
        Err(Refusal::Faults(faults)) => {
            let why = faults.into_iter().next().map(|fault| fault.reason);
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, &input, why).await
        }
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}")),
    }
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
            foreign_page(&ask, StatusCode::OK, &id, found, &ResetInput::default(), None, false).await
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
    let input = input(&fields);
    let back = format!("/hosts/{id}");
    let unknowing = !fields.ticked("known");
    let why = if unknowing {
        None
    } else {
        match state.operations.reset_host(&id, &input, &who.operator.username, state.now()).await {
            Ok(done) => return Ok(ask.done(&done, &back)),
            Err(Refusal::Faults(faults)) => faults.into_iter().next().map(|fault| fault.reason),
            Err(refusal) => return ask.refused(refusal, &back),
        }
    };
    // With what is there now: what was ticked and is gone needs no tick.
    match state.operations.foreign(&id).await {
        Ok(found) => {
            let found = found.iter().map(|thing| ForeignView::of(thing, Some(&input.foreign))).collect();
            foreign_page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, found, &input, why, unknowing).await
        }
        Err(refusal) => ask.refused(refusal, &back),
    }
}

fn input(fields: &Form) -> ResetInput {
    ResetInput {
        confirm: fields.text("confirm").to_owned(),
        foreign: fields.all("foreign"),
        seen: fields.text("version").parse().ok(),
    }
}

async fn page(
    ask: &Ask<'_>,
    status: StatusCode,
    id: &HostId,
    input: &ResetInput,
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let there = ask.state.operations.holders(id).await?;
    let title = format!("Reset host {}", there.host.settings.name);
    let host = HoldersView::of(there);
    let view = View { host, foreign: None, typed: input.confirm.clone(), error, unknowing: false };
    ask.page_as(status, "host_reset.html", &title, "hosts", &view)
}

async fn foreign_page(
    ask: &Ask<'_>,
    status: StatusCode,
    id: &HostId,
    found: Vec<ForeignView>,
    input: &ResetInput,
    error: Option<String>,
    unknowing: bool,
) -> Result<HttpResponse, Problem> {
    let there = ask.state.operations.holders(id).await?;
    let title = format!("Reset host {}, and more", there.host.settings.name);
    let view =
        View { host: HoldersView::of(there), foreign: Some(found), typed: input.confirm.clone(), error, unknowing };
    ask.page_as(status, "host_reset.html", &title, "hosts", &view)
}

//! Configuring a host.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::Host;

use super::Ask;
use super::host::host_id;
use super::host_form::{FormView, input};
use super::way_back::back;
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Done, Fault, HostInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// `GET /hosts/{id}/configure`
pub async fn form(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let host = state.store.host(&host_id(&id)?).await?.ok_or(Refusal::NoSuch("host"))?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = HostInput::of(&host);
    page(&ask, StatusCode::OK, &host, FormView::new(&input, &[], None, &state.operations.layout), host.version)
}

/// `POST /hosts/{id}/configure`
pub async fn configure(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let seen = fields.version()?;
    let host = state.store.host(&id).await?.ok_or(Refusal::NoSuch("host"))?;
    // The daemon's URL is shown in the form and cannot be typed.
    let input = HostInput { daemon_url: host.settings.daemon_url.to_string(), ..input(&fields) };
    let again = |faults: &[Fault], why| FormView::new(&input, faults, why, &state.operations.layout);
    match state.operations.configure_host(&id, &input, Some(seen), &who.operator.username, state.now()).await {
        Ok(host) => {
            let message = format!("Host {} is configured.", host.settings.name);
            Ok(ask.done(&Done { message }, &back(&fields, &format!("/hosts/{id}"))))
        }
        Err(Refusal::Faults(faults)) => page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &host, again(&faults, None), seen),
        // Shown with what was typed, and with the version that is there now: who sends it again has read why.
        Err(Refusal::Conflict(why)) => page(&ask, StatusCode::CONFLICT, &host, again(&[], Some(why)), host.version),
        Err(other) => Err(other.into()),
    }
}

fn page(ask: &Ask<'_>, status: StatusCode, host: &Host, form: FormView, seen: u64) -> Result<HttpResponse, Problem> {
    let title = format!("Configure host {}", host.settings.name);
    ask.page_as(status, "host_configure.html", &title, "hosts", &form.of_host(host, seen))
}

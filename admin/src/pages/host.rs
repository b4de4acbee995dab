//! One host: what it is, what is on it, what the reconciler makes of it; configuring and deleting it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{HostId, HostPurpose, LogTarget};
use common::store::ClusterFilter;
use serde::Serialize;

use super::Ask;
use super::clusters::ClusterRow;
use super::host_form::{FormView, input};
use super::hosts::HostView;
use super::words::{self, When, when};
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::operations::{Done, Fault, HostInput, Refusal, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    host: HostView,
    address: String,
    bind_address: String,
    log_level: &'static str,
    log: String,
    chaincode_endpoint: Option<String>,
    engine_id: String,
    engine_version: String,
    cpus: u32,
    memory: String,
    last_answer: When,
    created: When,
    leaving: Option<String>,
    outlook: Vec<String>,
    phases: Vec<(words::Badge, u64)>,
    clusters: Vec<ClusterRow>,
    next: Option<String>,
}

/// `GET /hosts/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let id = host_id(&id)?;
    let row = state.operations.host(&id).await?;
    let filter = ClusterFilter { host: Some(id.clone()), ..ClusterFilter::default() };
    let listed = state.operations.clusters(&filter, &page_of(query.get("after"), limit_of(None)?)?).await?;
    let host = &row.host;
    let settings = &host.settings;
    let view = View {
        address: settings.address.clone(),
        bind_address: settings.bind_address.to_string(),
        log_level: settings.log_level.as_str(),
        log: match &settings.log_target {
            LogTarget::Local => "files on the host, rotated".into(),
            LogTarget::Syslog { server } => format!("syslog at {server}"),
        },
        chaincode_endpoint: settings.chaincode_endpoint.clone(),
        engine_id: host.engine_id.clone(),
        engine_version: host.contact.engine_version.clone(),
        cpus: host.contact.cpus,
        memory: words::bytes(host.contact.memory),
        last_answer: when(host.contact.last_answer, now),
        created: when(host.created_at, now),
        leaving: match &host.purpose {
            HostPurpose::Leave { asked, .. } => Some(asked.by.clone()),
            _ => None,
        },
        outlook: state.reconciler.outlook().into_iter().filter(|o| o.host == id).flat_map(|o| o.lines).collect(),
        phases: row.phases.iter().map(|(phase, n)| (words::phase(*phase), *n)).collect(),
        clusters: listed.items.iter().map(|cluster| ClusterRow::of(cluster, &state.catalog, now)).collect(),
        next: listed.next.map(|after| format!("/hosts/{id}?after={after}")),
        host: HostView::of(&row, now),
    };
    let title = format!("Host {}", settings.name);
    Ask { req: &req, state: &state, who: &who }.page("host.html", &title, "hosts", &view)
}

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
    configure_form(&ask, StatusCode::OK, &host.id, host.version, &input, &[], None)
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
    // A form without the version it was made for is nobody's.
    let seen: u64 = fields.text("version").parse().map_err(|_| Problem::unreadable("The form has no version."))?;
    let host = state.store.host(&id).await?.ok_or(Refusal::NoSuch("host"))?;
    // The daemon's URL is shown in the form and cannot be typed.
    let input = HostInput { daemon_url: host.settings.daemon_url.to_string(), ..input(&fields) };
    match state.operations.configure_host(&id, &input, Some(seen), &who.operator.username, state.now()).await {
        Ok(host) => {
            let message = format!("Host {} is configured.", host.settings.name);
            Ok(ask.done(&Done { message }, &format!("/hosts/{id}")))
        }
        Err(Refusal::Faults(faults)) => {
            configure_form(&ask, StatusCode::UNPROCESSABLE_ENTITY, &id, seen, &input, &faults, None)
        }
        // Shown with what was typed, and with the version that is there now: who sends it again has read why.
        Err(Refusal::Conflict(why)) => {
            configure_form(&ask, StatusCode::CONFLICT, &id, host.version, &input, &[], Some(why))
        }
        Err(other) => Err(other.into()),
    }
}

#[derive(Serialize)]
struct DeleteView {
    id: String,
    name: String,
    url: String,
    clusters: u64,
    held: u64,
    holders: Vec<(String, String)>,
}

/// `GET /hosts/{id}/delete`: asks first.
pub async fn ask_delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let leaving = state.operations.leaving(&host_id(&id)?).await?;
    let settings = &leaving.host.settings;
    let view = DeleteView {
        id: leaving.host.id.to_string(),
        name: settings.name.to_string(),
        url: settings.daemon_url.to_string(),
        clusters: leaving.clusters,
        held: leaving.held,
        holders: leaving.holders.into_iter().map(|(name, user)| (name.to_string(), user)).collect(),
    };
    let title = format!("Delete host {}", view.name);
    Ask { req: &req, state: &state, who: &who }.page("host_delete.html", &title, "hosts", &view)
}

/// `POST /hosts/{id}/delete`
pub async fn delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    match state.operations.delete_host(&id, &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, "/hosts")),
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}")),
    }
}

fn configure_form(
    ask: &Ask<'_>,
    status: StatusCode,
    id: &HostId,
    version: u64,
    input: &HostInput,
    faults: &[Fault],
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let view = FormView::new(input, faults, error, &ask.state.operations.layout).of_host(id.to_string(), version);
    ask.page_as(status, "host_configure.html", "Configure a host", "hosts", &view)
}

fn host_id(text: &str) -> Result<HostId, Refusal> {
    HostId::parse(text).map_err(|_| Refusal::NoSuch("host"))
}

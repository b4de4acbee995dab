//! The list of hosts, and adding one.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{HostState, PhaseKind, Timestamp};
use serde::Serialize;

use super::Ask;
use super::host_form::{FormView, input};
use super::words::{self, Badge, When, when};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Added, Done, Fault, HostInput, HostRow, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// A host in a list.
#[derive(Serialize)]
pub struct HostView {
    id: String,
    name: String,
    url: String,
    kind: &'static str,
    state: Badge,
    why: Option<String>,
    since: When,
    leaving: bool,
    /// What operators want of it, unless it is the ordinary service.
    purpose: Option<Badge>,
    schedulable: bool,
    autofill: bool,
    capacity: u16,
    clusters: u64,
    free: u64,
    in_use: u64,
}

impl HostView {
    /// The host's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a host is listed.
    pub fn of(row: &HostRow, now: Timestamp) -> HostView {
        let HostRow { host, phases } = row;
        let (since, why) = match &host.contact.state {
            HostState::Active { since } => (since, None),
            HostState::Inactive { since, why } => (since, Some(why.clone())),
        };
        let count = |phase| phases.get(&phase).copied().unwrap_or_default();
        HostView {
            id: host.id.to_string(),
            name: host.settings.name.to_string(),
            url: host.settings.daemon_url.to_string(),
            kind: crate::api::kind(host.kind),
            state: words::host_state(&host.contact.state),
            why,
            since: when(*since, now),
            leaving: host.purpose.leaves(),
            purpose: words::purpose(&host.purpose),
            schedulable: host.settings.schedulable,
            autofill: host.settings.autofill,
            capacity: host.settings.capacity,
            clusters: row.clusters(),
            free: count(PhaseKind::Free),
            in_use: count(PhaseKind::InUse),
        }
    }
}

#[derive(Serialize)]
struct View {
    hosts: Vec<HostView>,
}

/// `GET /hosts`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let view = View { hosts: state.operations.hosts().await?.iter().map(|row| HostView::of(row, now)).collect() };
    Ask { req: &req, state: &state, who: &who }.page("hosts.html", "Hosts", "hosts", &view)
}

/// `GET /hosts/new`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    form(&ask, StatusCode::OK, &HostInput::blank(state.log_level), &[], None)
}

/// `POST /hosts/new`
pub async fn add(req: HttpRequest, state: Data<State>, who: SignedIn, fields: Form) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let input = input(&fields);
    let tls = super::host_tls::input(&fields);
    match state.operations.add_host(&input, &tls, &who.operator.username, state.now()).await {
        Ok(Added { host, new: false }) => {
            let message = format!("Host {} was added already.", host.settings.name);
            Ok(ask.done(&Done { message }, &format!("/hosts/{}", host.id)))
        }
        Ok(Added { host, new: true }) => {
            let message = format!("Host {} was added; it is being filled now.", host.settings.name);
            let message = if host.settings.autofill && host.settings.schedulable && host.settings.capacity > 0 {
                message
            } else {
                format!("Host {} was added.", host.settings.name)
            };
            Ok(ask.done(&Done { message }, &format!("/hosts/{}", host.id)))
        }
        Err(Refusal::Faults(faults)) => form(&ask, StatusCode::UNPROCESSABLE_ENTITY, &input, &faults, None),
        Err(Refusal::Conflict(why)) => form(&ask, StatusCode::CONFLICT, &input, &[], Some(why)),
        Err(other) => Err(other.into()),
    }
}

fn form(
    ask: &Ask<'_>,
    status: StatusCode,
    input: &HostInput,
    faults: &[Fault],
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let view = FormView::new(input, faults, error, &ask.state.operations.layout);
    ask.page_as(status, "host_new.html", "Add a host", "hosts", &view)
}

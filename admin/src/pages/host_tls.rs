//! The credentials of a host: what there is, as far as it is public, and a form for others. What was typed is not shown again.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{CertificateFacts, Host, Timestamp};
use serde::Serialize;

use super::Ask;
use super::host::host_id;
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Fault, Refusal, TlsInput};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    url: String,
    is_tcp: bool,
    version: u64,
    can_seal: bool,
    tls: Option<TlsView>,
    errors: BTreeMap<String, String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct TlsView {
    ca: FactsView,
    certificate: FactsView,
    warning: Option<String>,
    set_at: String,
    set_by: String,
}

#[derive(Serialize)]
struct FactsView {
    subject: String,
    issuer: String,
    from: String,
    until: String,
    fingerprint: String,
}

impl FactsView {
    fn of(facts: &CertificateFacts) -> FactsView {
        FactsView {
            subject: facts.subject.clone(),
            issuer: facts.issuer.clone(),
            from: facts.not_before.to_string(),
            until: facts.not_after.to_string(),
            fingerprint: facts.fingerprint.clone(),
        }
    }
}

fn view(state: &State, host: &Host, now: Timestamp, faults: &[Fault], error: Option<String>) -> View {
    let mut errors = BTreeMap::new();
    for fault in faults {
        errors.entry(fault.field.clone()).or_insert_with(|| fault.reason.clone());
    }
    View {
        id: host.id.to_string(),
        name: host.settings.name.to_string(),
        url: host.settings.daemon_url.to_string(),
        is_tcp: host.settings.daemon_url.host().is_some(),
        version: host.version,
        can_seal: state.operations.seal.has_key(),
        tls: host.tls.as_ref().map(|tls| TlsView {
            ca: FactsView::of(&tls.ca),
            certificate: FactsView::of(&tls.certificate),
            warning: tls.warning(now),
            set_at: tls.set_at.to_string(),
            set_by: tls.set_by.clone(),
        }),
        errors,
        error,
    }
}

/// What a form holds of credentials.
pub fn input(fields: &Form) -> TlsInput {
    TlsInput {
        ca: fields.raw("tls_ca").to_owned(),
        certificate: fields.raw("tls_certificate").to_owned(),
        key: fields.raw("tls_key").to_owned(),
        untried: fields.ticked("tls_untried"),
    }
}

/// `GET /hosts/{id}/tls`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let host = state.operations.host(&host_id(&id)?).await?.host;
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &host, &[], None)
}

/// `POST /hosts/{id}/tls`
pub async fn set(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let (by, seen) = (&who.operator.username, Some(fields.version()?));
    let outcome = if fields.ticked("remove") {
        state.operations.remove_host_tls(&id, seen, by, state.now()).await
    } else {
        state.operations.set_host_tls(&id, &input(&fields), seen, by, state.now()).await
    };
    match outcome {
        Ok(done) => Ok(ask.done(&done, &format!("/hosts/{id}/tls"))),
        Err(Refusal::Faults(faults)) => {
            let host = state.operations.host(&id).await?.host;
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &host, &faults, None)
        }
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}/tls")),
    }
}

fn page(
    ask: &Ask<'_>,
    status: StatusCode,
    host: &Host,
    faults: &[Fault],
    error: Option<String>,
) -> Result<HttpResponse, Problem> {
    let view = view(ask.state, host, ask.state.now(), faults, error);
    let title = format!("Credentials of host {}", host.settings.name);
    ask.page_as(status, "host_tls.html", &title, "hosts", &view)
}

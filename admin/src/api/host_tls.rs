//! `/api/v1/hosts/{id}/tls`: what is public of a host's credentials, and new ones. Never the key.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use common::model::CertificateFacts;
use schemars::JsonSchema;
use serde::Serialize;

use super::hosts::{host_id, one};
use crate::access::SignedIn;
use crate::input::{Object, Query};
use crate::operations::{Fault, Refusal, TlsInput};
use crate::problem::Problem;
use crate::server::State;

/// Credentials, as far as they are public.
#[derive(Serialize, JsonSchema)]
pub struct TlsShape {
    ca: FactsShape,
    certificate: FactsShape,
    ends: String,
    warning: Option<String>,
    set_at: String,
    set_by: String,
}

/// What a certificate says of itself.
#[derive(Serialize, JsonSchema)]
pub struct FactsShape {
    subject: String,
    issuer: String,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
}

fn facts(facts: &CertificateFacts) -> FactsShape {
    FactsShape {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        not_before: facts.not_before.to_string(),
        not_after: facts.not_after.to_string(),
        fingerprint_sha256: facts.fingerprint.clone(),
    }
}

/// Takes `tls_ca`, `tls_certificate` and `tls_key` out of a request.
pub(super) fn texts(body: &mut Object) -> Result<TlsInput, Refusal> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut take = |name: &str| body.text(name).map_err(|fault| faults.push(fault)).ok().flatten().unwrap_or_default();
    let (ca, certificate, key) = (take("tls_ca"), take("tls_certificate"), take("tls_key"));
    if faults.is_empty() { Ok(TlsInput { ca, certificate, key, untried: false }) } else { Err(Refusal::Faults(faults)) }
}

/// `GET`: what is public; 404 if there are none.
pub async fn show(state: Data<State>, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let host = state.operations.host(&host_id(&id)?).await?.host;
    let tls = host.tls.ok_or(Refusal::NoSuch("credentials of this host"))?;
    Ok(HttpResponse::Ok().json(TlsShape {
        ca: facts(&tls.ca),
        certificate: facts(&tls.certificate),
        ends: tls.ends().to_string(),
        warning: tls.warning(state.now()),
        set_at: tls.set_at.to_string(),
        set_by: tls.set_by.clone(),
    }))
}

/// `PUT`: `{"tls_ca": PEM, "tls_certificate": PEM, "tls_key": PEM, "untried": false, "version": ...}`.
pub async fn set(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let mut input = texts(&mut body)?;
    input.untried = body.truth("untried").map_err(one)?.unwrap_or_default();
    let seen = body.number("version").map_err(one)?;
    body.end()?;
    let done = state.operations.set_host_tls(&id, &input, seen, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Ok().json(done))
}

/// `DELETE`: takes them away.
pub async fn remove(
    who: SignedIn,
    state: Data<State>,
    id: Path<String>,
    mut body: Object,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let seen = body.number("version").map_err(one)?;
    body.end()?;
    let done = state.operations.remove_host_tls(&id, seen, &who.operator.username, state.now()).await?;
    Ok(HttpResponse::Ok().json(done))
}

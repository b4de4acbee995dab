//! The credentials of a host: what there is, as far as it is public, and a form for others. Of what was typed in vain, what is
//! public comes back; a private key is never sent to a browser.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{CertificateFacts, Host, Timestamp};
use serde::Serialize;

use super::Ask;
use super::host::host_id;
use super::words::{When, when};
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
    typed: TlsTyped,
    /// The removal was asked for without the tick that says what it does.
    unknowing: bool,
    errors: BTreeMap<String, String>,
}

/// What was typed into a form that was refused, as far as it may be sent back.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct TlsTyped {
    ca: String,
    certificate: String,
    untried: bool,
}

impl TlsTyped {
    /// The public part. `errors` is told that the key has to be typed again, if there was one.
    pub fn of(input: &TlsInput, errors: &mut BTreeMap<String, String>) -> TlsTyped {
        let given = [&input.ca, &input.certificate, &input.key];
        let secret = |text: &str| text.contains("PRIVATE KEY");
        // A file that has both, or a key in the wrong field, is a key.
        let public = |text: &str| if secret(text) { String::new() } else { text.to_owned() };
        if !input.key.trim().is_empty() || given.iter().any(|text| secret(text)) {
            errors.entry("tls_key".into()).or_insert_with(|| "is not kept and not shown: paste it once more".into());
        }
        TlsTyped { ca: public(&input.ca), certificate: public(&input.certificate), untried: input.untried }
    }
}

#[derive(Serialize)]
struct TlsView {
    ca: FactsView,
    certificate: FactsView,
    warning: Option<String>,
    set_at: When,
    set_by: String,
}

#[derive(Serialize)]
struct FactsView {
    subject: String,
    issuer: String,
    from: When,
    until: When,
    fingerprint: String,
}

impl FactsView {
    fn of(facts: &CertificateFacts, now: Timestamp) -> FactsView {
        FactsView {
            subject: facts.subject.clone(),
            issuer: facts.issuer.clone(),
            from: when(facts.not_before, now),
            until: when(facts.not_after, now),
            fingerprint: facts.fingerprint.clone(),
        }
    }
}

fn view(state: &State, host: &Host, now: Timestamp, refused: Option<(&TlsInput, &[Fault])>) -> View {
    let mut errors = BTreeMap::new();
    for fault in refused.iter().flat_map(|(_, faults)| *faults) {
        errors.entry(fault.field.clone()).or_insert_with(|| fault.reason.clone());
    }
    let typed = refused.map(|(input, _)| TlsTyped::of(input, &mut errors)).unwrap_or_default();
    View {
        unknowing: false,
        id: host.id.to_string(),
        name: host.settings.name.to_string(),
        url: host.settings.daemon_url.to_string(),
        is_tcp: host.settings.daemon_url.host().is_some(),
        version: host.version,
        can_seal: state.operations.seal.has_key(),
        tls: host.tls.as_ref().map(|tls| TlsView {
            ca: FactsView::of(&tls.ca, now),
            certificate: FactsView::of(&tls.certificate, now),
            warning: tls.warning(now),
            set_at: when(tls.set_at, now),
            set_by: tls.set_by.clone(),
        }),
        typed,
        errors,
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
    page(&Ask { req: &req, state: &state, who: &who }, StatusCode::OK, &host, None)
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
    let input = input(&fields);
    if fields.ticked("remove") && !fields.ticked("known") {
        let host = state.operations.host(&id).await?.host;
        let view = View { unknowing: true, ..view(&state, &host, state.now(), None) };
        return ask.page_as(StatusCode::UNPROCESSABLE_ENTITY, "host_tls.html", &title(&host), "hosts", &view);
    }
    let outcome = if fields.ticked("remove") {
        state.operations.remove_host_tls(&id, seen, by, state.now()).await
    } else {
        state.operations.set_host_tls(&id, &input, seen, by, state.now()).await
    };
    match outcome {
        Ok(done) => Ok(ask.done(&done, &format!("/hosts/{id}/tls"))),
        Err(Refusal::Faults(faults)) => {
            let host = state.operations.host(&id).await?.host;
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &host, Some((&input, &faults)))
        }
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}/tls")),
    }
}

fn page(
    ask: &Ask<'_>,
    status: StatusCode,
    host: &Host,
    refused: Option<(&TlsInput, &[Fault])>,
) -> Result<HttpResponse, Problem> {
    let view = view(ask.state, host, ask.state.now(), refused);
    ask.page_as(status, "host_tls.html", &title(host), "hosts", &view)
}

fn title(host: &Host) -> String {
    format!("Credentials of host {}", host.settings.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
    const KEY: &str = "-----BEGIN EC PRIVATE KEY-----";

    fn typed(ca: &str, certificate: &str, key: &str) -> (TlsTyped, Option<String>) {
        let text = str::to_owned;
        let input = TlsInput { ca: text(ca), certificate: text(certificate), key: text(key), untried: true };
        let mut errors = BTreeMap::new();
        let typed = TlsTyped::of(&input, &mut errors);
        (typed, errors.remove("tls_key"))
    }

    #[test]
    fn what_is_public_comes_back_and_a_key_never_does() {
        let (back, key) = typed(CERTIFICATE, CERTIFICATE, "");
        assert_eq!((back.ca.as_str(), back.certificate.as_str(), back.untried), (CERTIFICATE, CERTIFICATE, true));
        assert_eq!(key, None);
        let both = format!("{CERTIFICATE}\n{KEY}");
        for (ca, certificate, key) in [("", "", KEY), (KEY, "", ""), ("", KEY, ""), ("", both.as_str(), "x")] {
            let (back, error) = typed(ca, certificate, key);
            assert!(!format!("{back:?}").contains("PRIVATE"), "{back:?}");
            assert!(error.is_some_and(|error| error.contains("paste it once more")));
        }
    }
}

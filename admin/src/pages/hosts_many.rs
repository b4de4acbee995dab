//! Adding many hosts by pasting a line for each. What was refused stays in the field, to be mended and sent again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Ask;
use super::host_form::{FormView, input};
use crate::access::SignedIn;
use crate::input::Form;
use crate::operations::{Done, Fault, HostInput, LineDone, LineResult, MOST_LINES, ManyDone, Refusal, TlsInput};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    text: String,
    most: usize,
    /// The settings for all.
    form: FormView,
    text_error: Option<String>,
    /// Whether something is wrong with the settings for all.
    wrong: bool,
    message: Option<String>,
    lines: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    number: usize,
    text: String,
    name: String,
    host: Option<String>,
    added: bool,
    errors: Vec<(String, String)>,
}

impl LineView {
    fn of(line: &LineDone) -> LineView {
        let (host, added, errors) = match &line.result {
            LineResult::Added(id) => (Some(id.to_string()), true, Vec::new()),
            LineResult::There(id) => (Some(id.to_string()), false, Vec::new()),
            LineResult::Refused(faults) => (None, false, faults.iter().map(words).collect()),
        };
        LineView { number: line.number, text: line.text.clone(), name: line.name.clone(), host, added, errors }
    }
}

fn words(fault: &Fault) -> (String, String) {
    (fault.field.clone(), fault.reason.clone())
}

/// `GET /hosts/many`
pub async fn blank(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    page(&ask, StatusCode::OK, "", (&HostInput::blank(state.log_level), &TlsInput::default()), &[], None)
}

/// `POST /hosts/many`
pub async fn add(req: HttpRequest, state: Data<State>, who: SignedIn, fields: Form) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let (text, common) = (fields.raw("text"), input(&fields));
    let tls = super::host_tls::input(&fields);
    match state.operations.add_many(text, &common, &tls, &who.operator.username, state.now()).await {
        Ok(done) if done.rest().is_empty() => {
            Ok(ask.done(&Done { message: done.message() }, &super::way_back::back(&fields, "/hosts")))
        }
        Ok(done) => {
            // With comments and order as they were pasted, but for what is done.
            let rest = done.rest();
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, &rest, (&common, &tls), &[], Some(&done))
        }
        Err(Refusal::Faults(faults)) => {
            page(&ask, StatusCode::UNPROCESSABLE_ENTITY, text, (&common, &tls), &faults, None)
        }
        Err(other) => Err(other.into()),
    }
}

fn page(
    ask: &Ask<'_>,
    status: StatusCode,
    text: &str,
    (common, tls): (&HostInput, &TlsInput),
    faults: &[Fault],
    done: Option<&ManyDone>,
) -> Result<HttpResponse, Problem> {
    let of_text = faults.iter().find(|fault| fault.field == "text").map(|fault| fault.reason.clone());
    let view = View {
        text: text.to_owned(),
        most: MOST_LINES,
        form: FormView::new(common, faults, None, &ask.state.operations.layout).with_tls(tls),
        wrong: !faults.is_empty(),
        text_error: of_text,
        message: done.map(ManyDone::message),
        lines: done.map(|done| done.0.iter().map(LineView::of).collect()).unwrap_or_default(),
    };
    ask.page_as(status, "hosts_many.html", "Add many hosts", "hosts", &view)
}
